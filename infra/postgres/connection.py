"""Connections to PostgreSQL: the address, the role, the session settings, and which errors are transient.

A database that accepts connections and never answers (a stopped machine, a cut line) is detected by a timeout: the
server ends a statement before `ANSWER_MARGIN_S` more have passed, so a later answer never comes. Idle sessions rely on
TCP keepalive. An address may name several servers: a connection is to the primary, and while there is none it fails as
where the database is away.
"""

from __future__ import annotations

import socket
from asyncio.staggered import staggered_race
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NotRequired, TypeAlias, TypedDict
from urllib.parse import urlsplit

import asyncpg
import orjson
from msgspec import UNSET

from events.errors import Halt, YesserError
from infra.principals import database_role
from infra.settings import Settings, places
from infra.tls.client import postgres_context

if TYPE_CHECKING:
    Connection: TypeAlias = asyncpg.Connection[Any]
    Pool: TypeAlias = asyncpg.Pool[Any]
else:  # asyncpg's classes are generic for the type checker only
    Connection = asyncpg.Connection
    Pool = asyncpg.Pool


class RestoredCopy(asyncpg.CannotConnectNowError):
    """The database was restarted or restored, and no text of an event is read before the registrar has compared it with
    the log: a later entry may withhold the text."""

    sqlstate = "YE001"


TRANSIENT_ERRORS: Final = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # raised when the session dies between two statements of a transaction
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.InvalidPasswordError,  # replaced, and the new file is not on this machine yet
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.TransactionTimeoutError,
    asyncpg.LockNotAvailableError,
    asyncpg.ReadOnlySQLTransactionError,  # a standby that is not promoted
    asyncpg.PostgresIOError,
    asyncpg.QueryCanceledError,
    asyncpg.TooManyConnectionsError,
    asyncpg.InsufficientResourcesError,
    asyncpg.SerializationError,
    asyncpg.DeadlockDetectedError,
)
"""Errors after which the same work may be retried. The outcome of a commit is then unknown until it is read."""


def is_transient(error: BaseException) -> bool:
    """Whether the same work may be retried. A value that does not fit its column is a bug, though the driver raises a
    connection error for it."""
    return isinstance(error, TRANSIENT_ERRORS) and not isinstance(error, ValueError)


ANSWER_MARGIN_S: Final = 5.0
"""Longest wait for the server's answer after the statement timeout."""

NEXT_SERVER_S: Final = 1.0
"""A server that has not answered for so long may be a lost machine: the next one is tried beside it."""

_primaries: Final[dict[str, tuple[int, str, int]]] = {}
"""Address → the newest timeline of its database that this process has seen, since each promotion begins one, and host
and port of the server that had it."""

_SOCKET_OPTIONS: Final = (
    (socket.SOL_SOCKET, "SO_KEEPALIVE", 1),
    (socket.IPPROTO_TCP, "TCP_KEEPIDLE", 10),
    (socket.IPPROTO_TCP, "TCP_KEEPINTVL", 3),
    (socket.IPPROTO_TCP, "TCP_KEEPCNT", 3),
    (socket.IPPROTO_TCP, "TCP_USER_TIMEOUT", 20_000),
)
"""Probes after ten idle seconds; the connection ends after twenty without an answer. Not every system has all."""


class NoDatabase(YesserError):
    """No PostgreSQL is configured and no embedded stack was started here. Run `yesser up`, or set YESSER_POSTGRES."""


class NoPassword(YesserError):
    """A principal has no password for PostgreSQL here; the message names the file that it is read from."""


class Login(TypedDict):
    """Arguments of asyncpg."""

    dsn: str
    user: NotRequired[str]
    password: NotRequired[str]


def address(settings: Settings) -> str:
    """The `postgresql://` address of the settings, else of the embedded stack. It has no password of ours."""
    if settings.postgres:
        return settings.postgres
    server = settings.stack().postgres
    if server is None or server.address is UNSET:
        raise NoDatabase(NoDatabase.__doc__)
    return server.address


def servers(dsn: str) -> list[tuple[str, int]]:
    """Host and port of each server that an address names: a primary and its standbys."""
    return [*places(urlsplit(dsn).netloc.rpartition("@")[2], 5432)]


def primary(dsn: str) -> list[tuple[str, int]]:
    """Those of the server that was the primary when this process connected last; before that, of all."""
    return [_primaries[dsn][1:]] if dsn in _primaries else servers(dsn)


def database_name(settings: Settings) -> str:
    """The name of the database; `yesser` where no address is configured."""
    return (urlsplit(settings.postgres or "").path or "/yesser")[1:]


def login(settings: Settings) -> Login:
    """Address, role and password as asyncpg's arguments. An address with a user is used as it is,
    and so is one without a principal.

    Raises `NoDatabase` or `NoPassword`.
    """
    dsn = address(settings)
    if urlsplit(dsn).username or not settings.principal:
        return {"dsn": dsn}
    return {"dsn": dsn, "user": database_role(settings.principal), "password": _passwords(settings)[0]}


def _passwords(settings: Settings) -> list[str]:
    if passwords := settings.passwords("postgres"):
        return passwords
    raise NoPassword(
        f"{settings.principal} has no password for PostgreSQL here: run this where"
        f" {settings.secret_path('postgres')} is, or write the password into that file (docs/security.md)."
    )


async def prepare(connection: Connection) -> None:
    """Set jsonb to be decoded without loss (integers stay integers), and TCP keepalive."""
    line = connection._transport.get_extra_info("socket")  # type: ignore[attr-defined]
    if line is not None and line.family != socket.AF_UNIX:
        for level, name, value in _SOCKET_OPTIONS:
            if hasattr(socket, name):
                line.setsockopt(level, getattr(socket, name), value)
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
        # Never "$user": a schema of that name could stand before the platform's tables.
        "search_path": "public",
        "statement_timeout": "0" if batch else str(settings.statement_timeout_ms),
        "idle_in_transaction_session_timeout": "0" if batch else str(settings.idle_in_transaction_timeout_ms),
        "jit": "off",
        "tcp_user_timeout": "10000",
    }


def _answer_timeout_s(settings: Settings) -> float:
    return settings.statement_timeout_ms / 1000 + ANSWER_MARGIN_S


async def _open(settings: Settings, dsn: str, **arguments: Any) -> Connection:
    """Connect with the password as its file says now. During its rotation there are two, of which the server takes
    one."""
    if "password" not in arguments:
        return await _open_primary(dsn, **arguments)
    refused: set[str] = set()
    while True:
        passwords = _passwords(settings)
        password = next((text for text in passwords if text not in refused), passwords[0])
        try:
            opened = await _open_primary(dsn, **arguments | {"password": password})
        except asyncpg.InvalidPasswordError:
            refused.add(password)
            if refused.issuperset(_passwords(settings)):
                raise
        else:
            return opened


async def _open_primary(dsn: str, **arguments: Any) -> Connection:
    """Connect to the only server of the address, or to the one of several that is the primary."""
    named = servers(dsn)
    found: Connection | None
    if len(named) < 2:
        found = await asyncpg.connect(dsn, **arguments)
        return found
    attempts = [partial(_open_server, dsn, host, port, **arguments) for host, port in named]
    found, _, results = await staggered_race(attempts, NEXT_SERVER_S)
    if found is not None:
        return found
    # What a server said, above all why it is not trusted, tells an operator more than that another one is away.
    errors = [error for error in results if error is not None]
    raise max(errors, key=lambda error: (isinstance(error, Halt), not isinstance(error, OSError)))


async def _open_server(dsn: str, host: str, port: int, **arguments: Any) -> Connection:
    """Connect to this server if it is the primary. One that was replaced and came back as it was still says that it
    is: its timeline is older than one that this process has seen."""
    arguments |= {"host": host, "port": port, "target_session_attrs": "read-write"}
    connection: Connection = await asyncpg.connect(dsn, **arguments)
    timeline = int((await connection.fetchval("SELECT pg_walfile_name(pg_current_wal_lsn())"))[:8], 16)
    if dsn in _primaries and timeline < _primaries[dsn][0]:
        connection.terminate()
        raise asyncpg.TargetServerAttributeNotMatched(
            f"the primary {host}:{port} was replaced: make it a standby of the new one (docs/high-availability.md)"
        )
    _primaries[dsn] = timeline, host, port
    return connection


async def connect(settings: Settings, application: str = "tool", *, batch: bool = False) -> Connection:
    """A connection. A `batch` job (rebuild, mirror) has no statement timeout.

    A statement without an answer within a little more than the server's timeout raises `TimeoutError`. Raises
    `PlaintextRefused` and `NotTrusted`.
    """
    arguments = login(settings)
    connection = await _open(
        settings,
        **arguments,
        ssl=postgres_context(settings, arguments["dsn"]),
        timeout=settings.postgres_connect_timeout_s,
        command_timeout=None if batch else _answer_timeout_s(settings),
        server_settings=_server_settings(settings, application, batch),
    )
    await prepare(connection)
    return connection


async def limit_idle(connection: Connection, settings: Settings) -> None:
    """Let the database end a transaction of a `batch` job that does nothing: a suspended process must not hold a
    snapshot and its locks."""
    await connection.execute(f"SET idle_in_transaction_session_timeout = {settings.idle_in_transaction_timeout_ms}")


@asynccontextmanager
async def connected(settings: Settings, application: str, *, batch: bool = False) -> AsyncIterator[Connection]:
    """A connection (see `connect`) for the length of the block."""
    async with closed_after(await connect(settings, application, batch=batch)) as connection:
        yield connection


@asynccontextmanager
async def closed_after(connection: Connection) -> AsyncIterator[Connection]:
    """Close a connection at the end of the block, if need be without an answer."""
    try:
        yield connection
    except AttributeError as error:
        # How asyncpg fails where the connection is cut between two steps of a query: an error of the connection.
        if not connection.is_closed():
            raise
        raise asyncpg.ConnectionDoesNotExistError("the connection was cut") from error
    finally:
        with suppress(*TRANSIENT_ERRORS):
            await connection.close(timeout=1)


async def create_pool(settings: Settings, application: str, *, size: int = 4) -> Pool:
    """A pool of at most `size` connections, opened on demand. Raises `PlaintextRefused`."""
    arguments = login(settings)
    pool: Pool = await asyncpg.create_pool(
        **arguments,
        connect=partial(_open, settings),
        ssl=postgres_context(settings, arguments["dsn"]),
        min_size=0,
        max_size=size,
        timeout=settings.postgres_connect_timeout_s,
        command_timeout=_answer_timeout_s(settings),
        init=prepare,
        server_settings=_server_settings(settings, application, batch=False),
    )
    return pool
