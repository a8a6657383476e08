"""From the bytes of an input topic straight to events."""

from collections.abc import Mapping
from typing import Any, Final, final

from schemas import framing, writer_schema
from schemas.avro_event import AvroEventReader
from schemas.contracts import contract
from schemas.dead_letter_reason import Undecodable
from schemas.decoding import Decoder, WriterSchemas, is_alike
from schemas.events import DEFAULT_LIMITS, EventLimits, read_event
from scoring.event import Event


@final
class EventDecoder:
    """Reads events of one input topic, whichever version of its contract their writer used.

    What `read_event(topic, decoder.decode(value))` gives, without the record between the two.
    Whatever is wrong is read once more in this plain way, which says what it is.

    Parameters
    ----------
    topic : str
    schemas : WriterSchemas
        Shared by decoders.
    limits : EventLimits
    value_bytes_max : int
        Longer values are refused unread.
    kept : frozenset of str or None
        The topic's own fields that events have to have; None: all.
    """

    def __init__(
        self,
        topic: str,
        schemas: WriterSchemas,
        *,
        limits: EventLimits = DEFAULT_LIMITS,
        value_bytes_max: int = 1 << 20,
        kept: frozenset[str] | None = None,
    ) -> None:
        self._kept: Final = kept
        self._topic: Final = topic
        self._schemas: Final = schemas
        self._limits: Final = limits
        self._value_bytes_max: Final = value_bytes_max
        self._own: Final = writer_schema.parse(contract(topic).text)
        self._decoder: Final = Decoder(contract(topic), schemas, value_bytes_max=value_bytes_max)
        self._readers: Final[dict[int | None, AvroEventReader | None]] = {}

    def decode(self, value: bytes | None) -> Event:
        """Decode one value.

        Raises
        ------
        Undecodable
            As `Decoder.decode` and `read_event` do.
        """
        if value and len(value) <= self._value_bytes_max:
            reader = self._readers.get(framing.schema_id(value))
            if reader is not None:
                try:
                    return reader.read(value)
                except Undecodable:
                    pass  # of several things that are wrong, the plain way says the first
        return self._plainly(value)

    def _plainly(self, value: bytes | None) -> Event:
        event = read_event(self._topic, self._decoder.decode(value), self._limits)
        assert value, "an empty value is no event"
        schema_id = framing.schema_id(value)
        assert schema_id is not None, "what was decoded is framed"
        if schema_id not in self._readers:
            self._readers[schema_id] = self._reader(self._schemas.schema(schema_id))
        return event

    def _reader(self, writer: Mapping[str, Any]) -> AvroEventReader | None:
        if is_alike(writer, self._own):
            return AvroEventReader(self._topic, writer, self._limits, self._kept)
        return None
