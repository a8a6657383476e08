"""Two pipelines that were given one app id by mistake."""

import pytest

from tests.e2e.swift_model import MODEL_TEXT
from tests.faults.traffic import MINUTE_MS, Traffic, now_ms

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture
def slower(tmp_path):
    """Return a model whose half-lives differ: states of the one cannot serve the other."""
    file = tmp_path / "slower.yaml"
    file.write_text(MODEL_TEXT.replace("half_life: 15s", "half_life: 45s"))
    return file


def test_another_model_on_our_states_is_refused(cluster, ending, seed, slower):
    """A worker whose model cannot use the states is refused; the others go on, exactly."""
    traffic = Traffic(seed=seed)
    cluster.send(traffic.backlog(4_000, last_ms=now_ms() - 10 * MINUTE_MS))
    cluster.start_workers(2)
    cluster.wait(cluster.caught_up, seconds=90, what="folding")
    cluster.send_live(traffic.live(6_000), rate_per_s=200)
    cluster.start_worker("worker-other", model=slower)
    cluster.wait(
        lambda: bool(cluster.supervisor.codes("worker-other")), seconds=90, what="refusing a model"
    )
    codes = cluster.supervisor.codes("worker-other")
    cluster.supervisor.leave("worker-other")
    ending("another model under one app id", times=1, traffic=traffic)

    assert set(codes) <= {1, 70}
    assert "GroupRefused" in cluster.log("worker-other").read_text()


def test_two_models_from_the_beginning(cluster, ending, seed, slower):
    """Of two workers that begin under one id with two models, the second is refused everywhere."""
    traffic = Traffic(seed=seed)
    cluster.wait_until_owner(cluster.start_worker())
    cluster.start_worker("worker-other", model=slower)
    cluster.wait(
        lambda: bool(cluster.supervisor.codes("worker-other")), seconds=90, what="refusing a model"
    )
    codes = cluster.supervisor.codes("worker-other")
    cluster.supervisor.leave("worker-other")
    cluster.send(traffic.backlog(1_000, last_ms=now_ms() - 10 * MINUTE_MS))
    ending("two models from the beginning", times=1, traffic=traffic)

    assert set(codes) == {70}
    assert "GroupRefused" in cluster.log("worker-other").read_text()
