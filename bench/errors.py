"""Why a measurement could not be taken."""


class BenchFailed(Exception):
    """What went wrong, and what to do next."""
