"""The velocity agent's partials as bytes: compact, deterministic, with a version in front."""

import msgspec

from schemas.lead_state import CorruptState, UnknownStateVersion
from scoring.funnel import Partial, Passage, Place, Transitions, Window

FORMAT_VERSION = 1

_Cell = tuple[int, int, str, str, int, int, list[tuple[int, int]]]
_Wire = tuple[str, int, int, int, int, list[_Cell]]

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(_Wire)


def key(place: Place) -> bytes:
    """Return the changelog key of a window's partial."""
    return f"{place.window}:{place.start_ms}".encode()


def encode(partial: Partial) -> bytes:
    """Return the bytes of a partial; equal partials give equal bytes."""
    cells: list[_Cell] = [
        (*passage, cell.count, cell.dwell_ms_sum, sorted(cell.dwells.items()))
        for passage, cell in sorted(partial.transitions.items())
    ]
    place = partial.place
    wire: _Wire = (
        str(place.window),
        place.start_ms,
        partial.part,
        partial.version,
        partial.hot_leads,
        cells,
    )
    return bytes([FORMAT_VERSION]) + _encoder.encode(wire)


def decode(data: bytes) -> Partial:
    """Return the partial of `encode`.

    Raises
    ------
    UnknownStateVersion
        If another version of this program wrote it.
    CorruptState
        If the bytes are not whole.
    """
    if data[:1] != bytes([FORMAT_VERSION]):
        raise UnknownStateVersion(
            f"partial has format {data[:1].hex() or 'none'}, this program reads {FORMAT_VERSION}"
        )
    try:
        window, start_ms, part, version, hot_leads, cells = _decoder.decode(data[1:])
        return Partial(
            place=Place(Window(window), start_ms),
            part=part,
            version=version,
            hot_leads=hot_leads,
            transitions={
                Passage(*cell[:4]): Transitions(
                    count=cell[4], dwell_ms_sum=cell[5], dwells=dict(cell[6])
                )
                for cell in cells
            },
        )
    except (msgspec.DecodeError, ValueError) as error:
        raise CorruptState(f"partial: {error}") from error
