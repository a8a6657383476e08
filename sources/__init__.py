"""Adapters from senders: raw lines and requests to events."""
