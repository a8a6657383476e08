"""What a stack does with folders, before anything runs."""

import pytest

from leadvelocity.stack.errors import NotAStack, StackRefused
from leadvelocity.stack.stack import Stack


@pytest.mark.parametrize("command", ["status", "down", "wipe", "endpoints"])
def test_a_folder_without_a_stack_is_left_alone(tmp_path, command):
    """No command but `up` makes anything of a folder that holds no stack."""
    (tmp_path / "thesis.txt").write_text("years of work", encoding="utf-8")

    with pytest.raises(NotAStack):
        getattr(Stack(tmp_path), command)()

    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize("name", ["a,b", "a:b", "a;b"])
def test_a_folder_that_java_cannot_name_is_refused(tmp_path, name):
    """A comma in a path does not become a second data folder of Kafka's."""
    with pytest.raises(StackRefused, match="choose another folder"):
        Stack(tmp_path / name).up()

    assert not (tmp_path / name).exists()
