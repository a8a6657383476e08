"""A lead's profile: its form answers so far, the latest of each."""

from collections.abc import Mapping

from scoring.event import Scalar
from scoring.state import ProfileField


def merged(
    profile: tuple[ProfileField, ...], answers: Mapping[str, Scalar], *, at_ms: int
) -> tuple[ProfileField, ...]:
    """Return `profile` with `answers` given at a time.

    Parameters
    ----------
    profile : tuple of ProfileField
        Sorted by name.
    answers : mapping of str to Scalar
    at_ms : int
        When they were given, in event time.

    Returns
    -------
    tuple of ProfileField
        Sorted by name. Of two answers to a question the one given later is kept; of two given
        at the same time, the one that arrived later. The same object when there are no answers.
    """
    if not answers:
        return profile
    kept = {answer.name: answer for answer in profile}
    for name, value in answers.items():
        known = kept.get(name)
        if known is None or at_ms >= known.at_ms:
            kept[name] = ProfileField(name=name, value=value, at_ms=at_ms)
    return tuple(kept[name] for name in sorted(kept))


def as_mapping(profile: tuple[ProfileField, ...]) -> dict[str, Scalar]:
    """Return the answers by name."""
    return {answer.name: answer.value for answer in profile}
