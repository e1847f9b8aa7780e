"""A password that Kafka refuses ends a command within seconds, and a process tries again until it is set."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import pytest
from aiokafka.errors import KafkaConnectionError, SaslAuthenticationFailed

from consumers.relay.wait_command import PipelineStatus, _unread
from infra.cli import foreseen
from infra.kafka.admin import admin_client
from infra.kafka.clients import consuming, producing
from infra.principals import kafka_user
from infra.process.reaction import Reaction, reaction_to
from infra.secret_files import write_private
from infra.settings import Settings
from producers.publisher.kafka_publisher import AgencyPublisher
from tests.every import every

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
    assert (foreseen(raised.value) or "").startswith("Kafka refuses this user or password: see YESSER_KAFKA_USER (")
    assert reaction_to(raised.value) is Reaction.RETRY


async def test_a_command_that_waits_does_not_wait_for_a_refused_password(settings: Settings) -> None:
    status = PipelineStatus(0, 0, 0, 0, 0, positions={}, next_offsets={})
    with pytest.raises(SaslAuthenticationFailed):
        await _unread(refused(settings), status)


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
