"""An agency's lifecycle after registration: password rotation, suspension, resumption. All are idempotent.

A suspension takes effect at once: gateways refuse the agency's tokens within seconds, and Kafka its writes, also on
open connections. It is also an event of the platform, as is its end, which takes effect with its entry. What the agency
has sent stays in its topic, and the registrar continues to read it.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping
from typing import Final

from events.errors import Retry, YesserError
from events.values.data import Data
from events.wire.entry import recorded_time
from infra.clock import Clock
from infra.kafka.admin import admin_client, create_acls, create_scram_user, delete_acls
from infra.kafka.clients import raw_client
from infra.kafka.rights import agency_rights, agency_user
from infra.keys.second_person import ask
from infra.postgres.connection import Connection
from infra.postgres.outbox import PLATFORM, OutboxEvent
from infra.postgres.outbox_table import NotAnnounced, require_accepted, write
from infra.postgres.sql import queries
from infra.postgres.trail import add_to_trail
from infra.settings import Settings

_SECRET_BYTES: Final = 32
_NONCE_BYTES: Final = 6
_POLL_S: Final = 0.05
_NEVER_SUSPENDED: Final = frozenset({"platform", "yesser"})
_SQL: Final = queries("producers.agencies", "tokens.sql")


class StatusUnchanged(YesserError):
    """The agency's status could not be changed; the message gives the reason."""


class NotResumedYet(Retry):
    """The end of the suspension is not registered yet: look at `yesser status`, then run the same command again."""


def announcement(kind: str, id: str, data: Data, clock: Clock) -> OutboxEvent:
    """The event `registry.KIND` of the agency `data["code"]`. Raises `NotAnnounced` for one that would be refused."""
    event = OutboxEvent(
        id=id,
        type=f"registry.{kind}",
        subject=f"agency/{data['code']}",
        data=data,
        time=recorded_time(clock()),
        cause_index=None,
    )
    require_accepted(event)
    return event


async def rotate(connection: Connection, settings: Settings, code: str) -> str:
    """Give the agency a new Kafka password and return it; it is kept nowhere. Kafka refuses the old one from now on.

    Raises `StatusUnchanged`.
    """
    await require_agency(connection, code)
    made = secrets.token_urlsafe(_SECRET_BYTES)
    await add_to_trail(connection, "agencies rotate", code)
    async with admin_client(settings) as admin:
        await create_scram_user(raw_client(admin), agency_user(code), made)
    return made


async def suspend(
    connection: Connection,
    settings: Settings,
    code: str,
    reason: Mapping[str, str],
    clock: Clock,
    break_glass: str | None = None,
) -> None:
    """Refuse the agency's tokens, revoke its Kafka rights, and announce it. `reason` is in Arabic and English.

    Raises `NeedsSecondPerson` where two people have still to confirm it, unless `break_glass` says why one acts.
    """
    if code in _NEVER_SUSPENDED:
        raise StatusUnchanged(f"{code} cannot be suspended: the platform needs it.")
    await require_agency(connection, code)
    event = _announcement("suspended", code, reason, clock)
    request = {"code": code, "reason": dict(reason)}
    changes = await connection.fetchval(_SQL["can_be_suspended"], code)
    permit = await ask(connection, settings, "agencies suspend", request, break_glass) if changes else None
    async with connection.transaction():
        if permit is not None and await connection.fetchval(
            _SQL["request_suspension"], code, event.data["reason"], event.id
        ):
            await permit.use(connection)
            await write(connection, [event])
            await add_to_trail(connection, "agencies suspend", code)
    if settings.kafka_security.startswith("SASL"):
        async with admin_client(settings) as admin:
            await delete_acls(raw_client(admin), agency_user(code))


async def resume(
    connection: Connection,
    settings: Settings,
    code: str,
    reason: Mapping[str, str],
    clock: Clock,
    timeout_s: float = 30.0,
) -> None:
    """Announce the end of the suspension, wait for its entry, and restore the agency's Kafka rights.

    Raises `StatusUnchanged`, or `NotResumedYet` after `timeout_s`.
    """
    await require_agency(connection, code)
    event = _announcement("resumed", code, reason, clock)
    async with connection.transaction():
        if await connection.fetchval(_SQL["request_resumption"], code):
            await write(connection, [event])
            await add_to_trail(connection, "agencies resume", code)
    await _until_resumed(connection, code, timeout_s)
    if settings.kafka_security.startswith("SASL"):
        async with admin_client(settings) as admin:
            await create_acls(raw_client(admin), agency_rights(code, settings))


def refuse_platform(code: str) -> None:
    """Raise `StatusUnchanged` for the platform, which gets no right and no credential of an agency."""
    if code == PLATFORM:
        raise StatusUnchanged(f"{code} is no agency: only the relay writes as the platform. Nothing was changed.")


async def is_suspended(connection: Connection, code: str) -> bool:
    return bool(await connection.fetchval(_SQL["is_suspended"], code))


async def require_agency(connection: Connection, code: str) -> None:
    """Raise `StatusUnchanged` unless it is registered, and no platform."""
    refuse_platform(code)
    if await connection.fetchval(_SQL["agency_role"], code) is None:
        raise StatusUnchanged(f"{code} is not registered: see `yesser agencies list`.")


async def _until_resumed(connection: Connection, code: str, timeout_s: float) -> None:
    try:
        async with asyncio.timeout(timeout_s):
            while await is_suspended(connection, code):  # noqa: ASYNC110 - another process is waited for
                await asyncio.sleep(_POLL_S)
    except TimeoutError:
        raise NotResumedYet(NotResumedYet.__doc__) from None


def _announcement(change: str, code: str, reason: Mapping[str, str], clock: Clock) -> OutboxEvent:
    """Each change has an id of its own: an agency may be suspended several times."""
    id = f"{change}.{code}.{secrets.token_hex(_NONCE_BYTES)}"
    try:
        return announcement(f"agency-{change}", id, {"code": code, "reason": dict(reason)}, clock)
    except NotAnnounced as error:
        raise StatusUnchanged(f"{code} cannot be {change}: {error}") from error
