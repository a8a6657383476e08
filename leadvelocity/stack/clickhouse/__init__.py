"""A server for the ClickHouse engine: its native protocol and its HTTP interface, on loopback.

For demo, tests and one analyst. In production a ClickHouse server takes its place.
"""
