"""An agency's outbox: the event is committed with the transaction that caused it.

async with connection.transaction():
    await connection.execute("UPDATE service SET launched = true WHERE id = $1", "S-1")
    await outbox.add(connection, typed_event("health", launched, "launch-S-1", "2006-01-01T09:00:00+03:00"))

The table is in the agency's database (`outbox.sql`); `producers.outbox.relay` sends its rows.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import asyncpg
import orjson
from msgspec import Struct

from events.errors import YesserError
from events.validation.verdicts import Agency
from events.values.fields import Role
from events.wire.envelope import source_of
from infra.postgres.connection import Connection, connect
from infra.postgres.sql import queries, read
from infra.process.lease import holders
from infra.settings import Settings
from producers.sdk.typed_events import require_form

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

    AnyConnection: TypeAlias = Connection | PoolConnectionProxy[Any]
else:
    AnyConnection = Connection

LEASE: Final = "outbox"
LEASE_TABLE: Final = "yesser.outbox_lease"
CHANNEL: Final = "yesser_outbox"
SQL: Final = queries("producers.outbox", "queries.sql")
_LOCK: Final = 7_370_003
REFUSED_SHOWN_MAX: Final = 20


class NoOutbox(YesserError):
    """The outbox is not available: set YESSER_OUTBOX_POSTGRES to its database and run `yesser outbox install`."""


async def add(connection: AnyConnection, *events: bytes, role: Role = "agency") -> None:
    """Put events into the outbox, in this order, in the caller's transaction: they are sent once it commits.

    Until then other transactions that add an event with the same subject wait, so call this last. Raises `FaultyEvent`
    if the registrar would refuse an event of an agency in this role, and asyncpg's `UniqueViolationError` if the
    outbox already has an event with this id.
    """
    for event in events:
        require_form(event, Agency(_code_of(event), role))
    await connection.execute(SQL["add"], [event.decode() for event in events])


def schema_text() -> str:
    """The SQL that creates the outbox."""
    return read("producers.outbox", "outbox.sql")


async def install(connection: Connection) -> bool:
    """Create the outbox unless it exists; returns whether it was created."""
    encoding = await connection.fetchval("SHOW server_encoding")
    if encoding != "UTF8":
        raise NoOutbox(f"The database has the encoding {encoding}; an event's bytes are UTF-8: use a UTF8 database.")
    async with connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)
        if await connection.fetchval(SQL["installed"]):
            return False
        await connection.execute(schema_text())
    return True


def agency_database(settings: Settings) -> Settings:
    """The settings with the agency's database instead of the platform's."""
    if settings.outbox_postgres is None:
        raise NoOutbox
    return settings.model_copy(update={"postgres": settings.outbox_postgres}).acting_as("")


async def open_database(settings: Settings, application: str) -> Connection:
    """A connection to the agency's database. Raises `NoOutbox` if it refuses the connection."""
    try:
        return await connect(agency_database(settings), application)
    except ValueError as error:
        # The driver's message may repeat part of the password.
        raise NoOutbox(
            "YESSER_OUTBOX_POSTGRES is not a PostgreSQL address: write postgresql://user:password@host:port/database."
        ) from error
    except (asyncpg.InvalidAuthorizationSpecificationError, asyncpg.InvalidCatalogNameError) as error:
        raise NoOutbox(f"{NoOutbox.__doc__} ({error})") from error


async def require_outbox(connection: Connection) -> None:
    """Raises `NoOutbox` if none is installed."""
    if not await connection.fetchval(SQL["installed"]):
        raise NoOutbox


class Waiting(Struct):
    """An event that waits to be sent; `age_s` in seconds."""

    id: str
    added_at: datetime
    age_s: float


class LastSent(Struct):
    """The event that was sent last, and its address in Kafka."""

    id: str
    sent_at: datetime
    address: str


class RefusedEvent(Struct):
    """An event that is not sent, because it would be refused."""

    row_id: int
    id: str
    added_at: datetime
    faults: list[dict[str, str]]


class RelayState(Struct):
    """The relay that `works` or was the last to."""

    owner: str
    epoch: int
    works: bool


class OutboxStatus(Struct, kw_only=True):
    """The answer of `yesser outbox status --json`; None for what there is not."""

    waiting: int
    oldest: Waiting | None
    last_sent: LastSent | None
    refused: int
    refused_last: list[RefusedEvent]
    relay: RelayState | None


async def read_status(connection: Connection, settings: Settings) -> OutboxStatus:
    """What waits, what was sent, and what is refused. Raises `NoOutbox`."""
    await require_outbox(connection)
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        oldest, last = await connection.fetchrow(SQL["oldest"]), await connection.fetchrow(SQL["last_sent"])
        leases = await holders(connection, settings, table=LEASE_TABLE)
        return OutboxStatus(
            waiting=await connection.fetchval(SQL["waiting_count"]),
            oldest=None if oldest is None else Waiting(*oldest),
            last_sent=None if last is None else LastSent(*last),
            refused=await connection.fetchval(SQL["refused_count"]),
            refused_last=[RefusedEvent(*row) for row in await connection.fetch(SQL["refused"], REFUSED_SHOWN_MAX)],
            relay=RelayState(leases[0]["owner"], leases[0]["epoch"], leases[0]["held"]) if leases else None,
        )


def _code_of(event: bytes) -> str:
    """The agency's code from the event's source; validation reports a source that has none."""
    try:
        source = orjson.loads(event)["source"]
    except (ValueError, TypeError, KeyError):
        return ""
    return str(source).removeprefix(source_of(""))
