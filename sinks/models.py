"""Scoring models in ClickHouse, so that SQL can score."""

from scoring.model import Model
from sinks.clickhouse import INSERT_SETTINGS
from sinks.client import TRANSPORT_FAULTS, ClickHouse
from sinks.failures import unavailable

Row = tuple[object, ...]


def publish_model(clickhouse: ClickHouse, model: Model) -> None:
    """Put a model into `score_models` and `score_tiers`; again is the same as once.

    Parameters
    ----------
    clickhouse : ClickHouse
    model : Model

    Raises
    ------
    SinkUnavailable
    """
    client = clickhouse.client()
    settings = {**INSERT_SETTINGS, "insert_deduplication_token": model.version}
    tables = (("score_models", _signals(model)), ("score_tiers", _tiers(model)))  # tiers last
    try:
        for table, rows in tables:
            if rows:
                client.execute(f"INSERT INTO {table} VALUES", rows, settings=settings)
    except TRANSPORT_FAULTS as error:
        raise unavailable(error, doing=f"publishing model {model.name}") from error
    finally:
        client.disconnect()


def _signals(model: Model) -> list[Row]:
    caps = {group.name: group.cap for group in model.groups}
    return [
        (
            model.name,
            model.version,
            signal.name,
            signal.on.value,
            signal.points,
            signal.half_life_ms,
            signal.cap,
            signal.group,
            None if signal.group is None else caps[signal.group],
        )
        for signal in model.signals
    ]


def _tiers(model: Model) -> list[Row]:
    return [
        (model.name, model.version, rank, tier.name, tier.enter, tier.exit, tier.dwell_ms)
        for rank, tier in enumerate(model.tiers)
    ]
