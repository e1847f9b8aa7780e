"""Runs a command's work on the platform's database."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

import uvloop

from infra.postgres.connection import Connection, connected
from infra.settings import Settings

Answer = TypeVar("Answer")


def with_database(settings: Settings, application: str, work: Callable[[Connection], Awaitable[Answer]]) -> Answer:
    """What `work` returns; `application` names the command to the database."""

    async def run() -> Answer:
        async with connected(settings, application) as connection:
            return await work(connection)

    return uvloop.run(run())
