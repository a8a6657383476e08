"""Records on the wrong partition, and topics with the wrong number of them."""

import random

import pytest
from confluent_kafka.admin import NewPartitions, NewTopic  # type: ignore[attr-defined]

from schemas.topics import WEBSITE_VISITS
from tests.faults.cluster import ANSWER_S_MAX
from tests.faults.poison import RawSender, encoded
from tests.faults.traffic import MINUTE_MS, Traffic, now_ms

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.mark.parametrize("keyed", [True, False], ids=["foreign partitioner", "null keys"])
def test_a_sender_with_another_partitioner(cluster, ending, seed, keyed):
    """Events on any partition, with or without a key, are scored once, at their lead's owner."""
    traffic = Traffic(seed=seed, leads=50)
    lines = traffic.backlog(2_000, last_ms=now_ms() - 10 * MINUTE_MS)
    sender = RawSender(servers=cluster.endpoints["kafka"])
    key = (lambda line: line["lead_id"].encode()) if keyed else (lambda line: None)
    records = list(encoded(cluster.endpoints["registry"], lines, key=key))
    random.Random(seed).shuffle(records)
    for partition in range(4):
        sender.send(records[partition::4], partition=partition)
    cluster.start_workers(2)
    ending("foreign partitioner" if keyed else "null keys", times=2_000, traffic=traffic)


def test_added_partitions_are_refused_at_boot(cluster, seed):
    """A worker refuses topics of unequal partition counts with code 1, and names the cure."""
    cluster.send(Traffic(seed=seed).backlog(200, last_ms=now_ms()))
    admin = cluster.admin
    grown = admin.create_partitions([NewPartitions(WEBSITE_VISITS, 6)])
    grown[WEBSITE_VISITS].result(ANSWER_S_MAX)

    code, said = cluster.run_worker()
    setup = cluster.pipeline.attempt("setup")
    sink = cluster.pipeline.attempt("sink")

    assert code == 1
    assert f"topic {WEBSITE_VISITS} has 6 partitions, the settings say 4" in said
    assert "LEADVELOCITY_TOPICS__PARTITIONS=6" in said
    assert setup.returncode == 1
    assert sink.returncode == 1
    assert sum(cluster.reader.ends(["scored-events"]).values()) == 0


def test_unequal_partitions_from_the_beginning_are_refused(cluster, seed):
    """Topics that somebody made with other counts are refused before anything is changed."""
    admin = cluster.admin
    for future in admin.delete_topics([WEBSITE_VISITS], operation_timeout=ANSWER_S_MAX).values():
        future.result(ANSWER_S_MAX)
    cluster.wait(
        lambda: WEBSITE_VISITS not in admin.list_topics(timeout=ANSWER_S_MAX).topics,
        seconds=30,
        what="deleting a topic",
    )
    admin.create_topics([NewTopic(WEBSITE_VISITS, 2, 1)])[WEBSITE_VISITS].result(ANSWER_S_MAX)

    code, said = cluster.run_worker()

    assert code == 1
    assert f"topic {WEBSITE_VISITS} has 2 partitions" in said


def test_partitions_added_under_a_running_worker(cluster, seed):
    """A worker whose topic grows under it ends, and refuses to begin again."""
    traffic = Traffic(seed=seed)
    name = cluster.start_worker(LEADVELOCITY_ENGINE__PROGRESS_S_MAX="20")
    cluster.send(traffic.backlog(200, last_ms=now_ms()))
    cluster.wait(cluster.caught_up, seconds=60, what="the first events")
    grown = cluster.admin.create_partitions([NewPartitions(WEBSITE_VISITS, 6)])
    grown[WEBSITE_VISITS].result(ANSWER_S_MAX)

    cluster.wait(
        lambda: {70, 1} <= set(cluster.supervisor.codes(name)),
        seconds=400,
        what="noticing the new partitions",
    )
