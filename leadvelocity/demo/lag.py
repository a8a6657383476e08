"""How far workers and sinks are behind."""

from threading import Event, Thread

from leadvelocity.errors import CommandFailed
from leadvelocity.kafka import extents, group_offsets, last_offsets
from leadvelocity.roles import clickhouse_of
from leadvelocity.settings import Settings
from schemas.topics import INPUT_TOPICS, OUTPUT_TOPICS, REROUTED_EVENTS
from sinks.clickhouse import ClickHouseSink


def input_lag(settings: Settings) -> int:
    """Return how many records of the input topics are not folded and committed yet.

    Raises
    ------
    CommandFailed
    """
    connection = settings.kafka.connection()
    folded = group_offsets(connection, settings.engine.app_id, INPUT_TOPICS)
    return sum(
        each.end - max(each.begin, folded.get((each.topic, each.partition), 0))
        for each in extents(connection, INPUT_TOPICS)
    )


def is_folded(settings: Settings) -> bool:
    """Return whether all that was sent, and all that was rerouted, is folded and committed.

    Raises
    ------
    CommandFailed
    """
    if input_lag(settings):
        return False
    connection = settings.kafka.connection()
    folded = group_offsets(connection, settings.engine.app_id, [REROUTED_EVENTS])
    rerouted = last_offsets(connection, REROUTED_EVENTS)
    return all(
        folded.get((REROUTED_EVENTS, partition), 0) > offset
        for partition, offset in rerouted.items()
    )


def is_stored(settings: Settings) -> bool:
    """Return whether ClickHouse holds every record of the output topics.

    Raises
    ------
    CommandFailed, SinkUnavailable
    """
    sink = ClickHouseSink(clickhouse_of(settings))
    try:
        for topic in OUTPUT_TOPICS:
            held = sink.positions(topic)
            last = last_offsets(settings.kafka.connection(), topic)
            if any(held.get(partition, 0) <= offset for partition, offset in last.items()):
                return False
    finally:
        sink.close()
    return True


class LagWatch:
    """Looks at the input lag in a thread of its own, so that sending does not wait for it.

    Parameters
    ----------
    every_s : float
        Pause between two looks.
    """

    def __init__(self, settings: Settings, *, every_s: float = 0.5) -> None:
        self._settings = settings
        self._every_s = every_s
        self._stop = Event()
        self._latest: int | None = None
        self._thread = Thread(target=self._run, name="lag", daemon=True)

    @property
    def latest(self) -> int | None:
        """The lag as last seen; None before the first look."""
        return self._latest

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """Stop and wait for it."""
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._latest = input_lag(self._settings)
            except CommandFailed:
                self._latest = None  # a broker that is away shows in sending
            self._stop.wait(self._every_s)
