"""Makes the Faust app of a worker: one agent for each kind of task."""

import asyncio
import tempfile

import faust
from faust.types import StreamT

from streams.batch import Batch
from streams.definition import TaskDefinition
from streams.exits import fail_stop
from streams.runtime import Runtime
from streams.transport import BatchSchema

FAUST_COMMIT_INTERVAL_S = 3_600.0
"""Faust commits nothing here; its commit timer only must not wake for it."""


class TaskApp(faust.App):
    """A Faust app whose agents run on tasks."""

    runtime: Runtime

    async def _wait_for_table_recovery_completed(self) -> bool:
        # There are no tables: Faust would wait for ever. False: the app was not stopped meanwhile.
        return False


def create_app(runtime: Runtime) -> TaskApp:
    """Return the app of a worker; nothing is connected before it is started.

    Parameters
    ----------
    runtime : Runtime
        Its definitions' names must differ.
    """
    app = TaskApp(
        runtime.settings.app_id,
        broker=f"task://{runtime.brokers}",
        store="memory://",
        datadir=tempfile.gettempdir(),  # Faust wants one; with no tables nothing is kept there
        web_enabled=False,
        topic_disable_leader=True,
        topic_allow_declare=False,
        broker_commit_interval=FAUST_COMMIT_INTERVAL_S,
        stream_wait_empty=False,
    )
    app.runtime = runtime
    for definition in runtime.definitions:
        _add_agent(app, definition)
    return app


def _add_agent(app: TaskApp, definition: TaskDefinition) -> None:
    topic = app.topic(definition.inputs[0], schema=BatchSchema(), acks=False)

    @app.agent(topic, name=definition.name)
    async def agent(stream: StreamT[Batch]) -> None:
        async for batch in stream:
            batch.fold()


async def run(app: TaskApp, stop: asyncio.Event) -> None:
    """Run `app` until `stop` is set; then end its transactions, leave the group and return.

    Raises
    ------
    Exception
        What kept the app from starting, or what it crashed of.
    """
    await app.start()
    try:
        await app.wait(stop.wait())
        if app.crash_reason is not None:
            raise app.crash_reason
    finally:
        try:
            async with asyncio.timeout(2 * app.runtime.settings.stop_s_max):
                await app.stop()
        except TimeoutError as error:
            fail_stop("the worker does not stop", error)
