"""Settings of the engine: every limit by its name."""

import ssl
from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class KafkaConnection:
    """How to reach Kafka, for both clients that we use.

    Parameters
    ----------
    bootstrap_servers : str
        ``host:port`` pairs, separated by commas.
    security_protocol : str
        PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL.
    sasl_mechanism, username, password : str or None
        For SASL: PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512.
    ca_file : str or None
        Certificates to trust; None trusts the system's.
    cert_file, key_file : str or None
        Certificate to show to the broker (mutual TLS) and its private key; with no `key_file`
        the key stands in `cert_file` too.
    """

    bootstrap_servers: str
    security_protocol: str = "PLAINTEXT"
    sasl_mechanism: str | None = None
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    ca_file: str | None = None
    cert_file: str | None = None
    key_file: str | None = None

    def aiokafka(self) -> dict[str, Any]:
        """Return the keyword arguments for aiokafka's clients."""
        arguments: dict[str, Any] = {
            "bootstrap_servers": self.bootstrap_servers,
            "security_protocol": self.security_protocol,
        }
        if self.security_protocol.endswith("SSL"):
            context = ssl.create_default_context(cafile=self.ca_file)
            if self.cert_file is not None:
                context.load_cert_chain(self.cert_file, self.key_file)
            arguments["ssl_context"] = context
        if self.security_protocol.startswith("SASL"):
            arguments |= {
                "sasl_mechanism": self.sasl_mechanism,
                "sasl_plain_username": self.username,
                "sasl_plain_password": self.password,
            }
        return arguments

    def librdkafka(self) -> dict[str, Any]:
        """Return the configuration for confluent-kafka's clients."""
        settings: dict[str, Any] = {
            "bootstrap.servers": self.bootstrap_servers,
            "security.protocol": self.security_protocol,
        }
        if self.ca_file is not None:
            settings["ssl.ca.location"] = self.ca_file
        if self.cert_file is not None:
            settings["ssl.certificate.location"] = self.cert_file
            settings["ssl.key.location"] = self.key_file or self.cert_file
        if self.security_protocol.startswith("SASL"):
            settings |= {
                "sasl.mechanism": self.sasl_mechanism,
                "sasl.username": self.username,
                "sasl.password": self.password,
            }
        return settings


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineSettings:
    """Limits of the engine; the defaults suit production.

    Parameters
    ----------
    app_id : str
        Consumer group and prefix of transactional ids and changelogs.
    batch_records_max : int
        Records an agent gets at a time.
    pending_records_max : int
        Folded records that may wait for the transaction under way; then reading pauses.
    linger_ms : int
        Least time between the starts of two transactions of a task, unless much waits; it is
        longer where transactions take long.
    catch_up_linger_ms : int
        The most of that time, and what it is while more waits to be folded than half of
        `pending_records_max`: larger transactions cost less an event.
    transaction_timeout_ms : int
        After it the broker aborts what a dead worker left open.
    session_timeout_ms : int
        After it a silent worker's tasks go to others.
    timer_interval_ms : int
        How often an idle task looks at its timers.
    timer_grace_ms : int
        How far timers stay behind the wall clock, so that late events still come first.
    markers_every_s : float
        How often an idle task moves its positions past the markers of transactions; well within
        any retention.
    future_ms_max : int
        How far beyond its append time an event may say that it occurred; a later one is a dead
        letter.
    record_bytes_max : int
        Bytes of an input record's value, key and headers, once unpacked; a larger one is a dead
        letter.
    fetch_wait_ms_max : int
        How long the broker may hold an empty fetch.
    fetch_bytes_max : int
        Bytes of one partition in one fetch.
    commit_s_max, fold_s_max, stop_s_max : float
        Bounds after which a step is taken for stuck and the worker exits.
    progress_s_max : float
        How long records may wait without any being folded, a take-over may get no further, or
        Kafka give no answer, before the worker exits.
    clock_skew_ms_max : int
        How far the worker's clock may be off the broker's.
    store : str
        Where the local copy of states is: memory, or rocksdb (on disk, see `state_dir`).
    store_memory_bytes_max : int
        RocksDB's memory, for all tasks of a worker: blocks, indexes, filters and memory tables.
    store_write_buffer_bytes_max : int
        Of that, for memory tables; what is in them is read from the changelog after a kill.
    scored_events : bool
        Whether every event is written to `scored-events`. Without it `lead`, `replay --from` and
        the proof that the books balance have nothing to go by.
    lead_scores : bool
        Whether scores are written to `lead-scores`: of each lead at most one a second, and at
        once when its tier changes. Without it ClickHouse knows tiers, but no current scores.
    cached_leads_max : int
        Decoded states that a worker keeps at hand, for all its tasks.
    state_bytes_max : int
        Size of a lead's state beyond which form answers that let it grow are dead letters.
    """

    app_id: str = "leadvelocity"
    batch_records_max: int = 8_000
    pending_records_max: int = 32_000
    linger_ms: int = 10
    catch_up_linger_ms: int = 500
    transaction_timeout_ms: int = 15_000
    session_timeout_ms: int = 10_000
    timer_interval_ms: int = 200
    timer_grace_ms: int = 5_000
    markers_every_s: float = 3_600.0
    future_ms_max: int = 300_000
    record_bytes_max: int = 1 << 20
    fetch_wait_ms_max: int = 20
    fetch_bytes_max: int = 1 << 20
    commit_s_max: float = 40.0
    fold_s_max: float = 300.0
    stop_s_max: float = 25.0
    progress_s_max: float = 120.0
    clock_skew_ms_max: int = 60_000
    store: Literal["memory", "rocksdb"] = "memory"
    store_memory_bytes_max: int = 64 << 20
    store_write_buffer_bytes_max: int = 32 << 20
    scored_events: bool = True
    lead_scores: bool = True
    cached_leads_max: int = 200_000
    state_bytes_max: int = 128 << 10
