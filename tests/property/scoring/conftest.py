"""Hypothesis here: how long an example takes on a busy machine says nothing of its law."""

from hypothesis import settings

settings.register_profile("no deadline", deadline=None)
settings.load_profile("no deadline")
