"""Publishing a model beside the work."""

import logging

import pytest

from leadvelocity.model_publisher import ModelPublisher
from leadvelocity.scoring_model import load_model
from sinks.client import ClickHouse

AWAY = ClickHouse(host="127.0.0.1", port=1, password="hunter2")  # nobody listens there


def test_it_tries_again_and_gives_up(caplog):
    """With ClickHouse away each try is told, their number is bounded, and the cure comes last."""
    publisher = ModelPublisher(AWAY, load_model(None), tries_max=3, pause_s=0.01)
    with caplog.at_level(logging.INFO):
        publisher.start()
        assert publisher.wait(30)
    said = [each for each in caplog.records if each.name == "leadvelocity.model_publisher"]
    assert [each.levelno for each in said] == [logging.WARNING] * 3 + [logging.ERROR]
    assert "leadvelocity setup" in said[-1].getMessage()
    assert "hunter2" not in caplog.text


@pytest.mark.parametrize("tries", [1, 1000])
def test_stopping_ends_it(tries):
    """A worker that stops does not wait for tries to come."""
    publisher = ModelPublisher(AWAY, load_model(None), tries_max=tries, pause_s=3_600)
    publisher.start()
    publisher.stop()
    assert publisher.wait(30)
