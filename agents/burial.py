"""Dead letters: what an agent does with a record that it cannot use."""

from dataclasses import dataclass

from agents.records import Output, Record
from agents.rerouting import Origins
from schemas import outputs
from schemas.dead_letter_reason import DeadLetterReason
from schemas.encoding import Encoder
from schemas.topics import DEAD_LETTERS

KEY_BYTES_MAX = 1_024
"""Of a dead letter's own key; the whole key of the record is in the letter, as far as it fits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable:
    """A record that cannot be used, and why."""

    reason: DeadLetterReason
    text: str


def dead_letter(
    encoder: Encoder, record: Record, origin: Origins, why: Unreadable, *, now_ms: int
) -> Output:
    """Return the dead letter of a record.

    Parameters
    ----------
    encoder : Encoder
        Of dead letters.
    record : Record
    origin : Record or Origin
        Where the record was appended first.
    why : Unreadable
    now_ms : int
        Wall clock, UTC epoch milliseconds.
    """
    letter = outputs.dead_letter_record(
        topic=origin.topic,
        partition=origin.partition,
        offset=origin.offset,
        timestamp_ms=origin.timestamp_ms,
        key=record.key,
        value=record.value,
        headers=record.headers,
        reason=why.reason,
        text=why.text,
        failed_at_ms=now_ms,
    )
    key = None if record.key is None else record.key[:KEY_BYTES_MAX]
    return Output(topic=DEAD_LETTERS, key=key, value=encoder.encode(letter))
