"""Topics, users and rights on a real Kafka: an agency can say what it may, and nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

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
    update_agencies,
)
from infra.kafka.client_config import agency_topic, agency_triggers_topic, client_arguments
from infra.kafka.clients import raw_client
from infra.kafka.quotas import QuotasNotSet, agency_quotas, set_quotas
from infra.kafka.rights import Operation, Resource, Right, agency_rights
from infra.secret_files import write_private
from infra.settings import Settings
from tests.integration.infra.kafka.quotas_reading import read_quotas
from tests.world.senders import write_as
from tests.world.topics import records

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


async def test_the_registrar_makes_the_logs_topic_again_after_it_was_deleted(settings: Settings) -> None:
    async with admin_client(settings.acting_as("registrar")) as admin:
        assert await ensure_topic(admin, settings.log_topic, {"retention.ms": "-1"})
        assert not await ensure_topic(admin, settings.log_topic, {"retention.ms": "-1"})


async def test_a_topic_that_kafka_will_not_make_is_named_with_kafkas_reason(settings: Settings) -> None:
    async with admin_client(settings) as admin:
        with pytest.raises(KafkaRefused, match=r"yesser\.bad.*InvalidConfiguration"):
            await ensure_topic(admin, "yesser.bad", {"retention.ms": "soon"})


async def _config(admin: AIOKafkaAdminClient, topic: str) -> dict[str, str]:
    (described,) = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)])
    return {entry[0]: entry[1] for entry in described.resources[0][4]}


@pytest.mark.usefixtures("agencies")
async def test_an_agency_topic_keeps_35_days_and_is_unpacked_by_the_broker(settings: Settings) -> None:
    async with admin_client(settings) as admin:
        found = await _config(admin, agency_topic("moi"))
    wanted = agency_topic_config(settings)
    assert {name: found[name] for name in wanted} == wanted
    assert wanted["retention.ms"] == "3024000000"


async def test_topics_of_an_earlier_release_take_the_retention_and_keep_their_own_values(settings: Settings) -> None:
    async with admin_client(settings) as admin:
        earlier = {"retention.ms": "-1", "min.insync.replicas": "1", "flush.ms": "7000"}
        await ensure_topic(admin, agency_topic("moi"), earlier)
        await ensure_log_topics(admin, settings)
        days = settings.model_copy(update={"agency_retention_days": 3})
        assert await configure_topics(admin, days) == [agency_topic("moi"), agency_topic("platform")]
        assert await configure_topics(admin, days) == []
        found = await _config(admin, agency_topic("moi"))
        assert (found["retention.ms"], found["flush.ms"]) == ("259200000", "7000")
        assert found["flush.messages"] == "1", "of one copy"
        assert (await _config(admin, settings.log_topic))["retention.ms"] == "-1", "the log does not age"
        assert (await _config(admin, settings.log_topic))["min.insync.replicas"] == "1", "of one copy"


@pytest.mark.usefixtures("agencies")
async def test_no_topic_lets_a_copy_lead_that_lacks_acknowledged_records(settings: Settings) -> None:
    """Whatever the cluster's own default is: it is set for each topic."""
    async with admin_client(settings) as admin:
        names = [settings.log_topic, settings.checkpoints_topic, settings.triggers_topic, agency_topic("platform")]
        for topic in [*names, agency_topic("moi"), agency_triggers_topic(settings, "moi")]:
            (described,) = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)])
            values = {name: (value, source) for name, value, _, source, *_ in described.resources[0][4]}
            assert values["unclean.leader.election.enable"] == ("false", SET_FOR_TOPIC), topic


@pytest.mark.parametrize("compression", ["gzip", "zstd"])
async def test_a_compression_bomb_is_refused_by_the_broker(settings: Settings, compression: str) -> None:
    """Thirty-two megabytes in some kilobytes."""
    await _admit(settings, "moi", "secret-of-moi")
    size = 32 << 20
    limits = {"max_batch_size": 2 * size, "max_request_size": 2 * size, "compression_type": compression}
    async with AIOKafkaProducer(**limits, **client_arguments(settings, "agency-moi")) as producer:
        with pytest.raises(MessageSizeTooLargeError):
            async with asyncio.timeout(60):
                await producer.send_and_wait(agency_topic("moi"), b"0" * size)
    assert await records(settings, agency_topic("moi")) == []


async def test_a_changed_password_and_removed_rights_hold_at_once(settings: Settings) -> None:
    await _admit(settings, "moi", "first")
    async with admin_client(settings) as admin:
        await create_scram_user(raw_client(admin), "agency-moi", "second")
    with pytest.raises(KafkaError):
        await write_as(settings, "agency-moi", agency_topic("moi"))
    _keep(settings, "moi", "second")
    await write_as(settings, "agency-moi", agency_topic("moi"))
    async with admin_client(settings) as admin:
        await delete_acls(raw_client(admin), "agency-moi")
    with pytest.raises(KafkaError):
        await write_as(settings, "agency-moi", agency_topic("moi"))


async def test_an_agencys_quotas_hold_from_its_admission_on_whatever_becomes_of_its_password_and_rights(
    settings: Settings,
) -> None:
    await _admit(settings, "moi", "first")
    async with admin_client(settings) as admin:
        await _until_quotas(admin, agency_quotas(settings))
        await create_scram_user(raw_client(admin), "agency-moi", "second")
        await delete_acls(raw_client(admin), "agency-moi")
        await create_acls(raw_client(admin), agency_rights("moi", settings))
        await _until_quotas(admin, agency_quotas(settings))
        await allow_agency(admin, settings.model_copy(update={"agency_producer_bytes_per_s": 4_096}), "moi", "third")
        await _until_quotas(admin, agency_quotas(settings) | {"producer_byte_rate": 4_096.0})
        assert await read_quotas(raw_client(admin), "agency-nobody") == {}


QUOTA_TRIES_MAX = 250


async def _until_quotas(admin: AIOKafkaAdminClient, expected: Mapping[str, float]) -> None:
    """The broker answers from its copy of the metadata, which follows a change a moment later."""
    for _ in range(QUOTA_TRIES_MAX):
        found = await read_quotas(raw_client(admin), "agency-moi")
        if found == expected:
            return
        await asyncio.sleep(0.02)
    assert found == expected


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


@pytest.mark.usefixtures("agencies")
async def test_an_agency_may_change_nothing_and_sees_its_own_topics_only(settings: Settings) -> None:
    async with admin_client(settings.acting_as("agency-moi")) as agency:
        assert sorted(await agency.list_topics()) == [agency_topic("moi"), agency_triggers_topic(settings, "moi")]
        for what, attempt in FORBIDDEN.items():
            assert "AuthorizationFailed" in await _refusal(attempt(agency)), what


async def _refusal(attempted: Awaitable[object]) -> str:
    """Why it was refused; empty where it was done."""
    try:
        await attempted
    except (KafkaRefused, QuotasNotSet) as refused:
        return str(refused)
    return ""


async def _may_read(settings: Settings, user: str, topic: str) -> bool:
    async with admin_client(settings.acting_as(user)) as reader:
        request = FetchRequest(100, 1, 1 << 20, 0, [(topic, [(0, 0, 1 << 20)])])
        response = await raw_client(reader).send(raw_client(reader).get_random_node(), request)
        ((_, ((_, code, *_),)),) = response.topics
        assert code in (0, TopicAuthorizationFailedError.errno), topic
        return bool(code == 0)


@pytest.mark.usefixtures("agencies")
async def test_an_agency_reads_the_entries_about_its_campaigns_and_no_other_topic(settings: Settings) -> None:
    own = agency_triggers_topic(settings, "moi")
    topics = (
        own,
        agency_triggers_topic(settings, "moia"),
        agency_topic("moi"),
        agency_topic("moia"),
        settings.log_topic,
        settings.triggers_topic,
    )
    assert [topic for topic in topics if await _may_read(settings, "agency-moi", topic)] == [own]


@pytest.mark.usefixtures("agencies")
async def test_the_office_reads_the_triggers_of_all_agencies_on_the_common_topic(settings: Settings) -> None:
    assert await _may_read(settings, "agency-yesser", settings.triggers_topic)
    assert not await _may_read(settings, "agency-yesser", agency_triggers_topic(settings, "moi"))


async def test_agencies_of_an_earlier_release_get_the_new_topic_and_right_and_a_suspended_one_does_not(
    settings: Settings,
) -> None:
    for code in ("moi", "moia", "health"):
        await _admit(settings, code, f"secret-of-{code}")
    async with admin_client(settings) as admin:
        client = raw_client(admin)
        for code in ("moi", "moia"):
            await delete_acls(client, f"agency-{code}")
        await create_acls(
            client, [Right("agency-moi", Resource.TOPIC, "agency.moi.", (Operation.WRITE, Operation.DESCRIBE))]
        )
        topics = [agency_triggers_topic(settings, code) for code in ("moi", "moia", "health")]
        await delete_topics(admin, topics[:2])
        await update_agencies(admin, settings)
        assert set(topics) <= set(await admin.list_topics())
    assert await _may_read(settings, "agency-moi", topics[0])
    assert not await _may_read(settings, "agency-moia", topics[1])
    assert await _may_read(settings, "agency-health", topics[2])


@pytest.mark.usefixtures("agencies")
async def test_an_agency_joins_groups_of_its_own_only_and_the_platforms_reader_none(settings: Settings) -> None:
    for user, group, is_own in (
        ("agency-moi", "agency.moi.desk", True),
        ("agency-moi", "agency.moia.desk", False),
        ("agency-moi", "mine", False),
        ("reader", "agency.moi.desk", False),
    ):
        consumer = AIOKafkaConsumer(
            agency_triggers_topic(settings, "moi"),
            group_id=group,
            enable_auto_commit=False,
            **client_arguments(settings, user),
        )
        if is_own:
            await consumer.start()
        else:
            with pytest.raises(GroupAuthorizationFailedError):
                await consumer.start()
        await consumer.stop()
