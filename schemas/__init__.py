"""Contracts: Avro schemas, wire bytes and model files, to and from core types."""
