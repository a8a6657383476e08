"""How many states a worker keeps decoded, over all of its tasks."""

from weakref import WeakSet


class Share:
    """A task's part; given back when nobody holds it any more."""

    __slots__ = ("__weakref__", "_decoded")

    def __init__(self, decoded: "DecodedStates") -> None:
        self._decoded = decoded

    @property
    def states_max(self) -> int:
        """Return how many the task may keep."""
        return self._decoded.share


class DecodedStates:
    """How many committed states the tasks of a worker keep decoded, each an equal share.

    Parameters
    ----------
    states_max : int
    """

    def __init__(self, states_max: int) -> None:
        self._states_max = states_max
        self._shares: WeakSet[Share] = WeakSet()

    def join(self) -> Share:
        """Give a task a share, for as long as it holds it."""
        share = Share(self)
        self._shares.add(share)
        return share

    @property
    def share(self) -> int:
        """Return what one task may keep."""
        return self._states_max // max(1, len(self._shares))
