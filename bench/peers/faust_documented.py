"""The job in Faust as its user guide shows it: a record, a codec, a table and one agent.

At least once, with every default. Faust's exactly-once mode loses and doubles events; it is no
peer.
"""

import sys
from io import BytesIO
from typing import Any

import faust
from fastavro import parse_schema, schemaless_reader

from bench.peers.fold import TIERS, Lead, new_lead
from bench.peers.job import read_job

HEAD_BYTES = 5

job = read_job()
schemas = {key: parse_schema(schema) for key, schema in job.schemas.items()}
app = faust.App(
    job.group,
    broker=f"kafka://{job.kafka}",
    store="memory://",
    datadir=str(job.folder / "faust"),
    topic_partitions=job.partitions,
    topic_replication_factor=1,
    consumer_auto_offset_reset="earliest",
    web_enabled=False,
)


class ConfluentAvro(faust.Codec):
    """Reads framed Avro; says which of the three kinds of events it was."""

    def _loads(self, value: bytes) -> Any:
        stream = BytesIO(value)
        stream.seek(HEAD_BYTES)
        schema_id = int.from_bytes(value[1:HEAD_BYTES], "big")
        event: Any = schemaless_reader(stream, schemas[schema_id])
        return {
            "event_id": event["event_id"],
            "lead_id": event["lead_id"],
            "occurred_at": event["occurred_at"],
            "weight": job.weights[schema_id],
        }

    def _dumps(self, value: Any) -> bytes:  # noqa: ARG002
        raise TypeError("events are only read")


faust.serializers.codecs.register("confluent_avro", ConfluentAvro())


class Event(faust.Record, serializer="confluent_avro"):
    """An event of any of the three topics."""

    event_id: str
    lead_id: str
    occurred_at: int
    weight: float


class State(faust.Record):
    """What is known of a lead."""

    score: float = 0.0
    at_ms: int = -1
    tier: int = 0
    recent_ids: list[str] = []  # noqa: RUF012  # Faust copies it


class TierChange(faust.Record):
    """A change of a lead's tier."""

    lead_id: str
    event_id: str
    was: str
    to: str
    score: float


events = app.topic(*job.topics, key_type=str, key_serializer="raw", value_type=Event)
changes = app.topic(job.output, key_type=str, key_serializer="raw", value_type=TierChange)
leads = app.Table("leads", default=State, key_type=str, value_type=State)


@app.agent(events)
async def score(stream: Any) -> None:
    """Fold each event as it comes."""
    async for event in stream:
        state = leads[event.lead_id]
        if state.at_ms < 0:
            lead = new_lead(event.occurred_at)
        else:
            lead = Lead(state.score, state.at_ms, state.tier, dict.fromkeys(state.recent_ids))
        if not lead.fold(event.event_id, event.occurred_at, event.weight):
            continue
        if lead.tier != state.tier:
            change = TierChange(
                lead_id=event.lead_id,
                event_id=event.event_id,
                was=TIERS[state.tier],
                to=TIERS[lead.tier],
                score=lead.score,
            )
            await changes.send(key=event.lead_id, value=change)
        leads[event.lead_id] = State(
            score=lead.score, at_ms=lead.at_ms, tier=lead.tier, recent_ids=list(lead.recent_ids)
        )


if __name__ == "__main__":
    sys.argv = ["faust", "worker", "-l", "warn", "--without-web"]
    app.main()
