"""The changelog cut, made anew, or written to by others."""

import pytest
from confluent_kafka import Producer, TopicPartition

from streams.kafka_ledger import changelog_topic
from tests.faults.cluster import ANSWER_S_MAX
from tests.faults.stores import STORES, settings_of
from tests.faults.traffic import MINUTE_MS, Traffic, now_ms

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture
def folded(cluster, seed):
    """Return the traffic of a pipeline that has folded all of it and rests."""
    traffic = Traffic(seed=seed)
    cluster.send(traffic.backlog(3_000, last_ms=now_ms() - 10 * MINUTE_MS))
    name = cluster.start_worker()
    cluster.wait(cluster.caught_up, seconds=90, what="folding")
    cluster.supervisor.leave(name)
    return traffic


def refuses(cluster, traffic, store):
    """Assert that a worker refuses to go on, and that nothing was written by it."""
    before = cluster.reader.ends(["scored-events", "tier-changes"])
    cluster.send(traffic.backlog(500, last_ms=now_ms()))

    code, said = cluster.run_worker(seconds=25, **settings_of(store))

    assert code in (1, 70), f"it went on without its states:\n{said[-1500:]}"
    assert "changelog" in said
    assert cluster.reader.ends(["scored-events", "tier-changes"]) == before


@pytest.mark.parametrize("store", STORES)
@pytest.mark.parametrize("share", [0.5, 1.0])
def test_a_changelog_that_was_cut(cluster, folded, store, share):
    """States that somebody deleted from the changelog are missed; the worker refuses."""
    topic = changelog_topic(cluster.app_id, "scoring")
    cuts = [
        TopicPartition(topic, partition, int(end * share))
        for (_, partition), end in cluster.reader.ends([topic]).items()
    ]
    cluster.configure(topic, "cleanup.policy", "compact,delete")  # else the broker refuses
    for future in cluster.admin.delete_records(cuts).values():
        future.result(ANSWER_S_MAX)
    cluster.configure(topic, "cleanup.policy", "compact")

    refuses(cluster, folded, store)


@pytest.mark.parametrize("store", STORES)
def test_a_changelog_made_anew(cluster, folded, store):
    """An empty changelog beside a group that has folded is refused: seq would begin again at 1."""
    topic = changelog_topic(cluster.app_id, "scoring")
    admin = cluster.admin
    admin.delete_topics([topic])[topic].result(ANSWER_S_MAX)
    cluster.wait(
        lambda: topic not in admin.list_topics(timeout=ANSWER_S_MAX).topics,
        seconds=30,
        what="deleting the changelog",
    )
    cluster.pipeline.command("setup")

    refuses(cluster, folded, store)


@pytest.mark.parametrize("store", STORES)
@pytest.mark.parametrize(
    "noise", [b"\x01noise", b"", b"\xff" * 50, b"\x01" + bytes(300)], ids=["1", "2", "3", "4"]
)
def test_a_polluted_changelog(cluster, ending, folded, store, noise):
    """A record that we did not write stops the worker by name; its tombstone is the cure."""
    topic = changelog_topic(cluster.app_id, "scoring")
    write(cluster, topic, noise)
    cluster.send(folded.backlog(500, last_ms=now_ms()))

    code, said = cluster.run_worker(seconds=40, **settings_of(store))

    assert code in (1, 70), said
    assert any(name in said for name in ("CorruptState", "CorruptChangelog", "UnknownStateVersion"))
    write(cluster, topic, None)
    cluster.worker_variables = settings_of(store)
    cluster.start_worker()
    ending(f"polluted changelog, {len(noise)} bytes, {store}", times=1, traffic=folded)


def write(cluster, topic, value):
    producer = Producer({"bootstrap.servers": cluster.endpoints["kafka"], "log_level": 0})
    producer.produce(topic, key=b"nobody", value=value, partition=2)
    assert not producer.flush(ANSWER_S_MAX)
