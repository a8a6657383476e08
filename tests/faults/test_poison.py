"""Senders that write what is no event."""

import json
import zlib
from threading import Event

import pytest
from confluent_kafka.schema_registry import Schema, SchemaRegistryClient

from schemas.contracts import contract
from schemas.registry import Registry
from schemas.topics import WEBSITE_VISITS
from tests.faults.poison import Corpus, Raw, RawSender, encoded, visit, written_with
from tests.faults.traffic import MINUTE_MS, Traffic, now_ms

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

GROWTH_BYTES_MAX = 400 << 20
"""What a worker may need beyond its rest for bombs of 64 MB: none is held twice, none is kept."""

HOSTILE = {
    "recursive": {"name": "next", "type": ["null", "leadvelocity.WebsiteVisit"]},
    "nothing without end": {"name": "void", "type": {"type": "array", "items": "null"}},
}


@pytest.fixture
def corpus(cluster):
    return Corpus(registry=Registry(cluster.endpoints["registry"]))


@pytest.fixture
def raw(cluster):
    return RawSender(servers=cluster.endpoints["kafka"])


def hostile_records(cluster):
    """Register schemas that could harm a reader, and write with them."""
    client = SchemaRegistryClient({"url": cluster.endpoints["registry"]})
    for name, field in HOSTILE.items():
        schema = json.loads(contract(WEBSITE_VISITS).text)
        schema["fields"].append(field)
        subject = f"hostile-{zlib.crc32(name.encode())}-value"
        schema_id = client.register_schema(subject, Schema(json.dumps(schema), "AVRO"))
        record = visit(next=None, void=[])
        yield Raw(name=name, value=written_with(schema, schema_id, record))


def test_poison_of_every_kind(cluster, ending, seed, corpus, raw):
    """Each kind of wrong bytes becomes one dead letter, whole; its neighbours are scored."""
    traffic = Traffic(seed=seed)
    cluster.start_workers(2)
    cluster.start_sink()
    cluster.send(traffic.backlog(500, last_ms=now_ms()))
    kinds = [*corpus.all(), *hostile_records(cluster)]
    poison = frozenset().union(*(raw.send(kinds, partition=each) for each in range(4)))
    cluster.send(traffic.backlog(500, last_ms=now_ms()))
    ending(
        f"poison, {len(kinds)} kinds",
        times=len(poison),
        traffic=traffic,
        poison=poison,
        rows=True,
    )

    assert len(poison) == 4 * len(kinds)
    assert cluster.supervisor.codes() == [], cluster.logs()


@pytest.mark.slow
def test_a_flood_of_poison(cluster, ending, seed, corpus, raw):
    """Nothing but poison for a while, 50,000 records, stops no worker and no neighbour."""
    traffic = Traffic(seed=seed)
    cluster.start_workers(2)
    kinds = [each for each in corpus.all() if len(each.key or b"") < 1_000]
    floods = [raw.send(kinds * (12_500 // len(kinds))) for _ in range(4)]
    cluster.send(traffic.backlog(2_000, last_ms=now_ms()))
    poison = frozenset().union(*floods)
    ending("poison, flood", times=len(poison), traffic=traffic, poison=poison)

    assert cluster.supervisor.codes() == [], cluster.logs()


@pytest.mark.slow
def test_records_of_the_largest_size(cluster, ending, seed, corpus, raw):
    """A record as large as the topic takes becomes a dead letter, and the worker lives on."""
    traffic = Traffic(seed=seed)
    cluster.start_worker()
    large = (1 << 20) - 200
    kinds = [
        Raw(name="large noise", value=b"\x00" * large),
        Raw(name="large good", value=corpus.innocent(url="u" * (large - 200))),
        Raw(name="large key", value=b"", key=b"k" * large),
        Raw(name="large header", value=b"", headers=(("h", b"h" * large),)),
    ]
    poison = raw.send(kinds * 2)
    cluster.send(traffic.backlog(500, last_ms=now_ms()))
    ending("oversize", times=len(poison), traffic=traffic, poison=poison)

    assert cluster.supervisor.codes() == [], cluster.logs()


@pytest.mark.slow
@pytest.mark.parametrize("codec", ["gzip", "lz4", "snappy", "zstd"])
def test_every_codec_is_read(cluster, ending, seed, codec):
    """A sender may compress as it likes: its events are scored as any others."""
    traffic = Traffic(seed=seed)
    lines = traffic.backlog(500, last_ms=now_ms())
    sender = RawSender(servers=cluster.endpoints["kafka"], compression=codec)
    sender.send(encoded(cluster.endpoints["registry"], lines, key=lambda _: None))
    cluster.start_worker()
    ending(f"codec {codec}", times=1, traffic=traffic)


@pytest.mark.slow
@pytest.mark.parametrize("codec", ["gzip", "zstd"])
def test_compression_bombs(cluster, ending, seed, codec):
    """A record of 64 MB that travels as some kB is buried, in bounded memory."""
    traffic = Traffic(seed=seed)
    name = cluster.start_worker()
    cluster.send(traffic.backlog(500, last_ms=now_ms()))
    cluster.wait(cluster.caught_up, seconds=60, what="the first events")
    rest = cluster.resident_bytes(name)
    bombs = RawSender(servers=cluster.endpoints["kafka"], compression=codec)
    poison = bombs.send([Raw(name="bomb", value=bytes(64 << 20))] * 2, partition=1)
    most = rest
    while not cluster.caught_up() and cluster.supervisor.codes() == []:
        most = max(most, cluster.resident_bytes(name))
        Event().wait(0.1)
    cluster.send(traffic.backlog(500, last_ms=now_ms()))
    ending(f"compression bomb, {codec}", times=2, traffic=traffic, poison=poison)

    assert most - rest < GROWTH_BYTES_MAX
    assert cluster.supervisor.codes() == [], cluster.logs()


@pytest.mark.slow
def test_ancient_and_future_events(cluster, ending, seed, corpus, raw):
    """An ancient event counts, decayed; one beyond five minutes ahead is buried."""
    traffic = Traffic(seed=seed)
    ancient = traffic.backlog(40, last_ms=1_000, spread_ms=1_000)
    ancient += traffic.backlog(40, last_ms=now_ms() - 10 * 365 * 86_400_000)
    near = traffic.backlog(40, last_ms=now_ms() + 3 * MINUTE_MS, spread_ms=MINUTE_MS)
    cluster.start_worker()
    ahead = [6 * MINUTE_MS, 60 * MINUTE_MS, 365 * 24 * 60 * MINUTE_MS]
    poison = raw.send(
        Raw(name="ahead", value=corpus.innocent(occurred_at=now_ms() + each)) for each in ahead
    )
    lines = [each | {"occurred_at": max(0, each["occurred_at"])} for each in ancient]
    traffic.made[: len(lines)] = lines
    cluster.send(lines)
    cluster.send(near)
    cluster.send(traffic.backlog(500, last_ms=now_ms()))
    ending("ancient and future", times=123, traffic=traffic, poison=poison)


@pytest.mark.slow
def test_a_lead_that_grows_without_end(cluster, ending, seed):
    """Answers beyond a lead's cap become dead letters; the lead and its neighbours go on."""
    traffic = Traffic(seed=seed)
    lead = f"lead-{seed}-0"
    forms = [
        {
            "type": "form_fill",
            "event_id": f"{seed}-form-{number}",
            "lead_id": lead,
            "occurred_at": now_ms() - MINUTE_MS,
            "form_id": "demo",
            "fields": {f"answer-{number}-{each}": "x" * 500 for each in range(40)},
        }
        for number in range(30)
    ]
    cluster.start_worker()
    cluster.send(forms)
    cluster.send(traffic.backlog(500, last_ms=now_ms()))
    cluster.wait(cluster.caught_up, seconds=90, what="folding")
    letters = [each.record for each in cluster.reader.snapshot().letters]
    capped = frozenset((each["topic"], each["partition"], each["offset"]) for each in letters)
    traffic.made[:0] = forms
    ending("state of a lead grows", times=30, traffic=traffic, poison=capped)

    assert 10 < len(letters) < 30
    assert all(each["reason"].startswith("state_too_large") for each in letters)
    assert cluster.supervisor.codes() == [], cluster.logs()
