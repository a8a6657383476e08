"""The command: settings, the local stack, the demo, the composition root."""

__version__ = "0.1.0"

PACKAGES = ("leadvelocity", "streams", "agents", "sinks", "schemas", "scoring", "sources")
"""What the distribution brings."""
