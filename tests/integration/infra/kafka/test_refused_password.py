"""A password that Kafka refuses ends a command within seconds, and a process tries again until it is set."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import pytest
from aiokafka.errors import KafkaConnectionError, SaslAuthenticationFailed, TopicAuthorizationFailedError

from consumers.relay.wait_command import PipelineStatus, _unread
from infra.cli import foreseen
from infra.kafka.admin import admin_client, allow_agency, ensure_agency_topic
from infra.kafka.clients import consuming, producing
from infra.kafka.rights import agency_user
from infra.principals import kafka_user
from infra.process.reaction import Reaction, reaction_to
from infra.secret_files import write_private
from infra.settings import Settings
from producers.publisher.kafka_publisher import AgencyPublisher
from tests.every import every
from tests.world.topics import HEALTH_TOPIC

AT_ONCE_S = 15.0
CLIENTS: dict[str, Callable[[Settings], AbstractAsyncContextManager[object]]] = {
    "administrator": admin_client,
    "consumer": consuming,
    "producer": producing,
    "publisher": lambda settings: AgencyPublisher(settings, "health"),
}


def refused(settings: Settings) -> Settings:
    return settings.model_copy(update={"kafka_user": kafka_user("operator"), "kafka_password": "another"})


@every("client", CLIENTS)
async def test_a_refused_password_is_said_at_once_and_a_process_goes_on_trying(settings: Settings, client: str) -> None:
    async with asyncio.timeout(AT_ONCE_S):
        with pytest.raises(SaslAuthenticationFailed) as raised:
            async with CLIENTS[client](refused(settings)):
                pass
    sentence = "Kafka refuses this user or password: see YESSER_KAFKA_USER and YESSER_KAFKA_PASSWORD."
    assert foreseen(raised.value) == sentence
    assert reaction_to(raised.value) is Reaction.RETRY


async def test_a_command_that_waits_does_not_wait_for_a_refused_password(settings: Settings) -> None:
    status = PipelineStatus(0, 0, 0, 0, 0, positions={}, next_offsets={})
    with pytest.raises(SaslAuthenticationFailed):
        await _unread(refused(settings), status)


async def test_an_agencys_credentials_end_a_command_of_the_platform_with_what_to_do(settings: Settings) -> None:
    async with admin_client(settings) as admin:
        await ensure_agency_topic(admin, "health", settings)
        await allow_agency(admin, settings, "justice", "secret-of-justice")
    justice = settings.model_copy(update={"kafka_user": agency_user("justice"), "kafka_password": "secret-of-justice"})
    status = PipelineStatus(0, 0, 0, 0, 0, positions={}, next_offsets={HEALTH_TOPIC: 0})
    with pytest.raises(TopicAuthorizationFailedError) as raised:
        await _unread(justice, status)
    sentence = "Kafka does not give this user the right: unset YESSER_KAFKA_USER to act as the operator."
    assert foreseen(raised.value) == sentence


async def test_of_two_passwords_during_a_rotation_one_is_enough(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    relay = settings.acting_as("relay")
    following = relay.secret_path("kafka.next")
    monkeypatch.setattr(secrets, "choice", lambda passwords: passwords[-1])
    write_private(following, "another")
    try:
        with pytest.raises(KafkaConnectionError):
            async with producing(relay):
                pass
    finally:
        following.unlink()
