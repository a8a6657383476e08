"""The local stack: real Kafka, schema registry and ClickHouse engine, on loopback, no docker."""
