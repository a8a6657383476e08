"""Output that the broker refuses."""

import pytest

from schemas.topics import SCORED_EVENTS, TIER_CHANGES
from streams.kafka_ledger import changelog_topic
from tests.faults.stores import STORES, settings_of
from tests.faults.traffic import MINUTE_MS, Traffic, now_ms

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.timeout(600)]

TINY_BYTES = 200
DEATHS = 10
"""More than a record may be suspected of before it is set aside."""


def limit(cluster, topic, size_bytes):
    """Set how large the records of a topic may be."""
    cluster.configure(topic, "max.message.bytes", str(size_bytes))


@pytest.mark.parametrize("output", ["outputs", "changelog"])
@pytest.mark.parametrize("store", STORES)
def test_a_rejected_write_commits_nothing(cluster, ending, seed, store, output):
    """A rejected write ends the worker and commits nothing; after the cure it goes on."""
    changelog = changelog_topic(cluster.app_id, "scoring")
    topic = SCORED_EVENTS if output == "outputs" else changelog
    cluster.worker_variables = settings_of(store)
    traffic = Traffic(seed=seed)
    cluster.send(traffic.backlog(1_000, last_ms=now_ms() - 10 * MINUTE_MS))
    limit(cluster, topic, TINY_BYTES)

    code, said = cluster.run_worker()

    assert code == 70, said
    assert "worker stops:" in said
    reader = cluster.reader
    assert cluster.folded() == 0
    assert [len(reader.read([each])) for each in (SCORED_EVENTS, TIER_CHANGES)] == [0, 0]
    assert reader.changelog() == {}

    limit(cluster, topic, 2 << 20)
    cluster.start_worker()
    ending(f"rejected produce to {output}, {store}", times=1, traffic=traffic)


def test_a_write_rejected_amid_work(cluster, ending, seed):
    """While a topic rejects, worker after worker ends; no record is blamed, and none is lost."""
    traffic = Traffic(seed=seed)
    cluster.send(traffic.backlog(4_000, last_ms=now_ms() - 10 * MINUTE_MS))
    name = cluster.start_worker()
    cluster.send_live(traffic.live(6_000), rate_per_s=300)
    cluster.wait(lambda: cluster.folded() > 0, seconds=60, what="the first transaction")
    limit(cluster, SCORED_EVENTS, TINY_BYTES)
    cluster.wait(lambda: len(cluster.supervisor.codes(name)) >= DEATHS, seconds=240, what="ending")
    limit(cluster, SCORED_EVENTS, 2 << 20)
    ending("rejected produce amid work", times=1, traffic=traffic)

    assert set(cluster.supervisor.codes()) == {70}
