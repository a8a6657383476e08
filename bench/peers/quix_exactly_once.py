"""The job in Quix Streams: a data frame with state in RocksDB, a changelog, exactly once."""

from collections.abc import Callable
from io import BytesIO
from threading import Event
from typing import Any

from fastavro import parse_schema, schemaless_reader
from quixstreams import Application, State

from bench.peers.fold import TIERS, Lead, new_lead
from bench.peers.job import Job, change_json, read_job

HEAD_BYTES = 5


def main() -> None:
    """Run until killed."""
    job = read_job()
    app = Application(
        broker_address=job.kafka,
        consumer_group=job.group,
        auto_offset_reset="earliest",
        processing_guarantee="exactly-once",
        state_dir=job.folder / "state",
        loglevel="WARNING",
        producer_extra_config={"linger.ms": 20, "queue.buffering.max.messages": 2_000_000},
        consumer_extra_config={"fetch.wait.max.ms": 10},
    )
    fold = Fold(job, at_end=app.stop)
    first, *others = (
        app.dataframe(app.topic(name, key_deserializer="str", value_deserializer="bytes"))
        for name in job.topics
    )
    for other in others:
        first = first.concat(other)
    output = app.topic(job.output, key_serializer="str", value_serializer="bytes")
    changes = first.apply(fold, stateful=True)
    changes.filter(lambda change: change is not None).to_topic(output)
    app.run()  # its end commits at once; else all would wait for the next interval
    Event().wait()


class Fold:
    """Folds one event into the state of its lead; returns the tier change, if there is one."""

    def __init__(self, job: Job, *, at_end: Callable[[], None]) -> None:
        self._schemas: dict[int, Any] = {
            key: parse_schema(schema) for key, schema in job.schemas.items()
        }
        self._weights = job.weights
        self._left = job.records
        self._at_end = at_end

    def __call__(self, value: bytes, state: State) -> bytes | None:
        """Fold an event, given its state by the key of its record."""
        self._left -= 1
        if self._left == 0:
            self._at_end()
        stream = BytesIO(value)
        stream.seek(HEAD_BYTES)
        schema_id = int.from_bytes(value[1:HEAD_BYTES], "big")
        event: Any = schemaless_reader(stream, self._schemas[schema_id])
        held = state.get("lead")
        if held is None:
            lead = new_lead(event["occurred_at"])
        else:
            score, at_ms, tier, ids = held
            lead = Lead(score, at_ms, tier, dict.fromkeys(ids))
        before = lead.tier
        if not lead.fold(event["event_id"], event["occurred_at"], self._weights[schema_id]):
            return None
        state.set("lead", (lead.score, lead.at_ms, lead.tier, list(lead.recent_ids)))
        if lead.tier == before:
            return None
        names = TIERS[before], TIERS[lead.tier]
        return change_json(event["lead_id"], event["event_id"], *names, lead.score)


if __name__ == "__main__":
    main()
