"""The demo's traffic: sends at a steady rate, looks after worker and sink, and shows it all."""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event as Flag

from leadvelocity.demo.children import Children
from leadvelocity.demo.follower import Follower
from leadvelocity.demo.generator import Item, Poison, Stray, Traffic
from leadvelocity.demo.lag import LagWatch
from leadvelocity.demo.view import HOTTEST, RECENT, Glance, View
from leadvelocity.sender import EventSender
from schemas.topics import INPUT_TOPICS

TICK_S = 0.05
GLANCE_S = 0.5
CAUGHT_UP_S = 1.0
"""Latencies are taken once the worker, which starts with the traffic, lags less than this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What was sent, and since when workers had caught up (UTC epoch milliseconds)."""

    records: int
    seconds: float
    steady_from_ms: int


@dataclass(slots=True, kw_only=True)
class Sending:
    """Traffic under way.

    Parameters
    ----------
    rate : float
        Events a second.
    for_s : float or None
        None: until Ctrl-C.
    """

    lag: LagWatch
    sender: EventSender
    follower: Follower
    children: Children
    traffic: Traffic
    rate: float
    for_s: float | None
    sent: int = 0
    steady_from_ms: int | None = None
    interrupted: bool = False

    def run(self, view: View) -> Sent:
        """Send until the time is over or Ctrl-C, then wait until Kafka holds all of it.

        Raises
        ------
        CommandFailed
            Worker or sink has ended, or Kafka takes nothing.
        """
        began_s, elapsed_s = time.monotonic(), 0.0
        glanced_s, glanced_sent = -GLANCE_S, 0
        pace = Flag()
        with view, self._until_interrupted():
            while not self.interrupted and (self.for_s is None or elapsed_s < self.for_s):
                self._send_until(int(elapsed_s * self.rate))
                if elapsed_s >= glanced_s + GLANCE_S:
                    lately = (self.sent - glanced_sent) / (elapsed_s - glanced_s)
                    glanced_s, glanced_sent = elapsed_s, self.sent
                    view.show(self._glance(elapsed_s, lately))
                pace.wait(TICK_S)
                elapsed_s = time.monotonic() - began_s
        self.sender.finish()
        return Sent(
            records=self.sent,
            seconds=time.monotonic() - began_s,
            steady_from_ms=clock_ms() if self.steady_from_ms is None else self.steady_from_ms,
        )

    @contextmanager
    def _until_interrupted(self) -> Iterator[None]:
        """Note the first Ctrl-C instead of raising it, which Kafka's client does not bear."""
        before = {each: signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)}

        def restore() -> None:
            for number, handler in before.items():
                signal.signal(number, handler)

        def note(*_: object) -> None:
            restore()
            self.interrupted = True

        for number in before:
            signal.signal(number, note)
        try:
            yield
        finally:
            restore()

    def _send_until(self, count: int) -> None:
        while self.sent < count:
            self._send(self.traffic.next(clock_ms()))
            self.sent += 1

    def _send(self, item: Item) -> None:
        if isinstance(item, Poison):
            topic, partition = INPUT_TOPICS[item.topic_index], self.sent % self.sender.partitions
            self.sender.send_raw(topic, partition, key=item.key, value=item.value)
        elif isinstance(item, Stray):
            self.sender.send(item.event, partition=item.partition_seed % self.sender.partitions)
        else:
            self.sender.send(item)

    def _glance(self, elapsed_s: float, lately: float) -> Glance:
        self.children.check()
        self.follower.check()
        lag = self.lag.latest
        caught_up = lag is not None and lag < self.rate * CAUGHT_UP_S <= self.sent
        if self.steady_from_ms is None and caught_up:
            self.steady_from_ms = clock_ms()
        return Glance(
            elapsed_s=elapsed_s,
            sent=self.sent,
            rate=lately,
            lag=lag,
            hottest=self.follower.hottest(HOTTEST),
            recent=self.follower.recent(RECENT),
        )


def clock_ms() -> int:
    """Return the wall clock, UTC epoch milliseconds."""
    return time.time_ns() // 1_000_000
