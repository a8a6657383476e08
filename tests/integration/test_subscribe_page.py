"""The page for subscribers: what it shows can be copied and run."""

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from leadvelocity.stack.endpoints import Endpoints
from sinks.client import ClickHouse, query
from tests.integration.servers import server_variables

pytestmark = pytest.mark.integration

PAGE = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "subscribe.md"
COMMAND = (sys.executable, "-m", "leadvelocity")


@pytest.fixture
def servers(stack: Endpoints, run_name: str, clickhouse_server: ClickHouse):
    """Settings of the stack, with a database of the test's own."""
    kafka = {"LEADVELOCITY_KAFKA__BOOTSTRAP_SERVERS": stack.kafka}
    yield os.environ | kafka | server_variables(stack, database=run_name)
    query(clickhouse_server, f"DROP DATABASE IF EXISTS {run_name}")


def test_the_example_prints_tier_changes(servers, stack: Endpoints, run_name: str, tmp_path: Path):
    """The program of the page, as it stands, reads a tier change through the registry."""
    [program] = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(), re.DOTALL | re.MULTILINE)
    fill = {
        "type": "form_fill",
        "event_id": f"{run_name}-1",
        "lead_id": run_name,
        "occurred_at": time.time_ns() // 1_000_000,
        "form_id": "demo",
    }
    for arguments, given in ((("setup",), ""), (("send",), json.dumps(fill))):
        subprocess.run(
            [*COMMAND, *arguments, "--dir", str(tmp_path)],
            env=servers,
            input=given,
            text=True,
            check=True,
            timeout=120,
        )
    addresses = {"KAFKA": stack.kafka, "REGISTRY": stack.registry, "GROUP": run_name}
    with (tmp_path / "worker.log").open("wb") as log:
        worker = subprocess.Popen(
            [*COMMAND, "worker", "--dir", str(tmp_path)], env=servers, stdout=log, stderr=log
        )
    subscriber = subprocess.Popen(
        [sys.executable, "-c", program],
        env=os.environ | addresses,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert subscriber.stdout is not None
    try:
        mine = next(line for line in subscriber.stdout if line.startswith(run_name))
        assert mine.startswith(f"{run_name} cold -> warm ")
        assert "event [('demo_request', 40.0)]" in mine
    finally:
        for process in (subscriber, worker):
            process.terminate()
            process.wait(40)
        subscriber.stdout.close()
