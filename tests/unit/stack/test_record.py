"""What a stack remembers."""

import json

import pytest

from leadvelocity.stack.errors import NotAStack
from leadvelocity.stack.process import ProcessId
from leadvelocity.stack.record import FILE_NAME, StackRecord


def test_it_is_the_same_after_a_restart(tmp_path):
    """Ports, secrets and processes survive the command that made them."""
    record = StackRecord.new().with_process("kafka", ProcessId(pid=7, started_at_s=1.25))
    record.save(tmp_path)

    assert StackRecord.load(tmp_path) == record


def test_only_its_owner_reads_it(tmp_path):
    """The password in it is no secret to its owner alone."""
    StackRecord.new().save(tmp_path)

    assert (tmp_path / FILE_NAME).stat().st_mode & 0o077 == 0


def test_a_stopped_process_is_forgotten():
    """What was stopped on purpose is not called dead."""
    record = StackRecord.new().with_process("kafka", ProcessId(pid=7, started_at_s=1.0))

    assert record.with_process("kafka", None).processes == {}


def test_cluster_ids_are_none_of_the_options_of_kafkas_tool():
    """Formatting never fails by chance."""
    assert not any("-" in StackRecord.new().kafka_cluster_id for _ in range(200))


@pytest.mark.parametrize("content", ["", "{", "[]", '{"name": "not ours"}', "null"])
def test_a_foreign_file_is_refused_by_name(tmp_path, content):
    """A folder with another program's stack.json is never taken for a stack."""
    (tmp_path / FILE_NAME).write_text(content, encoding="utf-8")

    with pytest.raises(NotAStack, match=FILE_NAME):
        StackRecord.load(tmp_path)


def test_an_empty_folder_is_no_stack(tmp_path):
    """The message says how to make one."""
    with pytest.raises(NotAStack, match="stack up"):
        StackRecord.load(tmp_path)


def test_a_later_format_is_refused(tmp_path):
    """An older command does not misread what a newer one has written."""
    StackRecord.new().save(tmp_path)
    file = tmp_path / FILE_NAME
    content = json.loads(file.read_text(encoding="utf-8"))
    file.write_text(json.dumps(content | {"leadvelocity_stack": 2}), encoding="utf-8")

    with pytest.raises(NotAStack, match="format 2"):
        StackRecord.load(tmp_path)
