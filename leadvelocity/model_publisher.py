"""Puts a worker's model into ClickHouse beside its work, so that SQL can score with it."""

import logging
from threading import Event, Thread

from scoring.model import Model
from sinks.client import ClickHouse
from sinks.models import publish_model
from sinks.port import SinkError

logger = logging.getLogger(__name__)

TRIES_MAX = 60
"""With the pauses below, some 55 minutes."""

PAUSE_S = 1.0
PAUSE_S_MAX = 60.0
"""Each pause between tries is twice the one before, up to this."""


class ModelPublisher:
    """Publishes a model in a thread of its own; ClickHouse being away harms nobody.

    Parameters
    ----------
    clickhouse : ClickHouse
    model : Model
    tries_max : int
        Then it is given up; `leadvelocity setup`, or the next worker's start, does it.
    pause_s : float
        Before the second try.
    """

    def __init__(
        self,
        clickhouse: ClickHouse,
        model: Model,
        *,
        tries_max: int = TRIES_MAX,
        pause_s: float = PAUSE_S,
    ) -> None:
        self._clickhouse = clickhouse
        self._model = model
        self._tries_max = tries_max
        self._pause_s = pause_s
        self._stop = Event()
        self._thread = Thread(target=self._run, name="model-publisher", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Give up; does not wait for a try under way, which harms nobody."""
        self._stop.set()

    def wait(self, timeout_s: float) -> bool:
        """Return whether it is done or given up within a time."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        named = f"model {self._model.name} {self._model.version}"
        pause_s = self._pause_s
        for number in range(1, self._tries_max + 1):
            try:
                publish_model(self._clickhouse, self._model)
            except SinkError as error:
                logger.warning(
                    "%s is not in ClickHouse yet (try %d of %d), SQL cannot score with it: %s",
                    *(named, number, self._tries_max, error),
                )
            else:
                logger.info("%s is in ClickHouse", named)
                return
            if self._stop.wait(pause_s):
                return
            pause_s = min(2 * pause_s, PAUSE_S_MAX)
        logger.error("%s was not put into ClickHouse: run `leadvelocity setup` with it", named)
