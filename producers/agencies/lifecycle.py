"""An agency's standing: a new Kafka password, suspension, resumption. All may be repeated.

A suspended agency's tokens are refused by every gateway within seconds, and its right to write on Kafka is taken at
once, also from connections that are open. What it has sent stays, and the registrar goes on reading its topic.
"""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Final

from events.errors import YesserError
from infra.data_dir import DataDir
from infra.kafka.admin import admin_client, agency_rights, agency_user, create_acls, create_scram_user, delete_acls
from infra.postgres.connection import Connection
from infra.postgres.sql import queries
from infra.secret_files import write_private
from infra.settings import Settings

_SECRET_BYTES: Final = 32
_NEVER_SUSPENDED: Final = frozenset({"platform", "yesser"})
_SQL: Final = queries("producers.agencies", "tokens.sql")


class StatusUnchanged(YesserError):
    """The agency's standing could not be changed; the message says why."""


async def rotate(connection: Connection, settings: Settings, code: str) -> Path:
    """Give the agency a new Kafka password; returns the file that holds it. The old one is refused from now on."""
    await _require_agency(connection, code)
    home = DataDir.at(settings.home)
    home.create()
    made = secrets.token_urlsafe(_SECRET_BYTES)
    path = home.secrets / f"kafka-{agency_user(code)}"
    async with admin_client(settings) as admin:
        await create_scram_user(admin._client, agency_user(code), made)
    # After the broker has it: a file with a password that nobody takes would look right and be useless.
    write_private(path, made)
    return path


async def suspend(connection: Connection, settings: Settings, code: str, reason: str) -> None:
    """Refuse the agency's tokens and take its rights on Kafka."""
    await _require_agency(connection, code)
    if code in _NEVER_SUSPENDED:
        raise StatusUnchanged(f"{code} cannot be suspended: the platform does not run without it.")
    await connection.execute(_SQL["suspend"], code, reason)
    if settings.kafka_security.startswith("SASL"):
        async with admin_client(settings) as admin:
            await delete_acls(admin._client, agency_user(code))


async def resume(connection: Connection, settings: Settings, code: str) -> None:
    """Give back what the suspension took."""
    await _require_agency(connection, code)
    if settings.kafka_security.startswith("SASL"):
        async with admin_client(settings) as admin:
            await create_acls(admin._client, agency_rights(code))
    await connection.execute(_SQL["resume"], code)


async def is_suspended(connection: Connection, code: str) -> bool:
    """Whether the agency may not send for now."""
    return bool(await connection.fetchval(_SQL["is_suspended"], code))


async def _require_agency(connection: Connection, code: str) -> None:
    if await connection.fetchval(_SQL["agency_role"], code) is None:
        raise StatusUnchanged(f"{code} is not registered: see `yesser agencies list`.")
