"""A TCP proxy that can be told to cut, hold back, swallow, delay or refuse."""

import random
import socket
import struct
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from time import monotonic
from typing import Literal

Direction = Literal["up", "down"]

CHUNK_BYTES = 1 << 16
CONNECT_S_MAX = 5.0
HOLD_STEP_S = 0.05
RESET = struct.pack("ii", 1, 0)
"""SO_LINGER that turns a close into a reset."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What happens to one connection once so many bytes went in one direction.

    Parameters
    ----------
    direction : str
        up: to the server; down: to the client.
    kind : str
        reset: RST both ways. close: FIN both ways. hole: no byte goes on, in either direction, and
        nobody is told.
    """

    direction: Direction
    after_bytes: int
    kind: Literal["reset", "close", "hole"] = "reset"


@dataclass(slots=True)
class _Link:
    client: socket.socket
    server: socket.socket
    fault: Fault | None
    is_hole: bool = False
    is_slow: bool = False
    sent: dict[Direction, int] = field(default_factory=lambda: {"up": 0, "down": 0})


class Wire:
    """Between a client and a server on loopback.

    Each new connection takes the next of `faults`; without one it is sound. Answers to statements
    with `slow_statement` in them come `answer_delay_s` later; `is_waiting` tells that one was.
    """

    def __init__(self, port: int) -> None:
        self._target = port
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        self.faults: deque[Fault] = deque()
        self.answer_delay_s = 0.0
        self.slow_statement = b""
        self.is_refusing = False
        self.is_waiting = False
        self.marks: dict[Direction, list[int]] = {"up": [], "down": []}
        self._links: list[_Link] = []
        self._closed = threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()

    def target(self, port: int) -> None:
        """Lead new connections to another port."""
        self._target = port

    def cut(self) -> None:
        """Reset every connection there is."""
        for link in list(self._links):
            self._end(link, reset=True)

    def close(self) -> None:
        """Refuse everybody from now on, and cut all."""
        self._closed.set()
        with suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        self.cut()

    def _accept(self) -> None:
        while not self._closed.is_set():
            try:
                client, _ = self._server.accept()
            except OSError:
                return
            if self.is_refusing:
                self._drop(client)
                continue
            try:
                server = socket.create_connection(("127.0.0.1", self._target), CONNECT_S_MAX)
            except OSError:
                self._drop(client)
                continue
            server.settimeout(None)
            for each in (client, server):
                each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            fault = self.faults.popleft() if self.faults else None
            link = _Link(client, server, fault)
            self._links.append(link)
            for direction in ("up", "down"):
                threading.Thread(target=self._pump, args=(link, direction), daemon=True).start()

    def _pump(self, link: _Link, direction: Direction) -> None:
        source, target = link.client, link.server
        if direction == "down":
            source, target = target, source
        try:
            while data := source.recv(CHUNK_BYTES):
                if direction == "up" and (link.is_slow or self.slow_statement in data):
                    link.is_slow = b"SELECT" not in data
                if direction == "down" and link.sent["down"] and link.is_slow:
                    self._hold_back()
                if not self._forward(link, direction, target, data):
                    return
        except OSError:
            pass
        if not link.is_hole:
            self._end(link, reset=False)

    def _hold_back(self) -> None:
        end_s = monotonic() + self.answer_delay_s
        while self.answer_delay_s and (left_s := end_s - monotonic()) > 0:
            self.is_waiting = True
            self._closed.wait(min(left_s, HOLD_STEP_S))

    def _forward(
        self, link: _Link, direction: Direction, target: socket.socket, data: bytes
    ) -> bool:
        fault = link.fault
        is_due = (
            fault is not None
            and fault.direction == direction
            and link.sent[direction] + len(data) >= fault.after_bytes
        )
        if is_due:
            assert fault is not None
            data = data[: max(0, fault.after_bytes - link.sent[direction])]
        if link.is_hole:
            return True
        target.sendall(data)
        link.sent[direction] += len(data)
        self.marks[direction].append(link.sent[direction])
        if is_due:
            assert fault is not None
            if fault.kind == "hole":
                link.is_hole = True
                return True
            self._end(link, reset=fault.kind == "reset")
            return False
        return True

    def _end(self, link: _Link, *, reset: bool) -> None:
        for each in (link.client, link.server):
            with suppress(OSError):
                if reset:  # the way out is left open: a close sends RST only then
                    each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                each.shutdown(socket.SHUT_RD if reset else socket.SHUT_RDWR)
            with suppress(OSError):
                each.close()
        with suppress(ValueError):
            self._links.remove(link)

    def _drop(self, client: socket.socket) -> None:
        with suppress(OSError):
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        client.close()


@contextmanager
def wire_to(port: int) -> Iterator[Wire]:
    """Give a wire to a port of loopback, and close it afterwards."""
    wire = Wire(port)
    try:
        yield wire
    finally:
        wire.close()


def places_to_cut(marks: list[int], *, count: int, chance: random.Random) -> list[int]:
    """Return numbers of bytes: about each end of a packet, and `count` others between."""
    end = max(marks)
    near = {mark + step for mark in marks for step in (-1, 0, 1)}
    anywhere = {chance.randrange(end) for _ in range(count)}
    return sorted(each for each in near | anywhere if 0 <= each <= end)
