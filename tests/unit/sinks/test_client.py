"""What connections to ClickHouse promise."""

import socket
import threading
from collections.abc import Callable, Iterator
from time import monotonic

import pytest

from schemas.topics import TIER_CHANGES
from sinks.clickhouse import ClickHouseSink, token_of
from sinks.client import Answer, ClickHouse, query
from sinks.migrate import migrate
from sinks.port import Block, SinkUnavailable

SECRET = "correct horse"
ROW = {"source_partition": [0], "source_offset": [1]}
BLOCK = Block(topic=TIER_CHANGES, partition=0, first_offset=1, last_offset=1, columns=ROW)


@pytest.fixture
def nobody() -> Iterator[ClickHouse]:
    """Nobody listens here."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield ClickHouse(host="127.0.0.1", port=held.getsockname()[1], password=SECRET)


@pytest.fixture
def silent() -> Iterator[ClickHouse]:
    """Somebody listens here and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield ClickHouse(
            host="127.0.0.1",
            port=server.getsockname()[1],
            connect_timeout_s=0.2,
            transfer_timeout_s=0.2,
        )


def test_the_password_is_never_printed(nobody: ClickHouse) -> None:
    """The password is in no representation and in no message."""
    assert SECRET not in repr(nobody)
    asks: tuple[Callable[[], object], ...] = (
        lambda: query(nobody, "SELECT 1"),
        lambda: migrate(nobody),
    )
    for ask in asks:
        with pytest.raises(SinkUnavailable) as caught:
            ask()
        assert SECRET not in str(caught.value)


def test_a_server_that_is_away_is_unavailable(nobody: ClickHouse) -> None:
    """A store that is away is told as something that may pass."""
    sink = ClickHouseSink(nobody)
    with pytest.raises(SinkUnavailable, match="refused"):
        sink.positions(TIER_CHANGES)
    with pytest.raises(SinkUnavailable, match="tier-changes-0 1-1"):
        sink.write(BLOCK)


def test_a_server_that_is_silent_does_not_hold_the_sink(silent: ClickHouse) -> None:
    """A store that does not answer is given up after the set time."""
    begin = monotonic()
    with pytest.raises(SinkUnavailable):
        ClickHouseSink(silent).write(BLOCK)
    assert monotonic() - begin < 5


def test_a_failed_connection_is_not_used_again() -> None:
    """After any failure the next try begins with a new connection."""
    accepted = threading.Semaphore(0)

    def hang_up(server: socket.socket) -> None:
        while True:
            try:
                peer, _ = server.accept()
            except OSError:
                return
            peer.close()
            accepted.release()

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=hang_up, args=(server,), daemon=True)
        thread.start()
        sink = ClickHouseSink(ClickHouse(host="127.0.0.1", port=server.getsockname()[1]))
        for _ in range(3):
            with pytest.raises(SinkUnavailable):
                sink.write(BLOCK)
            assert accepted.acquire(timeout=5)
            assert not sink._clients._idle
        server.shutdown(socket.SHUT_RDWR)
    thread.join(timeout=5)


def test_a_token_is_of_one_block() -> None:
    """A block has one token however often it is asked for; no two blocks share one."""
    twin = Block(topic=TIER_CHANGES, partition=0, first_offset=1, last_offset=1, columns=ROW)
    assert token_of(twin) != token_of(BLOCK)
    assert token_of(BLOCK) == token_of(BLOCK)
    assert token_of(BLOCK).startswith("tier-changes:0:1-1:")


def test_closing_wakes_who_waits() -> None:
    """A sink that is closed does not wait for an answer that never comes."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        asked = threading.Event()

        def accept() -> None:
            peer, _ = server.accept()
            peer.recv(1)
            asked.set()
            assert ended.wait(30)
            peer.close()

        def ask() -> None:
            with pytest.raises(SinkUnavailable):
                sink.positions(TIER_CHANGES)
            ended.set()

        ended = threading.Event()
        sink = ClickHouseSink(
            ClickHouse(host="127.0.0.1", port=server.getsockname()[1], connect_timeout_s=60)
        )
        threads = [threading.Thread(target=each, daemon=True) for each in (accept, ask)]
        for thread in threads:
            thread.start()
        assert asked.wait(10)
        sink.close()
        assert ended.wait(10)


def test_an_answer_reads_as_objects() -> None:
    """Rows come as objects by the names of their columns."""
    answer = Answer(columns=("a", "b"), rows=((1, 2), (3, 4)))
    assert answer.as_objects() == [{"a": 1, "b": 2}, {"a": 3, "b": 4}]
