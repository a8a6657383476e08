"""A worker that cannot go on says so to whoever started it."""

import asyncio
import socket

import pytest
from aiokafka.errors import KafkaConnectionError

from agents.reducer import Reducer
from streams.app import create_app, run
from streams.definition import TaskDefinition
from streams.kafka_clients import AiokafkaClients
from streams.ledger import Ledger
from streams.memory_store import MemoryStores
from streams.runtime import Runtime
from streams.settings import EngineSettings, KafkaConnection


def no_reducer(_: int) -> Reducer:
    raise AssertionError("no task is ever made")


def no_ledger(_: int) -> Ledger:
    raise AssertionError("no task is ever made")


async def test_a_worker_that_cannot_join_its_group_ends_with_the_reason():
    """Where the broker is gone when a worker joins, `run` raises; it does not return as if told."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and does not listen
        brokers = f"127.0.0.1:{taken.getsockname()[1]}"
        settings = EngineSettings()
        runtime = Runtime(
            brokers=brokers,
            clients=AiokafkaClients(KafkaConnection(bootstrap_servers=brokers), settings),
            stores=MemoryStores(),
            settings=settings,
            definitions=(
                TaskDefinition(
                    name="scoring", inputs=("visits",), reducer=no_reducer, ledger=no_ledger
                ),
            ),
            clock_ms=lambda: 0,
        )

        with pytest.raises(KafkaConnectionError):
            await run(create_app(runtime), asyncio.Event())
