"""The scoring core: pure functions over events, lead states and a model."""
