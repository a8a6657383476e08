"""The whole pipeline on real parts, by its public commands, against an independent fold."""

import json
import random
import time

import pytest
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.schema_registry import SchemaRegistryClient, topic_subject_name_strategy
from confluent_kafka.schema_registry.avro import AvroDeserializer
from confluent_kafka.serialization import MessageField, SerializationContext

from tests.e2e.exact_rules import tier_changes
from tests.e2e.pipeline import Pipeline
from tests.e2e.swift_model import MODEL, MODEL_TEXT

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]

PARTITIONS = 4
LEADS = 60
EVENTS = 1_200
MINUTE_MS = 60_000
GRACE_MS = 5_000


def history(seed: int, last_ms: int) -> list[dict]:
    """Return events of ten minutes up to `last_ms` as they are sent, some late or doubled."""
    randomness = random.Random(seed)
    events = []
    for number in range(EVENTS):
        at_ms = last_ms - 10 * MINUTE_MS + number * 10 * MINUTE_MS // EVENTS
        kind = randomness.choice(("website_visit",) * 6 + ("email_open",) * 2 + ("form_fill",))
        event = {
            "type": kind,
            "event_id": f"{seed}-{number - (randomness.random() < 0.05)}",
            "lead_id": f"lead-{randomness.randrange(LEADS)}",
            "occurred_at": at_ms - randomness.choice((0, 0, 0, 700, 30_000)),
            "machine": randomness.choice((None, False, True)),
        }
        if kind == "website_visit":
            event["url"] = "https://x.example" + randomness.choice(("/pricing/a", "/docs", "/a?b"))
        elif kind == "form_fill":
            event["form_id"] = randomness.choice(("demo", "newsletter"))
            event["fields"] = {"country": randomness.choice(("US", "FR"))}
        events.append(event)
    return events


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory):
    """A stack of its own with topics, schemas and tables."""
    folder = tmp_path_factory.mktemp("pipeline")
    model = folder / "swift.yaml"
    model.write_text(MODEL_TEXT)
    pipeline = Pipeline(folder, model)
    try:
        pipeline.up()
        pipeline.command("setup")
        yield pipeline
    finally:
        pipeline.close()


@pytest.fixture(scope="module")
def events(pipeline):
    """A history that was sent before any worker began, then scored by two, of which one stops."""
    last_ms = int(time.time() * 1_000) - 10 * MINUTE_MS
    sent = history(random.SystemRandom().randrange(1 << 30), last_ms)
    print("seed of the history:", sent[0]["event_id"].split("-")[0])  # noqa: T201
    pipeline.send(sent)
    first = pipeline.worker()
    pipeline.worker()
    pipeline.start("sink")
    pipeline.wait(lambda: rows(pipeline, "scored_events") > 0, seconds=60, what="the first row")
    assert pipeline.stop(first) == 0
    pipeline.wait(lambda: outcomes(pipeline) >= EVENTS, seconds=120, what="scoring all of it")
    settled(pipeline)
    return sent


def rows(pipeline: Pipeline, table: str) -> int:
    return int(pipeline.sql(f"SELECT count() AS n FROM {table} FINAL")[0]["n"])


def outcomes(pipeline: Pipeline) -> int:
    query = "SELECT count() AS n FROM scored_events FINAL WHERE outcome != 'decay'"
    return int(pipeline.sql(query)[0]["n"])


def settled(pipeline: Pipeline) -> None:
    """Wait until no tier change has come for some seconds: all timers of the past have fired."""
    seen = [-1, rows(pipeline, "tier_changes")]
    while seen[-1] != seen[-2]:
        time.sleep(3)
        seen.append(rows(pipeline, "tier_changes"))


def subscribed(endpoints: dict) -> list[dict]:
    """Read tier-changes with clients that we did not write."""
    decode = AvroDeserializer(
        SchemaRegistryClient({"url": endpoints["registry"]}),
        # By default the client asks the registry about associations for every single record.
        conf={"subject.name.strategy": topic_subject_name_strategy},
    )
    consumer = Consumer(
        {
            "bootstrap.servers": endpoints["kafka"],
            "group.id": "test",
            "isolation.level": "read_committed",
            "enable.partition.eof": True,
        }
    )
    consumer.assign([TopicPartition("tier-changes", each, 0) for each in range(PARTITIONS)])
    ends, records = 0, []
    try:
        while ends < PARTITIONS:
            message = consumer.poll(10)
            assert message is not None, "no end of partition: an open transaction?"
            if message.error():
                ends += 1
            else:
                context = SerializationContext("tier-changes", MessageField.VALUE)
                records.append(decode(message.value(), context))
    finally:
        consumer.close()
    return records


def as_told(record: dict) -> tuple:
    return (
        record["lead_id"],
        record["seq"],
        record["from_tier"],
        record["to_tier"],
        record["reason"],
        round(record["occurred_at"].timestamp() * 1_000),
        pytest.approx(record["score"], rel=1e-9, abs=1e-9),
    )


def test_tier_changes_are_those_of_the_exact_rules(pipeline, events):
    """
    Topic and ClickHouse hold the tier changes of an independent fold: none missing, none extra.
    """
    wanted = tier_changes(
        MODEL, events, partitions=PARTITIONS, until_ms=int(time.time() * 1_000) - GRACE_MS
    )
    records = subscribed(pipeline.up())
    stored = pipeline.sql(
        "SELECT lead_id, seq, from_tier, to_tier, reason,"
        " toUnixTimestamp64Milli(occurred_at) AS at, score FROM tier_changes FINAL"
        " ORDER BY lead_id, seq"
    )

    assert len(wanted) > LEADS
    assert wanted == sorted((as_told(each) for each in records), key=lambda each: each[:2])
    assert wanted == [
        (
            *(each[name] for name in ("lead_id",)),
            int(each["seq"]),
            *(each[name] for name in ("from_tier", "to_tier", "reason")),
            int(each["at"]),
            pytest.approx(float(each["score"]), rel=1e-9, abs=1e-9),
        )
        for each in stored
    ]


def test_every_event_ends_in_one_place(pipeline, events):
    """
    Each sent event is scored, unmatched or doubled, once, although a worker left meanwhile.
    """
    books = pipeline.sql(
        "SELECT outcome, count() AS n, uniqExact(input_topic, input_partition, input_offset) AS u"
        " FROM scored_events FINAL WHERE outcome IN ('scored', 'unmatched', 'doubled')"
        " GROUP BY outcome"
    )

    assert sum(int(each["n"]) for each in books) == len(events)
    assert sum(int(each["u"]) for each in books) == len(events)
    assert rows(pipeline, "dead_letters") == 0


def test_a_silent_lead_falls_when_it_was_foretold(pipeline, events):
    """
    A hot lead falls to warm and to cold at the foretold milliseconds, also after a restart.
    """
    now_ms = int(time.time() * 1_000)
    visits = [
        {
            "type": "form_fill",
            "event_id": f"silent-{n}",
            "lead_id": "silent",
            "form_id": "demo",
            "occurred_at": now_ms - 40_000 + n,
        }
        for n in range(2)
    ]
    pipeline.send(visits)
    query = (
        "SELECT to_tier, reason, toUnixTimestamp64Milli(occurred_at) AS at,"
        " toUnixTimestamp64Milli(cools_at) AS cools FROM tier_changes FINAL"
        " WHERE lead_id = 'silent' ORDER BY seq"
    )
    pipeline.wait(lambda: len(pipeline.sql(query)) >= 1, seconds=60, what="becoming hot")
    for worker in [each for each in pipeline.running if "worker" in each.args]:
        assert pipeline.stop(worker) == 0
    pipeline.worker()

    def is_cold() -> bool:
        return pipeline.sql(query)[-1]["to_tier"] == "cold"

    pipeline.wait(is_cold, seconds=120, what="falling to cold")
    changes = pipeline.sql(query)

    assert [each["to_tier"] for each in changes][-2:] == ["warm", "cold"]
    assert [int(each["at"]) for each in changes[-2:]] == [
        int(each["cools"]) for each in changes[-3:-1]
    ]


def test_sql_scores_with_a_model_that_was_never_set_up(pipeline, events):
    """A worker puts its model into ClickHouse, so that SQL scores every lead with it."""
    query = (
        "SELECT count() AS leads, countIf(score IS NULL) AS without"
        " FROM lead_score_at(at = now64(3, 'UTC'))"
    )
    [found] = pipeline.sql(query)
    assert found["leads"] > 0
    assert found["without"] == 0


def test_sent_lines_that_are_wrong_are_named(pipeline, events):
    """
    A line that is no event is refused with its number, field and reason, and exit code 2.
    """
    with pytest.raises(AssertionError, match=r"(?s): 2\n.*line 1.*lead_id"):
        pipeline.send([{"type": "email_open", "event_id": "e", "occurred_at": 5}])


def test_a_lead_is_explained(pipeline, events):
    """
    `lead` tells which signals make the score, for the present moment.
    """
    told = json.loads(pipeline.command("lead", "silent", "--json"))

    assert "demo" in json.dumps(told)
