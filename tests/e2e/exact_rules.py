"""The exact rules once more, for many leads on partitions: merge order and long histories."""

from dataclasses import dataclass
from typing import Any

from aiokafka.partitioner import murmur2

from scoring.event import Event, EventType
from tests.property.scoring.oracle import Oracle

TOPICS = ("website_visit", "email_open", "form_fill")
OWN_FIELDS = ("url", "referrer", "campaign_id", "form_id")


@dataclass
class MonotoneOracle(Oracle):
    """The plain oracle where scores only fall between events, so that a moment can be bisected."""

    def first_change(self, upto: int) -> int | None:
        low, high = self.as_of, upto
        if low is None or high <= low or self.judgement(high) == self.tier:
            return None
        while high - low > 1:
            middle = (low + high) // 2
            if self.judgement(middle) == self.tier:
                low = middle
            else:
                high = middle
        return high


def merged(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the events of one partition in the order of rule 6: the heads of topics compete."""
    queues = [[each for each in events if each["type"] == topic] for topic in TOPICS]
    order = []
    while heads := [
        (queue[0]["occurred_at"], place) for place, queue in enumerate(queues) if queue
    ]:
        order.append(queues[min(heads)[1]].pop(0))
    return order


def partition_of(lead_id: str, partitions: int) -> int:
    return (murmur2(lead_id.encode()) & 0x7FFFFFFF) % partitions


def tier_changes(
    model: dict[str, Any], events: list[dict[str, Any]], *, partitions: int, until_ms: int
) -> list[tuple]:
    """Return every tier change up to a moment: lead, seq, from, to, reason, time and score."""
    leads: dict[str, MonotoneOracle] = {}
    for partition in range(partitions):
        mine = [each for each in events if partition_of(each["lead_id"], partitions) == partition]
        for each in merged(mine):
            oracle = leads.setdefault(each["lead_id"], MonotoneOracle(model))
            oracle.event(as_event(each))
    for oracle in leads.values():
        oracle.pass_time(until_ms)
    return sorted(
        (lead, each["seq"], each["from"], each["to"], each["reason"], each["at"], each["score"])
        for lead, oracle in leads.items()
        for each in oracle.changes
    )


def as_event(line: dict[str, Any]) -> Event:
    return Event(
        type=EventType(line["type"]),
        event_id=line["event_id"],
        lead_id=line["lead_id"],
        occurred_at_ms=line["occurred_at"],
        machine=line.get("machine"),
        fields={name: line[name] for name in OWN_FIELDS if name in line},
        profile=line.get("fields", {}),
    )
