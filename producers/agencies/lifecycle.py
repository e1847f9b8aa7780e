"""An agency's lifecycle after registration: password rotation, suspension, resumption. All are idempotent.

Every gateway refuses a suspended agency's tokens within seconds. Kafka revokes its right to write at once, also on open
connections. What it has sent stays in its topic, and the registrar continues to read it.
"""

from __future__ import annotations

import secrets
from typing import Final

from events.errors import YesserError
from infra.kafka.admin import admin_client, create_acls, create_scram_user, delete_acls
from infra.kafka.clients import raw_client
from infra.kafka.rights import agency_rights, agency_user
from infra.postgres.connection import Connection
from infra.postgres.sql import queries
from infra.settings import Settings

_SECRET_BYTES: Final = 32
_NEVER_SUSPENDED: Final = frozenset({"platform", "yesser"})
_SQL: Final = queries("producers.agencies", "tokens.sql")


class StatusUnchanged(YesserError):
    """The agency's status could not be changed; the message gives the reason."""


async def rotate(connection: Connection, settings: Settings, code: str) -> str:
    """Give the agency a new Kafka password and return it; it is kept nowhere. Kafka refuses the old one from now on."""
    await _require_agency(connection, code)
    made = secrets.token_urlsafe(_SECRET_BYTES)
    async with admin_client(settings) as admin:
        await create_scram_user(raw_client(admin), agency_user(code), made)
    return made


async def suspend(connection: Connection, settings: Settings, code: str, reason: str) -> None:
    """Refuse the agency's tokens and revoke its Kafka rights."""
    await _require_agency(connection, code)
    if code in _NEVER_SUSPENDED:
        raise StatusUnchanged(f"{code} cannot be suspended: the platform needs it.")
    await connection.execute(_SQL["suspend"], code, reason)
    if settings.kafka_security.startswith("SASL"):
        async with admin_client(settings) as admin:
            await delete_acls(raw_client(admin), agency_user(code))


async def resume(connection: Connection, settings: Settings, code: str) -> None:
    """Restore the agency's tokens and Kafka rights."""
    await _require_agency(connection, code)
    if settings.kafka_security.startswith("SASL"):
        async with admin_client(settings) as admin:
            await create_acls(raw_client(admin), agency_rights(code))
    await connection.execute(_SQL["resume"], code)


async def is_suspended(connection: Connection, code: str) -> bool:
    return bool(await connection.fetchval(_SQL["is_suspended"], code))


async def _require_agency(connection: Connection, code: str) -> None:
    if await connection.fetchval(_SQL["agency_role"], code) is None:
        raise StatusUnchanged(f"{code} is not registered: see `yesser agencies list`.")
