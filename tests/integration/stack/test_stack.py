"""A local stack of real parts, from its first start to its end."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator

import psutil
import pytest
from clickhouse_driver import Client
from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from leadvelocity.stack.endpoints import Endpoints
from leadvelocity.stack.errors import NotAStack, PortTaken
from leadvelocity.stack.stack import Stack
from leadvelocity.stack.status import PartState

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

PARTS = ("kafka", "registry", "clickhouse")


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack of this module's own, in a folder with a space in its name; some tests stop it."""
    stack = Stack(tmp_path_factory.mktemp("a stack"))
    yield stack
    stack.wipe()


@pytest.fixture
def up(local: Stack) -> Endpoints:
    """Where it is, when it runs."""
    return local.up()


def clickhouse(endpoints: Endpoints) -> Client:
    server = endpoints.clickhouse
    return Client(
        server.host,
        port=server.port,
        user=server.user,
        password=server.password,
        database=server.database,
    )


def registered(endpoints: Endpoints, subject: str, schema: str | None = None) -> str:
    url = f"{endpoints.registry}/subjects/{subject}/versions"
    if schema is None:
        request = urllib.request.Request(f"{url}/latest")
    else:
        headers = {"Content-Type": "application/vnd.schemaregistry.v1+json"}
        request = urllib.request.Request(url, json.dumps({"schema": schema}).encode(), headers)
    with urllib.request.urlopen(request, timeout=20) as response:
        return str(json.load(response).get("schema", schema))


def write_everywhere(endpoints: Endpoints, name: str) -> None:
    """Leave a record, a schema and a row."""
    admin = AdminClient({"bootstrap.servers": endpoints.kafka})
    admin.create_topics([NewTopic(name, 1, 1)])[name].result(20)
    producer = Producer({"bootstrap.servers": endpoints.kafka, "acks": "all"})
    producer.produce(name, b"kept")
    assert producer.flush(20) == 0
    registered(endpoints, name, '"string"')
    client = clickhouse(endpoints)
    client.execute(f"CREATE TABLE {name} (a String) ENGINE = MergeTree ORDER BY a")
    client.execute(f"INSERT INTO {name} VALUES", [("kept",)])
    client.disconnect()


def read_everywhere(endpoints: Endpoints, name: str) -> tuple[bytes | None, str, list[tuple[str]]]:
    consumer = Consumer(
        {"bootstrap.servers": endpoints.kafka, "group.id": name, "enable.auto.commit": False}
    )
    consumer.assign([TopicPartition(name, 0, 0)])
    record = consumer.poll(30)
    consumer.close()
    client = clickhouse(endpoints)
    rows = client.execute(f"SELECT * FROM {name}")
    client.disconnect()
    assert record is not None
    return record.value(), registered(endpoints, name), rows


KEPT = (b"kept", '"string"', [("kept",)])


def processes(local: Stack) -> dict[str, int]:
    return {part.name: part.pid for part in local.status() if part.pid}


def test_up_again_does_nothing_and_is_quick(local, up):
    """A second `up` on a running stack starts nothing, and says the same."""
    before = processes(local)
    said: list[str] = []
    began = time.monotonic()

    started: list[str] = []
    assert local.up(said.append, started=started.append) == up
    assert time.monotonic() - began < 1
    assert processes(local) == before
    assert said == started == []


def test_status_tells_of_each_part(local, up):
    """Each part has a process, its port and its memory."""
    parts = {part.name: part for part in local.status()}

    assert tuple(parts) == PARTS
    assert all(part.state is PartState.RUNNING for part in parts.values())
    assert all(50_000_000 < part.memory_bytes < 1_000_000_000 for part in parts.values())
    assert up.kafka == f"127.0.0.1:{parts['kafka'].port}"


def test_nothing_listens_beyond_loopback(local, up):
    """No part of a stack can be reached from another machine."""
    pids = set(processes(local).values())

    listening = [
        str(each.laddr[0]).removeprefix("::ffff:")
        for each in psutil.net_connections("tcp")
        if each.pid in pids and each.laddr and each.status == psutil.CONN_LISTEN
    ]

    assert len(listening) >= 6
    assert set(listening) == {"127.0.0.1"}


def test_data_and_ports_survive_down_and_up(local, up, run_name):
    """What was written is there after a stop, at the same addresses."""
    write_everywhere(up, run_name)

    local.down()
    assert {part.state for part in local.status()} == {PartState.STOPPED}
    again = local.up()

    assert again == up
    assert read_everywhere(again, run_name) == KEPT


@pytest.mark.parametrize("victim", PARTS)
def test_a_killed_part_is_named_and_comes_back_with_its_data(local, up, run_name, victim):
    """What was acknowledged before a kill -9 is there after the next `up`; the others run on."""
    write_everywhere(up, run_name)
    before = processes(local)
    os.kill(before[victim], signal.SIGKILL)
    psutil.wait_procs([psutil.Process(before[victim])] if psutil.pid_exists(before[victim]) else [])
    assert {part.name for part in local.status() if part.state is PartState.DIED} == {victim}
    said: list[str] = []
    started: list[str] = []

    again = local.up(said.append, started=started.append)

    assert started == [victim]
    assert any(line.startswith(f"{victim}: died") for line in said)
    assert read_everywhere(again, run_name) == KEPT
    after = processes(local)
    assert {name for name in PARTS if after[name] != before[name]} == {victim}


def test_a_stranger_on_a_port_is_named(local, up):
    """A port that was taken meanwhile is no riddle; with new ports the stack runs all the same."""
    local.down()
    with socket.create_server(("127.0.0.1", up.clickhouse.port)):
        with pytest.raises(PortTaken, match=f"clickhouse .*{up.clickhouse.port}.*{os.getpid()}"):
            local.up()
        assert processes(local) == {}

        moved = local.up(new_ports=True)
        assert moved.clickhouse.port != up.clickhouse.port
        assert clickhouse(moved).execute("SELECT 1") == [(1,)]


def test_two_ups_at_once_make_one_stack(local, up):
    """Commands that race for a folder share one stack."""
    local.down()
    command = [sys.executable, "-m", "leadvelocity", "stack", "up", "--dir", str(local.directory)]

    racing = [
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(2)
    ]
    answers = [json.loads(each.communicate(timeout=120)[0]) for each in racing]

    assert [each.returncode for each in racing] == [0, 0]
    assert answers[0] == answers[1] == local.endpoints().as_json()
    servers = [
        each
        for each in psutil.process_iter(["cmdline"])
        if any(str(local.directory) in word for word in each.info["cmdline"] or ())
    ]
    assert len(servers) == 3


def test_topics_are_made_on_purpose_only(up, run_name):
    """A mistyped topic is an error, not a new topic."""
    producer = Producer({"bootstrap.servers": up.kafka, "message.timeout.ms": 3_000})
    failures = []
    producer.produce(run_name, b"x", on_delivery=lambda error, _: failures.append(error))
    producer.flush(20)

    assert failures[0] is not None
    topics = AdminClient({"bootstrap.servers": up.kafka}).list_topics(timeout=10).topics
    assert run_name not in topics


def test_transactions_work_at_once(up, run_name):
    """The engine's transactions need no settling of the cluster first."""
    admin = AdminClient({"bootstrap.servers": up.kafka})
    admin.create_topics([NewTopic(run_name, 1, 1)])[run_name].result(20)
    producer = Producer({"bootstrap.servers": up.kafka, "transactional.id": run_name})

    try:
        producer.init_transactions(20)
        producer.begin_transaction()
        producer.produce(run_name, b"x")
        producer.commit_transaction(20)
    except KafkaException as error:
        pytest.fail(f"no transaction: {error}")


def test_no_secret_is_in_logs_or_command_lines(local, up):
    """The password is in stack.json and in a file of its owner's, and nowhere else."""
    password = up.clickhouse.password
    clickhouse(up).execute("SELECT 1")

    logs = [path.read_text(errors="replace") for path in (local.directory / "logs").iterdir()]
    words = [psutil.Process(pid).cmdline() for pid in processes(local).values()]

    assert not any(password in text for text in logs)
    assert not any(password in word for command in words for word in command)
    holding = [
        path
        for path in (local.directory / "stack.json", local.directory / "clickhouse" / "password")
        if path.stat().st_mode & 0o077
    ]
    assert not holding


def test_a_second_server_does_not_touch_the_data(local, up):
    """One process has the engine's folder; another one is refused in words."""
    home = local.directory / "clickhouse"
    arguments = {
        "--data": home / "data",
        "--port": 1,
        "--http-port": 1,
        "--user": "u",
        "--password-file": home / "password",
        "--database": "d",
        "--log": local.directory / "logs" / "second.log",
    }
    flags = [str(word) for argument in arguments.items() for word in argument]

    second = subprocess.run(
        [sys.executable, "-m", "leadvelocity.stack.clickhouse", *flags], check=False, timeout=60
    )

    assert second.returncode == 1
    assert "another process has the data" in (local.directory / "logs" / "second.log").read_text()


def test_wipe_leaves_what_is_not_the_stacks(local, up):
    """Wiping deletes the stack's data and nothing beside it."""
    beside = local.directory / "notes.txt"
    beside.write_text("mine", encoding="utf-8")
    pids = processes(local).values()

    local.wipe()

    assert [path.name for path in local.directory.iterdir()] == ["notes.txt"]
    assert not any(psutil.pid_exists(pid) for pid in pids)
    with pytest.raises(NotAStack):
        local.status()
    beside.unlink()
    local.up()  # for the end of this module


def test_an_interrupted_up_leaves_nothing_running(tmp_path):
    """Ctrl-C while a stack starts stops what was started."""
    command = [sys.executable, "-m", "leadvelocity", "stack", "up", "--dir", str(tmp_path / "s")]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as starting:
        assert starting.stderr
        for line in starting.stderr:
            if "clickhouse: answers" in line:
                break
        starting.send_signal(signal.SIGINT)
        starting.wait(60)

    assert starting.returncode != 0
    assert {part.state for part in Stack(tmp_path / "s").status()} == {PartState.STOPPED}
