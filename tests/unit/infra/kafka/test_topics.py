"""The configuration of topics: how many copies must have a record before it is acknowledged; and who has groups."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

from aiokafka.admin import NewTopic
from aiokafka.admin.config_resource import ConfigResource

from infra.kafka.admin import (
    TEXTS_TOPIC_CONFIG,
    agency_topic_config,
    configure_topics,
    ensure_agency_topic,
    ensure_topic,
    safe_copies,
)
from infra.kafka.rights import Resource, agency_rights, principal_rights
from infra.settings import Settings
from tests.every import every

SETTINGS = Settings(kafka="kafka:9092", kafka_replication_factor=3)


class Cluster:
    """Existing topics, with the number of their copies; notes what is created and changed."""

    def __init__(self, copies: dict[str, int]) -> None:
        self._copies = copies
        self.configs: dict[str, dict[str, str]] = {name: {} for name in copies}

    async def create_topics(self, topics: Sequence[NewTopic]) -> Any:
        for topic in topics:
            self._copies[topic.name] = topic.replication_factor
            self.configs[topic.name] = topic.topic_configs
        return SimpleNamespace(topic_errors=[(topic.name, 0, None) for topic in topics])

    async def list_topics(self) -> list[str]:
        return list(self._copies)

    async def describe_topics(self, names: Sequence[str]) -> list[Any]:
        return [
            {"topic": n, "error_code": 0, "partitions": [{"leader": 1, "replicas": [*range(self._copies[n])]}]}
            for n in names
        ]

    async def describe_configs(self, resources: Sequence[ConfigResource]) -> list[Any]:
        (resource,) = resources
        entries = [(name, value, False, 1) for name, value in self.configs[resource.name].items()]
        return [SimpleNamespace(resources=[(0, None, 2, resource.name, entries)])]

    async def alter_configs(self, resources: Sequence[ConfigResource]) -> list[Any]:
        for resource in resources:
            self.configs[resource.name] = resource.configs
        return [SimpleNamespace(resources=[(0, None)])]

    def values(self, setting: str) -> dict[str, str | None]:
        return {name: config.get(setting) for name, config in self.configs.items()}


@every(("copies", "least", "flushed"), [(1, "1", "1"), (2, "1", "1"), (3, "2", None)])
async def test_all_copies_but_one_have_an_acknowledged_record(copies: int, least: str, flushed: str | None) -> None:
    cluster: Any = Cluster({})
    assert await ensure_topic(cluster, "t", {"retention.ms": "-1"}, replication=copies)
    safe = {"min.insync.replicas": least, "unclean.leader.election.enable": "false"}
    assert cluster.configs == {"t": {"retention.ms": "-1"} | safe}
    assert safe_copies(copies) == safe
    for code, kafka in (("moi", "kafka:9092"), ("own", None)):
        assert await ensure_agency_topic(cluster, code, Settings(kafka=kafka, kafka_replication_factor=copies))
    on_disk = {name: config.get("flush.messages") for name, config in cluster.configs.items() if name != "t"}
    assert on_disk == {"agency.moi.events": flushed, "agency.own.events": "1"}, "one copy, or all on one machine"


async def test_existing_topics_take_it_by_the_copies_that_they_have() -> None:
    logs = (SETTINGS.log_topic, SETTINGS.checkpoints_topic, SETTINGS.texts_topic)
    ours = (*logs, SETTINGS.triggers_topic, f"{SETTINGS.triggers_topic}.moi")
    names = {"agency.moi.events": 1, **dict.fromkeys(("agency.platform.events", *ours, "another"), 3)}
    cluster: Any = Cluster(names)
    assert await configure_topics(cluster, SETTINGS) == sorted(names.keys() - {"another"})
    least = {**dict.fromkeys(names, "2"), "agency.moi.events": "1", "another": None}
    assert cluster.values("min.insync.replicas") == least
    assert cluster.values("unclean.leader.election.enable") == {**dict.fromkeys(names, "false"), "another": None}
    flushed = [name for name, config in cluster.configs.items() if "flush.messages" in config]
    assert flushed == ["agency.moi.events"], "the only one of one copy"
    assert agency_topic_config(SETTINGS, 1).items() <= cluster.configs["agency.moi.events"].items()
    assert TEXTS_TOPIC_CONFIG.items() <= cluster.configs[SETTINGS.texts_topic].items(), "what is withheld must go"
    assert await configure_topics(cluster, SETTINGS) == []


def test_an_agency_has_groups_of_its_own_name_only_and_no_user_of_the_platform_has_any() -> None:
    assert [right for right in principal_rights(Settings()) if right.resource is Resource.GROUP] == []
    groups = [right.prefix for right in agency_rights("moi", Settings()) if right.resource is Resource.GROUP]
    assert groups == ["agency.moi."]
