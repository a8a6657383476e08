"""Faust's producer, which has nothing to send here and so connects to nothing."""

from faust.transport.producer import Producer


class IdleProducer(Producer):
    """Stands where Faust wants a producer.

    Faust's own would connect without our TLS and passwords, to send nothing: all output leaves
    through the tasks' transactions. What Faust sends all the same raises, as in its base class.
    """

    async def on_start(self) -> None:
        """Connect to nothing."""

    async def flush(self) -> None:
        """Wait for nothing."""
