"""The outbox of an agency: its own transaction and its event stand or fall together.

async with connection.transaction():
    await connection.execute("UPDATE service SET launched = true WHERE id = $1", "S-1")
    await outbox.add(connection, typed_event("health", launched, "launch-S-1", "2006-01-01T09:00:00+03:00"))

The table is in the agency's own database (`outbox.sql`); `producers.outbox.relay` sends its rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias

import asyncpg
import orjson

from events.errors import YesserError
from events.validation.verdicts import Agency
from events.values.fields import Role
from events.wire.envelope import source_of
from infra.postgres.connection import Connection, connect
from infra.postgres.sql import queries, read
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


class NoOutbox(YesserError):
    """The agency's database cannot be used: set YESSER_OUTBOX_POSTGRES to its address, run `yesser outbox install`."""


async def add(connection: AnyConnection, *events: bytes, role: Role = "agency") -> None:
    """Put events into the outbox, in this order, in the caller's transaction: they leave if and when it commits.

    Until then other transactions that add an event of the same subject wait, so do this last. Raises `FaultyEvent`
    where the registrar would refuse an event of an agency in this role, and asyncpg's `UniqueViolationError` where
    the outbox has an event with this id already.
    """
    for event in events:
        require_form(event, Agency(_code_of(event), role))
    await connection.execute(SQL["add"], [event.decode() for event in events])


def schema_text() -> str:
    """The SQL that makes the outbox."""
    return read("producers.outbox", "outbox.sql")


async def install(connection: Connection) -> bool:
    """Make the outbox in this database unless it is there; returns whether it was made."""
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
    """The settings with the agency's own database in the place of the platform's, which is never meant here."""
    if settings.outbox_postgres is None:
        raise NoOutbox
    return settings.model_copy(update={"postgres": settings.outbox_postgres})


async def open_database(settings: Settings, application: str) -> Connection:
    """A connection to the agency's own database. Raises `NoOutbox` where it does not let us in."""
    try:
        return await connect(agency_database(settings), application)
    except ValueError as error:
        # The driver's words may repeat a part of the password.
        raise NoOutbox(
            "YESSER_OUTBOX_POSTGRES is not a PostgreSQL address: write postgresql://user:password@host:port/database."
        ) from error
    except (asyncpg.InvalidAuthorizationSpecificationError, asyncpg.InvalidCatalogNameError) as error:
        raise NoOutbox(f"{NoOutbox.__doc__} ({error})") from error


async def require_outbox(connection: Connection) -> None:
    """Raises `NoOutbox` where none was installed."""
    if not await connection.fetchval(SQL["installed"]):
        raise NoOutbox


def _code_of(event: bytes) -> str:
    """The agency's code as the event claims it; what is no such source the door names."""
    try:
        source = orjson.loads(event)["source"]
    except (ValueError, TypeError, KeyError):
        return ""
    return str(source).removeprefix(source_of(""))
