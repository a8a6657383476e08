"""Agents: what is done with a batch of records; thin shells around the core."""
