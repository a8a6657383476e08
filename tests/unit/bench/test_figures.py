"""Figures from what was seen."""

import tomllib

import pytest

from bench.engines.catalogue import MAKERS
from bench.errors import BenchFailed
from bench.figures import throughput_figures
from bench.program import Usage
from bench.rounds import Record
from bench.throughput import Throughput, throughput, without_last_commit
from bench.toml_text import toml_text
from bench.watch import Look
from leadvelocity.stack.artifact import pinned


def _look(at_s, events, cpu_s=0.0, rss_bytes=0):
    return Look(at_s, events, (Usage(cpu_s=cpu_s, rss_bytes=rss_bytes),))


def test_speed_is_taken_from_the_first_commit_to_the_last():
    """Neither the start of a process nor what it did before it was seen counts."""
    looks = [
        _look(10.0, 1_000, cpu_s=3.0, rss_bytes=100_000_000),
        _look(14.0, 3_000, cpu_s=4.0, rss_bytes=300_000_000),
        _look(15.0, 5_000, cpu_s=5.0, rss_bytes=200_000_000),
    ]

    measured = throughput(looks, began_s=8.0)

    assert measured.events_per_s == pytest.approx(800)
    assert measured.late_events_per_s == pytest.approx(2_000)
    assert measured.cpu_us_per_event == pytest.approx(500)
    assert measured.memory_mb == pytest.approx(300)
    assert measured.start_s == pytest.approx(2.0)


def test_the_middle_is_neither_the_begin_nor_the_end():
    """Where workers begin late, or one is through before another, their common speed is told."""
    looks = [_look(0.0, 0), _look(9.0, 250), _look(10.0, 500), _look(11.0, 750), _look(20.0, 1_000)]

    assert throughput(looks, began_s=0.0).middle_events_per_s == pytest.approx(250)


def test_a_commit_that_waited_for_its_interval_is_left_out():
    """An engine that commits every few seconds is not charged for its last wait."""
    looks = [_look(0.0, 100), _look(2.0, 300), _look(3.0, 300), _look(4.0, 310)]

    assert without_last_commit(looks) == looks[:2]
    assert without_last_commit(looks[:1]) == looks[:1]


def test_one_commit_tells_no_speed():
    """Where all was committed at once, there is no figure rather than a wrong one."""
    with pytest.raises(BenchFailed, match="more events"):
        throughput([_look(1.0, 500)], began_s=0.0)


def test_figures_are_medians_with_their_spread():
    """The figure of an engine is the median of its runs; one that never worked has none."""
    runs = [
        Throughput(
            events_per_s=speed,
            late_events_per_s=speed,
            middle_events_per_s=speed,
            cpu_us_per_event=1.0,
            memory_mb=1.0,
            start_s=1.0,
        )
        for speed in (30.0, 10.0, 20.0)
    ]
    figures = throughput_figures(
        {
            "fast": Record(title="Fast", measured=runs),
            "broken": Record(title="Broken", failures=["no"]),
        }
    )

    assert (figures["fast"], figures["broken"]) == (20, None)
    speed = figures["throughput"]["fast"]["events_per_s"]
    assert speed == {"median": 20.0, "least": 10.0, "most": 30.0}
    assert figures["throughput"]["broken"]["failures"] == ["no"]


def test_the_engines_that_must_be_compared_are_there():
    """The keys of the figures are those that readers of the JSON ask for."""
    assert MAKERS.keys() >= {
        "ours_exactly_once",
        "kafka_streams_exactly_once",
        "flink_exactly_once",
        "bare_loop_changelog",
        "faust_documented",
    }


def test_settings_are_toml():
    """What a worker is started with is read back as it was meant."""
    sections = {"engine": {"app_id": "bench-1", "linger_ms": 5, "scored_events": False}}

    assert tomllib.loads(toml_text(sections)) == sections


@pytest.mark.parametrize("program", ["kafka-streams", "flink", "compiler"])
def test_jars_of_peers_are_pinned(program):
    """Each jar is the one that was measured, byte for byte, and listed once."""
    artifacts = pinned(program, package="bench.peers.java")

    assert all(len(each.sha256) == 64 for each in artifacts)
    assert len({(each.group, each.name) for each in artifacts}) == len(artifacts)
