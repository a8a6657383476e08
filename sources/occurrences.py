"""Which of several identical things one is: counted in bounded memory."""

from collections import OrderedDict

REMEMBERED_MAX = 1 << 16
"""Names that are remembered, some 16 MB. Identical lines of a log carry the same second, so they
stand near each other."""


class Occurrences:
    """Counts how often each name has come, of those that came last.

    Parameters
    ----------
    remembered_max : int
        Names that are remembered; the one that has not come for longest is forgotten first, and
        counts from 1 when it comes again.
    """

    def __init__(self, *, remembered_max: int = REMEMBERED_MAX) -> None:
        assert remembered_max > 0
        self._remembered_max = remembered_max
        self._counts: OrderedDict[str, int] = OrderedDict()

    def __len__(self) -> int:
        return len(self._counts)

    def number_of(self, name: str) -> int:
        """Return the how-manieth time a name comes with this one, from 1."""
        number = self._counts.pop(name, 0) + 1
        self._counts[name] = number
        if len(self._counts) > self._remembered_max:
            self._counts.popitem(last=False)
        return number
