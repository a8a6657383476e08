"""The servers of the tests' stack, as settings."""

from leadvelocity.stack.endpoints import Endpoints


def server_variables(stack: Endpoints, *, database: str) -> dict[str, str]:
    """Return registry and ClickHouse as variables; Kafka is each test's own affair."""
    return {
        "LEADVELOCITY_REGISTRY__URL": stack.registry,
        "LEADVELOCITY_CLICKHOUSE__HOST": stack.clickhouse.host,
        "LEADVELOCITY_CLICKHOUSE__PORT": str(stack.clickhouse.port),
        "LEADVELOCITY_CLICKHOUSE__USER": stack.clickhouse.user,
        "LEADVELOCITY_CLICKHOUSE__PASSWORD": stack.clickhouse.password,
        "LEADVELOCITY_CLICKHOUSE__DATABASE": database,
    }
