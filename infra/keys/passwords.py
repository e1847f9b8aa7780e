"""Replacing the passwords of principals at PostgreSQL and Kafka, while their processes run.

A server knows one password of a user. So for each one: the next password is stored beside the one in use, the server
gets it, and its file takes the place of the old one. A process that connects between these steps has both (see
`Settings.passwords`). The command may end anywhere: the next run goes on with the password that it finds prepared.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final, Literal

from aiokafka.client import AIOKafkaClient

from infra.clock import Clock
from infra.kafka.admin import NoRight, admin_client, create_scram_user
from infra.kafka.clients import raw_client
from infra.postgres.connection import connected
from infra.postgres.roles import end_sessions, set_password
from infra.postgres.sql import queries
from infra.principals import KAFKA_PRINCIPALS, SUPERUSER, kafka_user
from infra.secret_files import next_file, next_password, use_next_password
from infra.settings import Settings

_SQL: Final = queries("infra.keys", "keys.sql")


@dataclass(frozen=True, slots=True)
class Replaced:
    """A password that was replaced. `file` is to be copied to the other machines that use it."""

    principal: str
    service: Literal["postgres", "kafka"]
    file: Path


async def rotate_passwords(
    settings: Settings, principals: Sequence[str], is_ending_sessions: bool, clock: Clock
) -> list[Replaced]:
    """Replace these principals' passwords. Needs the superuser's passwords.

    Open connections go on: Kafka's until they have to log in again, PostgreSQL's until they end, which they do now
    with `is_ending_sessions`.
    """
    done: list[Replaced] = []
    acting = settings.acting_as(SUPERUSER)
    async with AsyncExitStack() as opened:
        connection = await opened.enter_async_context(connected(acting, "passwords"))
        await connection.execute(_SQL["one_rotation"])
        kafka: AIOKafkaClient | None = None
        if settings.kafka_security.startswith("SASL"):
            kafka = raw_client(await opened.enter_async_context(admin_client(acting)))
        for principal in principals:
            path = settings.secret_path("postgres", principal)
            await _replace(path, partial(set_password, connection, principal))
            done.append(Replaced(principal, "postgres", path))
            if is_ending_sessions:
                await end_sessions(connection, principal, clock())
            if kafka is not None and principal in KAFKA_PRINCIPALS:
                path = settings.secret_path("kafka", principal)
                await _replace(path, partial(create_scram_user, kafka, kafka_user(principal)))
                done.append(Replaced(principal, "kafka", path))
    return done


async def _replace(path: Path, set_at_server: Callable[[str], Awaitable[None]]) -> None:
    is_new = not next_file(path).exists()
    try:
        await set_at_server(next_password(path))
    except NoRight:
        if is_new:
            next_file(path).unlink()  # else each login would try it, one time in two
        raise
    use_next_password(path)
