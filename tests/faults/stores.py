"""The stores that every promise holds for."""

STORES = ("memory", "rocksdb")


def settings_of(store: str) -> dict[str, str]:
    """Return the variables that choose a store; memory is the default."""
    return {} if store == "memory" else {"LEADVELOCITY_ENGINE__STORE": store}
