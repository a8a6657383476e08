"""Runs the schedules of many seeds, and names the seed of one that fails."""

from collections.abc import Callable, Iterable

from tests.simulation.oracle import Broken
from tests.simulation.virtual_time import Stuck


def run_all(seeds: Iterable[int], schedule: Callable[[int], object]) -> None:
    """Run one schedule a seed.

    Raises
    ------
    Broken
        Of the first that fails, with how to repeat it.
    """
    for seed in seeds:
        try:
            schedule(seed)
        except Exception as error:
            raise Broken(f"{error}: repeat it with --schedule-seed {seed}") from error


def first_broken(seeds: Iterable[int], schedule: Callable[[int], object]) -> str | None:
    """Return what the first schedule that fails says; None: none does."""
    for seed in seeds:
        try:
            schedule(seed)
        except (Broken, Stuck) as error:
            return str(error)
    return None
