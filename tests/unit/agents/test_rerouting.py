"""The partition of a lead is the one that Kafka's clients choose."""

from aiokafka.partitioner import murmur2 as reference
from hypothesis import given
from hypothesis import strategies as st

from agents.murmur2 import murmur2


@given(st.binary(max_size=80))
def test_the_hash_is_kafkas(data: bytes) -> None:
    """
    Of any key our hash is the one that clients partition by.
    """
    assert murmur2(data) == reference(data) & 0xFFFFFFFF
