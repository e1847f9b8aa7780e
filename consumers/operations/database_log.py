"""The log in the platform's database, as an auditor's source."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from consumers.audit.port import LogPort, PostgresPort
from infra.log.signed_note import Verifier
from infra.postgres.connection import connected
from infra.settings import Settings


@asynccontextmanager
async def database_log(settings: Settings, verifier: Verifier) -> AsyncIterator[LogPort]:
    """A connection for long reads, closed at the end of the block."""
    async with connected(settings.acting_as("auditor"), "audit", batch=True) as connection:
        yield PostgresPort(connection, verifier)
