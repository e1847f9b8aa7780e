"""Connections to PostgreSQL: where the database is, what each session promises, and which errors pass by themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias

import asyncpg
import orjson

from events.errors import YesserError
from infra.settings import Settings

if TYPE_CHECKING:
    Connection: TypeAlias = asyncpg.Connection[Any]
    Pool: TypeAlias = asyncpg.Pool[Any]
else:  # asyncpg's classes are generic for the type checker only
    Connection = asyncpg.Connection
    Pool = asyncpg.Pool

TRANSIENT_ERRORS: Final = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # what the driver says when the session dies between two statements of a transaction
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.QueryCanceledError,
    asyncpg.TooManyConnectionsError,
    asyncpg.InsufficientResourcesError,
    asyncpg.SerializationError,
    asyncpg.DeadlockDetectedError,
)
"""Errors after which the same work may be tried again: the outcome of a commit is then unknown until it is read."""


def passes_by_itself(error: BaseException) -> bool:
    """Whether the same work may be tried again. A value that does not fit its column is a bug, though the driver files
    it under the errors of a connection."""
    return isinstance(error, TRANSIENT_ERRORS) and not isinstance(error, ValueError)


class NoDatabase(YesserError):
    """No PostgreSQL is named and no embedded stack was started here. Run `yesser up`, or set YESSER_POSTGRES."""


def address(settings: Settings) -> str:
    """The `postgresql://` address: the given one, else that of the embedded stack."""
    if settings.postgres:
        return settings.postgres
    stack = settings.stack()
    if stack is None or "postgres" not in stack:
        raise NoDatabase(NoDatabase.__doc__)
    recorded: str = stack["postgres"]["address"]
    password = settings.secret("postgres-yesser")
    return recorded if password is None else recorded.replace("yesser@", f"yesser:{password}@", 1)


async def prepare(connection: Connection) -> None:
    """jsonb as Python objects, exactly as written (integers stay integers)."""
    await connection.set_type_codec(
        "jsonb",
        schema="pg_catalog",
        format="binary",
        encoder=lambda value: b"\x01" + orjson.dumps(value),
        decoder=lambda data: orjson.loads(data[1:]),
    )


def _server_settings(settings: Settings, application: str, batch: bool) -> dict[str, str]:
    return {
        "application_name": f"yesser {application}",
        "timezone": "UTC",
        "statement_timeout": "0" if batch else str(settings.statement_timeout_ms),
        "idle_in_transaction_session_timeout": "0" if batch else str(settings.idle_in_transaction_timeout_ms),
        "jit": "off",
        "tcp_user_timeout": "10000",
    }


async def connect(settings: Settings, application: str = "tool", *, batch: bool = False) -> Connection:
    """One connection. A `batch` job (rebuild, mirror) has no statement timeout."""
    connection: Connection = await asyncpg.connect(
        address(settings),
        timeout=settings.postgres_connect_timeout_s,
        server_settings=_server_settings(settings, application, batch),
    )
    await prepare(connection)
    return connection


async def create_pool(settings: Settings, application: str, *, size: int = 4) -> Pool:
    """A pool of at most `size` connections, opened as they are needed."""
    pool: Pool = await asyncpg.create_pool(
        address(settings),
        min_size=0,
        max_size=size,
        timeout=settings.postgres_connect_timeout_s,
        init=prepare,
        server_settings=_server_settings(settings, application, batch=False),
    )
    return pool
