"""Every topic of the pipeline, and how each is kept."""

from dataclasses import dataclass, field

from schemas.topics import (
    DEAD_LETTERS,
    EMAIL_OPENS,
    FORM_FILLS,
    LEAD_SCORES,
    LEAD_VELOCITY,
    REROUTED_EVENTS,
    SCORED_EVENTS,
    TIER_CHANGES,
    WEBSITE_VISITS,
)
from streams.kafka_ledger import changelog_topic

RECORD_BYTES_MAX = 1 << 20
"""Largest record that senders may write; Kafka's own default, said aloud."""

WRAPPED_BYTES_MAX = RECORD_BYTES_MAX + (128 << 10)
"""Records that carry a sender's record inside, with what we say about it."""

SEGMENT_BYTES = 16 << 20
"""Compaction leaves the newest segment alone, so small ones keep a take-over short."""

TASKS = ("scoring", "velocity")
"""Kinds of tasks that keep state, each with a changelog."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """A topic as it must be.

    Parameters
    ----------
    policy : str
        `delete`: by age. `compact`: the newest record of each key is kept.
    settings : dict of str to str
        Further settings, by Kafka's names.
    """

    name: str
    policy: str
    settings: dict[str, str] = field(default_factory=dict)

    def configuration(self, *, retention_ms: int) -> dict[str, str]:
        """Return all settings, by Kafka's names."""
        kept = {"retention.ms": str(retention_ms)} if self.policy == "delete" else {}
        return {"cleanup.policy": self.policy} | kept | self.settings


def topics(app_id: str) -> tuple[Topic, ...]:
    """Return all topics; they share one partition count, since tasks are partitions.

    Parameters
    ----------
    app_id : str
        Prefix of the changelogs.
    """
    appended = {"message.timestamp.type": "LogAppendTime"}
    inputs = {"max.message.bytes": str(RECORD_BYTES_MAX)} | appended
    wrapping = {"max.message.bytes": str(WRAPPED_BYTES_MAX)}
    compacting = {
        "segment.bytes": str(SEGMENT_BYTES),
        "min.cleanable.dirty.ratio": "0.1",
        "max.compaction.lag.ms": str(3_600_000),
    }
    return (
        *(
            Topic(name=name, policy="delete", settings=inputs)
            for name in (WEBSITE_VISITS, EMAIL_OPENS, FORM_FILLS)
        ),
        Topic(name=REROUTED_EVENTS, policy="delete", settings=wrapping | appended),
        *(Topic(name=name, policy="delete") for name in (TIER_CHANGES, LEAD_VELOCITY)),
        *(
            Topic(name=name, policy="delete", settings=wrapping)
            for name in (SCORED_EVENTS, DEAD_LETTERS)
        ),
        Topic(name=LEAD_SCORES, policy="compact", settings=compacting),
        *(
            Topic(
                name=changelog_topic(app_id, task),
                policy="compact",
                # LogAppendTime: each commit then tells the broker's time, to compare clocks.
                settings=compacting | wrapping | appended,
            )
            for task in TASKS
        ),
    )
