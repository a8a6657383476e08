"""What every local copy of a task's state promises: the one in memory and RocksDB's alike."""

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams import due_index
from streams.memory_store import MemoryStores
from streams.rocks_store import RocksStore, RocksStores
from streams.state_store import StateStore, StateStores, StoreDoubtful
from tests.contract.state_writer import WRITES_KEYS, DueFormat, written

ROCKS_BYTES = 1 << 20
NOTHING: frozenset[bytes] = frozenset()

Open = Callable[..., StateStore]


def rocks(folder: Path) -> RocksStores:
    return RocksStores(folder, memory_bytes_max=4 * ROCKS_BYTES, write_buffer_bytes_max=ROCKS_BYTES)


@pytest.fixture(params=["memory", "rocksdb"])
def stores(request: pytest.FixtureRequest, tmp_path: Path) -> StateStores:
    """The copies of one worker."""
    return MemoryStores() if request.param == "memory" else rocks(tmp_path)


@pytest.fixture
def opened(stores: StateStores) -> Iterator[Open]:
    """Open a copy; all are closed in the end."""
    made: list[StateStore] = []

    def open_one(name: str = "task-0", *, changelog_id: str = "one") -> StateStore:
        made.append(stores.open(name, DueFormat(), changelog_id=changelog_id))
        return made[-1]

    yield open_one
    for each in made:
        each.close()


def dues(store: StateStore, *, skip: frozenset[bytes] = NOTHING, until_ms: int = 1 << 40) -> list:
    return store.take_due(skip=skip, until_ms=until_ms, entries_max=100)


def test_an_empty_copy_holds_nothing(opened: Open) -> None:
    """A new copy has no entries, nothing due, and begins at offset 0."""
    store = opened()

    assert (store.offset, store.get(b"a"), list(store.items())) == (0, None, [])
    assert store.next_due_ms(skip=NOTHING) is None
    assert dues(store) == []


def test_changes_move_the_offset(opened: Open) -> None:
    """What was applied is there, what was removed is not, and the offset is the last one."""
    store = opened()
    store.apply({b"a": b"-|1", b"b": b"-|2", b"": b"-|"}, offset=3)
    store.apply({b"a": None, b"b": b"-|3", b"never there": None}, offset=7)

    assert store.offset == 7
    assert dict(store.items()) == {b"b": b"-|3", b"": b"-|"}
    assert store.get(b"a") is None
    assert store.get(b"b") == b"-|3"


def test_many_entries_are_read_at_once(opened: Open) -> None:
    """Entries come in the order of their keys, absent ones as None, one asked for twice as well."""
    store = opened()
    store.apply({b"a": b"-|1", b"b": b"5|2", b"": b"-|"}, offset=3)

    assert list(store.get_many([])) == []
    assert list(store.get_many([b"b", b"x", b"", b"b"])) == [b"5|2", None, b"-|", b"5|2"]


def test_an_entry_read_among_many_is_due_at_its_latest_time(opened: Open) -> None:
    """What was read together with others keeps its due time until that is replaced."""
    store = opened()
    store.apply({b"a": b"1|", b"b": b"2|"}, offset=1)
    store.get_many([b"a", b"b", b"c"])
    store.apply({b"a": b"3|", b"c": b"4|"}, offset=2)

    assert dues(store) == [b"b", b"a", b"c"]


def test_entries_are_due_by_their_time(opened: Open) -> None:
    """Due entries come earliest first, up to a moment and a number, times before 1970 too."""
    store = opened()
    store.apply({b"c": b"30|", b"a": b"-5|", b"b": b"0|", b"d": b"-|"}, offset=1)

    assert store.next_due_ms(skip=NOTHING) == -5
    assert store.take_due(skip=NOTHING, until_ms=29, entries_max=1) == [b"a"]
    store.apply({b"a": b"-|"}, offset=2)
    assert store.take_due(skip=NOTHING, until_ms=30, entries_max=9) == [b"b", b"c"]


def test_an_entry_is_due_once_at_its_latest_time(opened: Open) -> None:
    """A later state of an entry replaces its time, or takes it away."""
    store = opened()
    store.apply({b"a": b"1|", b"b": b"2|", b"c": b"3|"}, offset=1)
    store.apply({b"a": b"9|", b"b": b"-|", b"c": None}, offset=2)

    assert dues(store, until_ms=8) == []
    assert store.next_due_ms(skip=NOTHING) == 9
    assert dues(store) == [b"a"]


def test_an_entry_that_is_put_off_again_and_again_is_due_once(opened: Open) -> None:
    """However often its time moves on, an entry is due at the last one, and not before."""
    store = opened()
    for hour in range(1, 10):
        store.apply({b"a": b"%d|" % (10 * hour), b"b": b"55|"}, offset=hour)

    assert dues(store, until_ms=54) == []
    assert store.next_due_ms(skip=NOTHING) == 55
    assert dues(store) == [b"b", b"a"]


def test_who_skips_an_entry_does_not_get_it(opened: Open) -> None:
    """Entries that are out of date are neither next nor taken."""
    store = opened()
    store.apply({b"a": b"1|", b"b": b"2|"}, offset=1)

    assert store.next_due_ms(skip=frozenset({b"a"})) == 2
    assert dues(store, skip=frozenset({b"a"})) == [b"b"]
    store.apply({b"a": b"5|x"}, offset=2)
    assert store.next_due_ms(skip=NOTHING) is not None


def test_clearing_leaves_nothing(opened: Open) -> None:
    """A cleared copy is as a new one, and can be used."""
    store = opened()
    store.apply({b"a": b"1|", b"b": b"-|"}, offset=5)
    store.clear()

    assert (store.offset, list(store.items()), dues(store)) == (0, [], [])
    store.apply({b"b": b"7|"}, offset=2)
    assert (store.offset, dues(store)) == (2, [b"b"])


def test_a_copy_is_found_again(opened: Open) -> None:
    """Opened again a copy has its entries, its offset, and the times that were taken in vain."""
    store = opened()
    store.apply({b"a": b"1|", b"b": b"2|"}, offset=4)
    assert dues(store) == [b"a", b"b"]
    store.close()

    again = opened()
    assert (again.offset, dict(again.items())) == (4, {b"a": b"1|", b"b": b"2|"})
    assert dues(again) == [b"a", b"b"]


def test_the_copy_of_another_changelog_is_not_taken(opened: Open) -> None:
    """A changelog that was made anew has another identity, and its copy begins empty."""
    store = opened()
    store.apply({b"a": b"1|"}, offset=4)
    store.close()

    other = opened(changelog_id="two")
    assert (other.offset, list(other.items()), dues(other)) == (0, [], [])


def test_a_worker_says_what_it_holds(stores: StateStores, opened: Open) -> None:
    """Tasks whose state is here are named, and do not mix."""
    opened("task-0").apply({b"a": b"1|"}, offset=4)
    opened("task-1").apply({b"b": b"1|"}, offset=5)

    assert sorted(stores.held()) == ["task-0", "task-1"]
    stores.retain({"task-0", "task-1"})
    assert opened("task-2").offset == 0


KEYS = st.sampled_from([b"a", b"b", b"aa", b"\x00", b"\xff\xff"])
DUES = st.sampled_from([b"-", b"-3", b"0", b"7", b"12", b"%d" % (1 << 50)])
VALUES = st.none() | st.builds(b"%s|%s".__mod__, st.tuples(DUES, st.binary(max_size=3)))
STEPS = st.tuples(st.dictionaries(KEYS, VALUES), st.sampled_from([None, 0, 7, 1 << 41]), DUES)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A new folder each time."""
    root = tmp_path_factory.mktemp("copies")
    return (root / str(number) for number in count())


def later(due_ms: int | None, told_ms: int | None) -> bool:
    """Whether a store that knows no exact time told one that is too late."""
    return due_ms is not None and (told_ms is None or told_ms > due_ms)


@settings(max_examples=50)
@given(steps=st.lists(st.tuples(st.booleans(), STEPS), max_size=8))
def test_both_kinds_give_the_same_answers(steps, folders) -> None:
    """Whatever is applied, taken or opened again, no agent can tell them apart."""
    kinds: tuple[StateStores, StateStores] = (MemoryStores(), rocks(next(folders)))
    copies = [each.open("t-0", DueFormat(), changelog_id="x") for each in kinds]
    for offset, (again, (changes, until_ms, due)) in enumerate(steps, start=1):
        out_of_date = frozenset(changes)
        assert not later(*(each.next_due_ms(skip=out_of_date) for each in copies))
        for copy in copies:
            copy.apply(changes, offset=offset)
        if again:
            for copy in copies:
                copy.close()
            copies = [each.open("t-0", DueFormat(), changelog_id="x") for each in kinds]
        one, other = copies
        if until_ms is not None:
            taken = dues(one, until_ms=until_ms)
            assert taken == dues(other, until_ms=until_ms)
            for copy in copies:
                copy.apply(dict.fromkeys(taken, due + b"|"), offset=offset)
        assert one.offset == other.offset == offset
        assert dict(one.items()) == dict(other.items())
        assert not later(*(each.next_due_ms(skip=NOTHING) for each in copies))
    assert dues(copies[0]) == dues(copies[1])
    copies[1].close()


def whole(folder: Path) -> int:
    """Open the copy that a writer left, hold it against its offset, and return that."""
    store = rocks(folder).open("task-0", DueFormat(), changelog_id="one")
    try:
        wanted = written(store.offset)
        assert dict(store.items()) == wanted
        assert {key: store.get(key) for key in wanted} == wanted
        assert sorted(dues(store)) == sorted(wanted)
        return store.offset
    finally:
        store.close()


@pytest.fixture(scope="module")
def left_behind(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a writer that was killed amid its writing, after 300 commits or more."""
    folder = tmp_path_factory.mktemp("killed")
    arguments = [sys.executable, "-m", "tests.contract.state_writer", str(folder)]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        for line in writer.stdout:
            if int(line) >= 300:
                writer.kill()
                break
    return folder


@pytest.fixture
def killed(left_behind: Path, tmp_path: Path) -> Path:
    """A copy of that folder."""
    return shutil.copytree(left_behind, tmp_path / "copy")


def test_a_killed_writer_leaves_whole_commits(killed: Path) -> None:
    """After kill -9 the copy holds all commits up to its offset, and no part of the next.

    What was still in memory tables is lost, which is little.
    """
    assert whole(killed) >= 200


@pytest.mark.parametrize(
    "kind", ["CURRENT", "MANIFEST-*", "*.log", "*.sst", "IDENTITY", "OPTIONS-*"]
)
@pytest.mark.parametrize("damage", ["cut", "flip", "empty", "gone"])
def test_a_damaged_copy_is_never_believed(killed: Path, kind: str, damage: str) -> None:
    """A copy with a damaged file is emptied, cut back to whole commits or refused: never wrong."""
    if kind == "*.sst":
        whole(killed)  # opening writes the log into tables
    files = sorted((killed / "task-0").glob(kind))
    assert files
    for share in (0.02, 0.3, 0.5, 0.9):
        spoil(files[-1], damage, share)
        try:
            whole(killed)
        except StoreDoubtful:
            assert whole(killed) == 0
        files = [each for each in files if each.exists()]
        if not files:
            break


def spoil(file: Path, damage: str, share: float) -> None:
    """Damage a file, as disks and restored backups do."""
    data = bytearray(file.read_bytes())
    at = int(len(data) * share)
    if damage == "gone":
        file.unlink()
    elif damage == "empty":
        file.write_bytes(b"")
    elif damage == "cut":
        file.write_bytes(data[:at])
    elif data:
        data[at] ^= 0x41
        file.write_bytes(data)


def test_a_copy_that_is_opened_again_keeps_to_the_worker_s_memory(tmp_path: Path) -> None:
    """Copies share one bound on memory, also those that were on disk before the worker started."""
    for _ in range(2):
        store = rocks(tmp_path).open("task-0", DueFormat(), changelog_id="one")
        assert store.cache_bytes == 4 * ROCKS_BYTES
        store.close()


def test_what_is_due_is_found_past_all_that_was(opened: Open) -> None:
    """An entry that comes to be due before all others, or that moves there, is found."""
    store = opened()
    store.apply({b"%d" % number: b"%d|" % number for number in range(10, 20)}, offset=1)
    assert store.next_due_ms(skip=NOTHING) == 10
    store.apply({b"%d" % number: b"-|" for number in range(10, 15)}, offset=2)
    assert dues(store, until_ms=14) == []
    assert store.next_due_ms(skip=NOTHING) == 15
    store.apply({b"early": b"3|", b"19": b"4|"}, offset=3)

    assert store.next_due_ms(skip=NOTHING) == 3
    assert dues(store) == [b"early", b"19", b"15", b"16", b"17", b"18"]


class CountedRocks:
    """RocksDB, and how many steps iterators over it took."""

    def __init__(self, rocks: Any) -> None:
        self._rocks, self.steps = rocks, 0

    def iter(self) -> "CountedIterator":
        return CountedIterator(self._rocks.iter(), self)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._rocks, name)


class CountedIterator:
    """One of its iterators."""

    def __init__(self, iterator: Any, counted: CountedRocks) -> None:
        self._iterator, self._counted = iterator, counted

    def next(self) -> None:
        self._counted.steps += 1
        self._iterator.next()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._iterator, name)


def test_what_is_due_next_is_found_without_a_walk_over_all(tmp_path: Path) -> None:
    """Whatever the number of leads on disk, an idle worker that asks for the next looks at few."""
    store = rocks(tmp_path).open("task-0", DueFormat(), changelog_id="one")
    store.apply({b"%d" % number: b"%d|" % number for number in range(1_000)}, offset=1)
    counted: Any = CountedRocks(store._db)
    store._db = counted

    assert store.next_due_ms(skip=frozenset([b"0", b"1"])) == 2
    assert dues(store, until_ms=4) == [b"%d" % number for number in range(5)]
    store.close()
    assert counted.steps < 20


def due_places(store: RocksStore) -> list[bytes]:
    return [place for place, _ in store._scan(due_index.KIND, begin=due_index.KIND)]


def test_an_entry_that_is_put_off_costs_no_write(tmp_path: Path) -> None:
    """On disk an entry's due time is written once, and moved when its turn comes."""
    store = rocks(tmp_path).open("task-0", DueFormat(), changelog_id="one")
    for hour in range(1, 10):
        store.apply({b"a": b"%d|" % hour}, offset=hour)
    places = due_places(store)
    assert len(places) == 1

    assert dues(store) == [b"a"]
    assert (len(due_places(store)), due_places(store) > places) == (1, True)
    store.close()


def test_times_that_were_replaced_go_a_few_at_a_time(tmp_path: Path, monkeypatch) -> None:
    """However many due times were replaced, none is believed, and no call takes long."""
    monkeypatch.setattr(due_index, "PAST_PLACES_MAX", 3)
    keys = [b"%02d" % number for number in range(10)]
    store = rocks(tmp_path).open("task-0", DueFormat(), changelog_id="one")
    store.apply({key: key + b"|" for key in keys}, offset=1)
    store.close()
    store = rocks(tmp_path).open("task-0", DueFormat(), changelog_id="one")
    store.apply({key: b"1" + key + b"|" for key in keys}, offset=2)

    for next_ms in (3, 6, 9, 100):
        assert dues(store, until_ms=9) == []
        assert store.next_due_ms(skip=NOTHING) == next_ms
    assert dues(store) == keys
    store.close()


def test_a_copy_that_somebody_has_open_is_not_thrown_away(tmp_path: Path) -> None:
    """A folder that is in use is refused, and nothing in it is touched."""
    store = rocks(tmp_path).open("task-0", DueFormat(), changelog_id="one")
    store.apply(written(3), offset=3)

    with pytest.raises(OSError, match="state folder"):
        rocks(tmp_path).open("task-0", DueFormat(), changelog_id="one")
    assert dict(store.items()) == written(3)
    store.close()
    assert whole(tmp_path) == 3


def test_a_copy_that_does_not_say_of_what_is_emptied(tmp_path: Path) -> None:
    """What a folder holds without a name is not believed."""
    store = rocks(tmp_path).open("task-0", DueFormat(), changelog_id="one")
    store.apply({b"a": b"-|1"}, offset=7)
    store._rocks.delete(b"midentity")
    store.close()

    store = rocks(tmp_path).open("task-0", DueFormat(), changelog_id="one")

    assert (store.offset, list(store.items())) == (0, [])
    store.close()


def test_an_older_copy_is_taken_as_what_it_is(tmp_path: Path) -> None:
    """A folder that was restored from a backup holds whole commits up to an earlier offset."""
    store = rocks(tmp_path / "now").open("task-0", DueFormat(), changelog_id="one")
    for offset in range(1, 9):
        store.apply(written(offset), offset=offset)
        if offset == 4:
            store.close()
            (tmp_path / "now").rename(tmp_path / "old")
            store = rocks(tmp_path / "now").open("task-0", DueFormat(), changelog_id="one")
    store.close()

    assert whole(tmp_path / "old") == 4
    assert whole(tmp_path / "now") == 8


def test_every_commit_writes_all_keys() -> None:
    """The writer's commits are such that a torn one shows."""
    assert set(written(3)) == set(written(4)) == set(WRITES_KEYS)
    assert not set(written(3).values()) & set(written(4).values())
