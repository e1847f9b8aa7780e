"""Topics, users and rights on a real Kafka: an agency can say what it may, and nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import nullcontext

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import (
    GroupAuthorizationFailedError,
    KafkaError,
    MessageSizeTooLargeError,
    TopicAuthorizationFailedError,
)
from aiokafka.protocol.fetch import FetchRequest

from infra.kafka.admin import (
    KafkaRefused,
    admin_client,
    agency_topic_config,
    allow_agency,
    configure_topics,
    create_acls,
    create_scram_user,
    delete_acls,
    delete_topics,
    ensure_log_topics,
    ensure_topic,
    set_quotas,
    update_agencies,
)
from infra.kafka.client_config import agency_topic, agency_triggers_topic, client_arguments
from infra.kafka.clients import raw_client
from infra.kafka.rights import Operation, Resource, Right, agency_rights
from infra.kafka.scram import agency_quotas
from infra.secret_files import write_private
from infra.settings import Settings
from tests.integration.infra.kafka.quotas_reading import read_quotas
from tests.world.senders import write_as
from tests.world.topics import drop_topic, records
from tests.world.waits import until

SET_FOR_TOPIC = 1
"""Kafka's ConfigSource DYNAMIC_TOPIC_CONFIG."""


async def _admit(settings: Settings, code: str, password: str) -> None:
    async with admin_client(settings) as admin:
        await allow_agency(admin, settings, code, password)
    _keep(settings, code, password)


def _keep(settings: Settings, code: str, password: str) -> None:
    folder = settings.home / "secrets" / f"agency-{code}"
    folder.mkdir(exist_ok=True)
    write_private(folder / "kafka", password)


@pytest.fixture
async def agencies(settings: Settings) -> None:
    """The log's topics, and the agencies `moi`, `moia` and `yesser`."""
    async with admin_client(settings) as admin:
        await ensure_log_topics(admin, settings)
    for code in ("moi", "moia", "yesser"):
        await _admit(settings, code, f"secret-of-{code}")


@pytest.mark.usefixtures("agencies")
async def test_an_agency_writes_into_its_own_topic_and_into_no_other(settings: Settings) -> None:
    await write_as(settings, "agency-moi", agency_topic("moi"))
    for topic in (*map(agency_topic, ("moia", "yesser", "platform", "not-there")), settings.log_topic):
        with pytest.raises(TopicAuthorizationFailedError):
            await write_as(settings, "agency-moi", topic)

    own, anothers = (agency_triggers_topic(settings, code) for code in ("moi", "moia"))
    topics = (own, anothers, agency_topic("moi"), agency_topic("moia"), settings.log_topic, settings.triggers_topic)
    readable = [topic for topic in topics if await _may_read(settings, "agency-moi", topic)]
    assert readable == [own], "the entries about its campaigns"
    assert await _may_read(settings, "agency-yesser", settings.triggers_topic), "the office reads those of all agencies"
    assert not await _may_read(settings, "agency-yesser", own)

    for user, group, is_own in (
        ("agency-moi", "agency.moi.desk", True),
        ("agency-moi", "agency.moia.desk", False),
        ("agency-moi", "mine", False),
        ("reader", "agency.moi.desk", False),
    ):
        arguments = client_arguments(settings.acting_as(user))
        consumer = AIOKafkaConsumer(own, group_id=group, enable_auto_commit=False, **arguments)
        with nullcontext() if is_own else pytest.raises(GroupAuthorizationFailedError):
            await consumer.start()
        await consumer.stop()

    async with admin_client(settings.acting_as("agency-moi")) as agency:
        assert sorted(await agency.list_topics()) == [agency_topic("moi"), own]
        for what, attempt in FORBIDDEN.items():
            refusal = await _refusal(attempt(agency))
            assert any(words in refusal for words in ("AuthorizationFailed", "credentials may not do that")), what
            assert "java.nio" not in refusal, "the request as the broker prints it"


Attempt = Callable[[AIOKafkaAdminClient], Awaitable[object]]
FORBIDDEN: dict[str, Attempt] = {
    "make a topic": lambda admin: ensure_topic(admin, "moi", {}),
    "make a topic under its own prefix": lambda admin: ensure_topic(admin, "agency.moi.more", {}),
    "delete its topic": lambda admin: delete_topics(admin, [agency_topic("moi")]),
    "delete another's topic": lambda admin: delete_topics(admin, [agency_topic("moia")]),
    "change a password": lambda admin: create_scram_user(raw_client(admin), "agency-moia", "mine now"),
    "give itself rights": lambda admin: create_acls(raw_client(admin), agency_rights("moia", Settings())),
    "take another's rights": lambda admin: delete_acls(raw_client(admin), "agency-moia"),
    "raise its quota": lambda admin: set_quotas(raw_client(admin), "agency-moi", {"producer_byte_rate": 1e12}),
    "look at quotas": lambda admin: read_quotas(raw_client(admin), "agency-moia"),
}


async def _refusal(attempted: Awaitable[object]) -> str:
    """Why it was refused; empty where it was done."""
    try:
        await attempted
    except KafkaRefused as refused:
        return str(refused)
    return ""


async def _may_read(settings: Settings, user: str, topic: str) -> bool:
    async with admin_client(settings.acting_as(user)) as reader:
        request = FetchRequest(100, 1, 1 << 20, 0, [(topic, [(0, 0, 1 << 20)])])
        response = await raw_client(reader).send(raw_client(reader).get_random_node(), request)
        ((_, ((_, code, *_),)),) = response.topics
        assert code in (0, TopicAuthorizationFailedError.errno), topic
        return bool(code == 0)


Values = dict[str, tuple[str, int]]


async def _config(admin: AIOKafkaAdminClient, topic: str) -> Values:
    """What is set, each with its source."""
    (described,) = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)])
    return {name: (value, source) for name, value, _, source, *_ in described.resources[0][4]}


async def test_a_topic_keeps_what_it_promises_whatever_the_clusters_own_defaults_are(settings: Settings) -> None:
    async with admin_client(settings.acting_as("registrar")) as admin:
        # After the log's topic was deleted, the registrar makes it again.
        assert await ensure_topic(admin, settings.log_topic, {"retention.ms": "-1"})
        assert not await ensure_topic(admin, settings.log_topic, {"retention.ms": "-1"})
    async with admin_client(settings) as admin:
        with pytest.raises(KafkaRefused, match=r"yesser\.bad.*InvalidConfiguration"):
            await ensure_topic(admin, "yesser.bad", {"retention.ms": "soon"})
        await delete_topics(admin, [settings.log_topic])
        await ensure_log_topics(admin, settings)
        await allow_agency(admin, settings, "moi", "secret-of-moi")
        found = await _config(admin, agency_topic("moi"))
        wanted = agency_topic_config(settings, 1)
        assert {name: found[name][0] for name in wanted} == wanted
        assert wanted["retention.ms"] == "3024000000", "35 days"
        logs = [settings.log_topic, settings.checkpoints_topic, settings.texts_topic]
        names = [*logs, settings.triggers_topic, agency_topic("platform")]
        for topic in [*names, agency_topic("moi"), agency_triggers_topic(settings, "moi")]:
            leads = (await _config(admin, topic))["unclean.leader.election.enable"]
            assert leads == ("false", SET_FOR_TOPIC), f"a copy that lacks acknowledged records may lead {topic}"

    _keep(settings, "moi", "secret-of-moi")
    size = 32 << 20
    limits = {"max_batch_size": 2 * size, "max_request_size": 2 * size, "compression_type": "zstd"}
    async with AIOKafkaProducer(**limits, **client_arguments(settings.acting_as("agency-moi"))) as producer:
        with pytest.raises(MessageSizeTooLargeError):  # thirty-two megabytes in some kilobytes
            async with asyncio.timeout(60):
                await producer.send_and_wait(agency_topic("moi"), b"0" * size)
    assert await records(settings, agency_topic("moi")) == []


async def test_topics_and_agencies_of_an_earlier_release_get_what_is_new_and_a_suspended_one_does_not(
    settings: Settings,
) -> None:
    async with admin_client(settings) as admin:
        earlier = {"retention.ms": "-1", "min.insync.replicas": "1", "flush.ms": "7000"}
        await ensure_topic(admin, agency_topic("moi"), earlier)
        await ensure_log_topics(admin, settings)
        days = settings.model_copy(update={"agency_retention_days": 3})
        assert await configure_topics(admin, days) == [agency_topic("moi"), agency_topic("platform")]
        assert await configure_topics(admin, days) == []
        found, log = await _config(admin, agency_topic("moi")), await _config(admin, settings.log_topic)
        assert (found["retention.ms"][0], found["flush.ms"][0]) == ("259200000", "7000"), "it keeps its own values"
        assert found["flush.messages"][0] == "1", "of one copy"
        assert (log["retention.ms"][0], log["min.insync.replicas"][0]) == ("-1", "1"), "the log does not age"

    for code in ("moi", "moia", "health"):
        await _admit(settings, code, f"secret-of-{code}")
    async with admin_client(settings) as admin:
        client = raw_client(admin)
        for code in ("moi", "moia"):
            await delete_acls(client, f"agency-{code}")
        operations = (Operation.WRITE, Operation.DESCRIBE)
        await create_acls(client, [Right("agency-moi", Resource.TOPIC, "agency.moi.", operations)])
        topics = [agency_triggers_topic(settings, code) for code in ("moi", "moia", "health")]
        for topic in topics[:2]:
            await drop_topic(settings, topic)
        await update_agencies(admin, settings)
        assert set(topics) <= set(await admin.list_topics())
    assert await _may_read(settings, "agency-moi", topics[0])
    assert not await _may_read(settings, "agency-moia", topics[1])
    assert await _may_read(settings, "agency-health", topics[2])


async def test_an_agencys_quotas_hold_from_its_admission_on_whatever_its_rights(settings: Settings) -> None:
    await _admit(settings, "moi", "first")
    topic = agency_topic("moi")
    async with admin_client(settings) as admin:
        client = raw_client(admin)

        async def until_quotas(**changes: float) -> None:
            expected = agency_quotas(settings) | changes

            async def hold() -> bool:
                return await read_quotas(client, "agency-moi") == expected

            await until(hold, f"the quotas are {expected}", 5)

        await until_quotas()
        await create_scram_user(client, "agency-moi", "second")
        with pytest.raises(KafkaError):
            await write_as(settings, "agency-moi", topic)
        _keep(settings, "moi", "second")
        await write_as(settings, "agency-moi", topic)
        await delete_acls(client, "agency-moi")
        with pytest.raises(KafkaError):
            await write_as(settings, "agency-moi", topic)
        await create_acls(client, agency_rights("moi", settings))
        await until_quotas()
        await allow_agency(admin, settings.model_copy(update={"agency_producer_bytes_per_s": 4_096}), "moi", "third")
        await until_quotas(producer_byte_rate=4_096.0)
        assert await read_quotas(client, "agency-nobody") == {}
