"""Settings come from variables or a file, are checked whole, and keep their secrets."""

import os

import pytest

from leadvelocity.context import open_settings
from leadvelocity.errors import WrongInput
from leadvelocity.settings import load_settings
from streams.settings import KafkaConnection


@pytest.fixture(autouse=True)
def no_variables(monkeypatch):
    for name in list(os.environ):
        if name.startswith("LEADVELOCITY_"):
            monkeypatch.delenv(name)


def test_variables_are_nested_by_two_underscores(monkeypatch):
    """A variable reaches the setting that its name spells."""
    monkeypatch.setenv("LEADVELOCITY_KAFKA__BOOTSTRAP_SERVERS", "k:9092")
    monkeypatch.setenv("LEADVELOCITY_ENGINE__LINGER_MS", "7")
    monkeypatch.setenv("LEADVELOCITY_TOPICS__PARTITIONS", "12")
    settings = load_settings()
    assert settings.kafka.connection().bootstrap_servers == "k:9092"
    assert settings.engine.linger_ms == 7
    assert settings.engine.app_id == "leadvelocity"
    assert settings.topics.partitions == 12


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("settings.toml", '[kafka]\nbootstrap_servers = "f:1"\nusername = "u"\n'),
        ("settings.yaml", "kafka: {bootstrap_servers: 'f:1', username: u}\n"),
    ],
)
def test_variables_win_over_the_file(tmp_path, monkeypatch, name, text):
    """A variable takes the place of the file's value, and of no other."""
    (tmp_path / name).write_text(text)
    monkeypatch.setenv("LEADVELOCITY_KAFKA__BOOTSTRAP_SERVERS", "v:2")
    kafka = load_settings(tmp_path / name).kafka
    assert (kafka.bootstrap_servers, kafka.username) == ("v:2", "u")


@pytest.mark.parametrize(
    ("variable", "hint"),
    [
        ("LEADVELOCITY_KAFKAS__USERNAME", "LEADVELOCITY_KAFKA"),
        ("LEADVELOCITY_KAFKA__BOOTSTRAP_SERVER", "bootstrap_servers"),
        ("LEADVELOCITY_ENGINE__LINGER", "linger_ms"),
    ],
)
def test_unknown_variables_are_refused(monkeypatch, variable, hint):
    """A variable with a slip in its name is refused, with the name that was meant."""
    monkeypatch.setenv(variable, "1")
    with pytest.raises(WrongInput, match=f"did you mean {hint}"):
        load_settings()


def test_unknown_keys_of_a_file_are_refused(tmp_path):
    """A file with an unknown section is refused."""
    (tmp_path / "s.yaml").write_text("clickhose: {host: h}\n")
    with pytest.raises(WrongInput, match="did you mean clickhouse"):
        load_settings(tmp_path / "s.yaml")


def test_secrets_are_never_shown(monkeypatch):
    """Passwords stand in no text of the settings, nor in an error about them."""
    for section in ("KAFKA", "REGISTRY", "CLICKHOUSE"):
        monkeypatch.setenv(f"LEADVELOCITY_{section}__PASSWORD", "hunter2")
    settings = load_settings()
    shown = f"{settings!r} {settings} {settings.model_dump()} {settings.kafka.connection()!r}"
    assert "hunter2" not in shown
    assert settings.kafka.connection().password == "hunter2"
    monkeypatch.setenv("LEADVELOCITY_CLICKHOUSE__PORT", "hunter2")
    with pytest.raises(WrongInput) as refusal:
        load_settings()
    assert "hunter2" not in str(refusal.value)


@pytest.mark.parametrize(
    ("kafka", "problem"),
    [
        ({"security_protocol": "SASL_SSL", "username": "u"}, "needs sasl_mechanism, password"),
        ({"key_file": "k.pem"}, "key_file needs cert_file"),
        ({"ca_file": "absent.pem"}, "ca_file: there is no file absent.pem"),
        ({"cert_file": "absent.pem"}, "cert_file: there is no file absent.pem"),
    ],
)
def test_half_a_security_is_refused(monkeypatch, kafka, problem):
    """What no broker would let in is refused before any is asked, with what is missing."""
    for name, value in kafka.items():
        monkeypatch.setenv(f"LEADVELOCITY_KAFKA__{name.upper()}", value)
    settings = load_settings()
    with pytest.raises(WrongInput, match=problem):
        settings.kafka.connection()


def test_client_certificates_reach_both_clients():
    """Without a key of its own a certificate's file is taken to hold the key too."""
    connection = KafkaConnection(
        bootstrap_servers="k:1", security_protocol="SSL", cert_file="c.pem"
    )
    shown = connection.librdkafka()
    assert shown["ssl.certificate.location"] == shown["ssl.key.location"] == "c.pem"
    with pytest.raises(FileNotFoundError):
        connection.aiokafka()


def test_without_servers_the_cure_is_named(tmp_path):
    """With neither a stack nor servers, the message says how to get either."""
    with pytest.raises(WrongInput, match=r"stack up .*LEADVELOCITY|LEADVELOCITY.*stack up"):
        open_settings(tmp_path, None)
