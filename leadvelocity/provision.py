"""Makes what the pipeline stands on: topics, schemas, tables. Idempotent."""

from collections.abc import Callable, Mapping

from confluent_kafka.admin import (  # type: ignore[attr-defined]
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ConfigSource,
    NewTopic,
    ResourceType,
)

from leadvelocity.errors import CommandFailed
from leadvelocity.kafka import ANSWER_S_MAX, admin_client, kafka_errors, partition_counts
from leadvelocity.settings import Settings, TopicSettings
from leadvelocity.topics import Topic, topics
from schemas.contracts import contract
from schemas.registry import Registry
from schemas.topics import INPUT_TOPICS, OUTPUT_TOPICS

Progress = Callable[[str], None]


class WrongTopic(CommandFailed):
    """A topic is there, but not as it must be."""


def provision_topics(settings: Settings, progress: Progress) -> list[str]:
    """Make the topics that are missing, and set what differs; return what was done.

    Raises
    ------
    WrongTopic
        Another partition count or cleanup policy than the settings say: nothing is changed.
    CommandFailed
        When Kafka does not answer.
    """
    connection = settings.kafka.connection()
    wanted = topics(settings.engine.app_id)
    counts = partition_counts(connection)
    admin = admin_client(connection)
    with kafka_errors(connection, "setting up topics"):
        held = _configurations(admin, [each.name for each in wanted if each.name in counts])
        for topic in wanted:
            if topic.name in counts:
                _check(topic, counts[topic.name], held[topic.name], settings.topics)
        missing = [each for each in wanted if each.name not in counts]
        _create(admin, missing, settings.topics, progress)
        changed = _adjust(admin, wanted, held, settings.topics, progress)
    return [each.name for each in missing] + changed


def register_contracts(registry: Registry, progress: Progress) -> None:
    """Register the contracts of all topics.

    Raises
    ------
    RegistryUnavailable, RegistryRefused
    """
    for topic in INPUT_TOPICS + OUTPUT_TOPICS:
        each = contract(topic)
        progress(f"schema {each.subject} is {registry.register(each)}")


def require_setup(settings: Settings) -> None:
    """Refuse to go on before `setup` has been run, or after somebody has changed its work.

    Raises
    ------
    CommandFailed
        Names the topic that is missing, or is not as it must be, and the cure.
    """
    connection = settings.kafka.connection()
    wanted = topics(settings.engine.app_id)
    counts = partition_counts(connection)
    for topic in wanted:
        if topic.name not in counts:
            raise CommandFailed(f"no topic {topic.name}: run `leadvelocity setup` first")
    admin = admin_client(connection)
    with kafka_errors(connection, "looking at topics"):
        held = _configurations(admin, [each.name for each in wanted])
    for topic in wanted:
        _check(topic, counts[topic.name], held[topic.name], settings.topics)
        _check_timestamps(topic, held[topic.name])


def _check_timestamps(topic: Topic, held: Mapping[str, str]) -> None:
    name = "message.timestamp.type"
    if name in topic.settings and held[name] != topic.settings[name]:
        raise WrongTopic(
            f"topic {topic.name} has {name}={held[name]}, it must be {topic.settings[name]}: run "
            "`leadvelocity setup`, which sets it"
        )


def _check_count(topic: Topic, count: int, settings: TopicSettings) -> None:
    if count != settings.partitions:
        raise WrongTopic(
            f"topic {topic.name} has {count} partitions, the settings say {settings.partitions}: "
            f"set LEADVELOCITY_TOPICS__PARTITIONS={count}, or delete the topic if its records are "
            "not needed, and run `leadvelocity setup` again; adding partitions would part leads "
            "from their states"
        )


def _check(topic: Topic, count: int, held: Mapping[str, str], settings: TopicSettings) -> None:
    _check_count(topic, count, settings)
    policy = held["cleanup.policy"]
    if policy != topic.policy:
        raise WrongTopic(
            f"topic {topic.name} has cleanup.policy={policy}, it must be {topic.policy}: set it "
            f"with `kafka-configs --alter --entity-type topics --entity-name {topic.name} "
            f"--add-config cleanup.policy={topic.policy}`, or delete the topic if its records are "
            "not needed, and run `leadvelocity setup` again"
        )


def _configurations(admin: AdminClient, names: list[str]) -> dict[str, dict[str, str]]:
    if not names:
        return {}
    asked = admin.describe_configs([ConfigResource(ResourceType.TOPIC, name) for name in names])
    return {
        resource.name: {key: entry.value for key, entry in future.result(ANSWER_S_MAX).items()}
        for resource, future in asked.items()
    }


def _create(
    admin: AdminClient, missing: list[Topic], settings: TopicSettings, progress: Progress
) -> None:
    if not missing:
        return
    made = admin.create_topics(
        [
            NewTopic(
                each.name,
                num_partitions=settings.partitions,
                replication_factor=settings.replication_factor,
                config=each.configuration(retention_ms=settings.retention_ms),
            )
            for each in missing
        ],
        operation_timeout=ANSWER_S_MAX,
    )
    for name, future in made.items():
        future.result(ANSWER_S_MAX)
        progress(f"topic {name}")


def _adjust(
    admin: AdminClient,
    wanted: tuple[Topic, ...],
    held: Mapping[str, Mapping[str, str]],
    settings: TopicSettings,
    progress: Progress,
) -> list[str]:
    """Set what differs in topics that were there before."""
    changes = {}
    for topic in wanted:
        configuration = topic.configuration(retention_ms=settings.retention_ms)
        differing = {
            name: value
            for name, value in configuration.items()
            if topic.name in held and held[topic.name].get(name) != value
        }
        if differing:
            changes[topic.name] = differing
    if not changes:
        return []
    asked = admin.incremental_alter_configs(
        [
            ConfigResource(
                ResourceType.TOPIC,
                topic_name,
                incremental_configs=[
                    ConfigEntry(
                        name,
                        value,
                        source=ConfigSource.DYNAMIC_TOPIC_CONFIG,
                        incremental_operation=AlterConfigOpType.SET,
                    )
                    for name, value in differing.items()
                ],
            )
            for topic_name, differing in changes.items()
        ]
    )
    for resource, future in asked.items():
        future.result(ANSWER_S_MAX)
        progress(f"topic {resource.name}: {changes[resource.name]}")
    return list(changes)
