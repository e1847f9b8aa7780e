"""Topics, users and rights on a real Kafka: an agency can say what it may, and nothing else."""

from __future__ import annotations

import asyncio

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError, MessageSizeTooLargeError, TopicAuthorizationFailedError

from infra.embedded.passwords import write_private
from infra.kafka import agency_topic, client_arguments
from infra.kafka_admin import (
    AGENCY_TOPIC_CONFIG,
    KafkaRefused,
    admin_client,
    admit_agency,
    create_scram_user,
    delete_acls,
    delete_scram_user,
    ensure_log_topics,
    ensure_topic,
)
from infra.settings import Settings


async def _admit(settings: Settings, code: str, password: str) -> None:
    async with admin_client(settings) as admin:
        await admit_agency(admin, settings, code, password)
    write_private(settings.home / "secrets" / f"kafka-agency-{code}", password)


async def _say(settings: Settings, user: str, topic: str, value: bytes = b"{}") -> None:
    producer = AIOKafkaProducer(acks="all", enable_idempotence=True, **client_arguments(settings, user))
    try:
        await producer.start()
        await asyncio.wait_for(producer.send_and_wait(topic, value), 20)
    finally:
        await producer.stop()


async def test_an_agency_writes_into_its_own_topic_and_into_no_other(settings: Settings) -> None:
    await _admit(settings, "moi", "secret-of-moi")
    await _admit(settings, "moia", "secret-of-moia")
    await _say(settings, "agency-moi", agency_topic("moi"))
    with pytest.raises(TopicAuthorizationFailedError):
        await _say(settings, "agency-moi", agency_topic("moia"))


async def test_the_platform_reads_every_claim_and_speaks_only_as_itself(settings: Settings) -> None:
    async with admin_client(settings) as admin:
        await ensure_log_topics(admin, settings)
    await _admit(settings, "moi", "secret-of-moi")
    await _say(settings, "agency-moi", agency_topic("moi"), b"claim")
    consumer = AIOKafkaConsumer(enable_auto_commit=False, **client_arguments(settings, "platform"))
    await consumer.start()
    try:
        partition = TopicPartition(agency_topic("moi"), 0)
        consumer.assign([partition])
        consumer.seek(partition, 0)
        assert (await asyncio.wait_for(consumer.getone(), 20)).value == b"claim"
    finally:
        await consumer.stop()
    for topic in (settings.log_topic, settings.triggers_topic, agency_topic("platform")):
        await _say(settings, "platform", topic)
    with pytest.raises(TopicAuthorizationFailedError):
        await _say(settings, "platform", agency_topic("moi"))


async def test_the_platform_makes_the_logs_topic_again_after_it_was_deleted(settings: Settings) -> None:
    async with admin_client(settings, "platform") as admin:
        assert await ensure_topic(admin, settings.log_topic, {"retention.ms": "-1"})
        assert not await ensure_topic(admin, settings.log_topic, {"retention.ms": "-1"})


async def test_a_topic_that_kafka_will_not_make_is_named_with_kafkas_reason(settings: Settings) -> None:
    async with admin_client(settings) as admin:
        with pytest.raises(KafkaRefused, match=r"yesser\.bad.*InvalidConfiguration"):
            await ensure_topic(admin, "yesser.bad", {"retention.ms": "soon"})


async def test_an_agency_topic_is_kept_for_ever_and_unpacked_by_the_broker(settings: Settings) -> None:
    await _admit(settings, "moi", "secret-of-moi")
    async with admin_client(settings) as admin:
        (described,) = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, agency_topic("moi"))])
    found = {entry[0]: entry[1] for entry in described.resources[0][4]}
    assert {name: found[name] for name in AGENCY_TOPIC_CONFIG} == dict(AGENCY_TOPIC_CONFIG)


async def test_a_compression_bomb_is_refused_by_the_broker(settings: Settings) -> None:
    await _admit(settings, "moi", "secret-of-moi")
    producer = AIOKafkaProducer(
        compression_type="zstd", max_request_size=8 << 20, **client_arguments(settings, "agency-moi")
    )
    await producer.start()
    try:
        with pytest.raises(MessageSizeTooLargeError):
            await asyncio.wait_for(producer.send_and_wait(agency_topic("moi"), b"0" * (4 << 20)), 20)
    finally:
        await producer.stop()


async def test_a_changed_password_and_a_removed_user_are_obeyed_at_once(settings: Settings) -> None:
    await _admit(settings, "moi", "first")
    async with admin_client(settings) as admin:
        await create_scram_user(admin._client, "agency-moi", "second")
    with pytest.raises(KafkaError):
        await _say(settings, "agency-moi", agency_topic("moi"))
    write_private(settings.home / "secrets" / "kafka-agency-moi", "second")
    await _say(settings, "agency-moi", agency_topic("moi"))
    async with admin_client(settings) as admin:
        await delete_acls(admin._client, "agency-moi")
        await delete_scram_user(admin._client, "agency-moi")
        await delete_scram_user(admin._client, "agency-moi")
    with pytest.raises(KafkaError):
        await _say(settings, "agency-moi", agency_topic("moi"))
