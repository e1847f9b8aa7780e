"""Puts rebuilt tables in the place of the live ones, while the live consumer stands for a moment only.

Everything that takes long is done before or after: under the lock of the live position a few entries are folded and
names change. A suspended process loses the lock by PostgreSQL's own limits.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from enum import Enum, auto
from typing import Final

import asyncpg

from consumers.replay.fold.consumer import Consumer
from consumers.replay.fold.replay import Progress, Scratch, replay
from consumers.replay.fold.version import StoredRules
from events.wire.entry import Entry
from infra.log.ports.read_ahead import BATCH_ENTRIES, read_parsed
from infra.observability.logs import LogOnce
from infra.postgres.connection import Connection
from infra.postgres.roles import grant_rights_of
from infra.postgres.sql import queries
from infra.settings import Settings

_SCRATCH_SQL: Final = queries("consumers.replay.rebuild", "lasting_scratch.sql")
CATCH_UPS_MAX: Final = 5
"""Times that the replay catches up with a moving live position."""
_LIVE_SQL: Final = queries("consumers.replay.rebuild", "live.sql")
LOCK_TIMEOUT_MS: Final = 1_000
"""Longest wait for the transaction of the live consumer that is under way."""
VACUUM_ENDS_MS: Final = 2_000
"""Longest wait for PostgreSQL to end an automatic vacuum of the old tables, which it does after a second. Nothing but
vacuum waits meanwhile."""
READERS_END_MS: Final = 150
"""Longest wait for readers of the old tables. New readers and the live consumer wait behind it."""
SWAP_MS_MAX: Final = 8_000
"""PostgreSQL ends the session of a swap that takes longer, such as that of a suspended process."""
SWAP_AGAIN_S: Final = 5.0
"""Seconds between two tries while someone reads the old tables."""
SWAP_ENTRIES_MAX: Final = 512
"""Entries that may be missing when the live position is locked."""
CAUGHT_UP_ENTRIES: Final = 64
"""As many are missing at most before it is locked, where the live consumer lets the replay come so near."""
SWAP_ENTRY_BYTES: Final = 512
"""What they may have on average."""
_SQL: Final = queries("consumers.replay.rebuild", "swap.sql")
_HELD: Final = (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError)
"""Readers of several tables deadlock."""


class LastingScratch(Scratch):
    """The rebuilt tables of one version of a consumer's fold."""

    def __init__(self, connection: Connection, consumer: Consumer) -> None:
        super().__init__(connection, consumer, f"rebuild_{consumer.schema}_next", keeps_past=True)
        self.version = consumer.rows_version

    async def open(self, live_position: int) -> None:
        """Go on where a rebuild of this version was interrupted, else begin again."""
        position = await self._stored_position()
        if position is not None and position <= live_position:
            await self.use()
            self.go_on(position)
            return
        async with self.connection.transaction():
            await self.drop()
            await self.create(lasting=True)
            await self.connection.execute(_SCRATCH_SQL["create"])
            await self.connection.execute(_SCRATCH_SQL["begin"], self.version.number, self.version.sha256)

    async def apply(self, entries: Sequence[Entry]) -> None:
        await super().apply(entries)
        await self.connection.execute(_SCRATCH_SQL["move"], self.position)

    async def _stored_position(self) -> int | None:
        if not await self.connection.fetchval(_SCRATCH_SQL["exists"], f"{self.schema}.replayed"):
            return None
        stored = _SCRATCH_SQL["position"].format(schema=self.schema)
        position: int | None = await self.connection.fetchval(stored, self.version.number, self.version.sha256)
        return position


async def position_of(connection: Connection, consumer: Consumer) -> int:
    """The position of the live tables: 0 for a consumer that never ran."""
    return await connection.fetchval(_LIVE_SQL["position"], consumer.name) or 0


async def kept_rules(connection: Connection, consumer: Consumer) -> StoredRules:
    """The rules that made the live rows."""
    rules: StoredRules | None = await connection.fetchval(_LIVE_SQL["rules"], consumer.name)
    return rules or {}


async def catch_up(settings: Settings, scratch: Scratch, progress: Progress, missing_max: int) -> None:
    """Replay until at most `missing_max` entries are missing, at most `CATCH_UPS_MAX` times."""
    for _ in range(CATCH_UPS_MAX):
        position = await position_of(scratch.connection, scratch.consumer)
        await replay(settings, [scratch], position, progress)
        if await position_of(scratch.connection, scratch.consumer) - position <= missing_max:
            return


class Try(Enum):
    """How a try to swap ended. `BEHIND`: too many entries were missing; `HELD`: a session uses what must be locked."""

    SWAPPED = auto()
    BEHIND = auto()
    HELD = auto()


async def swap_in(settings: Settings, scratch: LastingScratch, progress: Progress) -> int:
    """Swap as soon as nobody reads the old tables; returns the position."""
    connection, consumer = scratch.connection, scratch.consumer
    waiting = LogOnce("the rebuilt rows wait while a session, such as a backup, reads the old tables", "swapped in")
    tries_behind = 0
    while True:
        async with connection.transaction():
            await grant_rights_of(connection, consumer.schema, scratch.schema)
        await catch_up(settings, scratch, progress, CAUGHT_UP_ENTRIES)
        before = scratch.position
        # A live consumer that is catching up itself is always a batch ahead: it then stands for as long as one takes.
        missing_max = SWAP_ENTRIES_MAX if tries_behind < CATCH_UPS_MAX else BATCH_ENTRIES
        ended = await try_swap(settings, scratch, missing_max)
        progress(scratch.position - before)
        if ended is Try.SWAPPED:
            waiting.ends(consumer=consumer.name)
            return scratch.position
        if ended is Try.BEHIND:
            tries_behind += 1
        else:
            waiting.begins(consumer=consumer.name)
            await asyncio.sleep(SWAP_AGAIN_S)


async def try_swap(settings: Settings, scratch: LastingScratch, missing_max: int) -> Try:
    """One try. What was folded is committed in any case, and the live position is free."""
    connection = scratch.connection
    names = await connection.fetchval(_SQL["live_tables"], scratch.consumer.schema)
    try:
        async with connection.transaction():
            await connection.execute(
                f"SET LOCAL transaction_timeout = {SWAP_MS_MAX}; SET LOCAL lock_timeout = {VACUUM_ENDS_MS};"
                f"SET LOCAL idle_in_transaction_session_timeout = {settings.idle_in_transaction_timeout_ms};"
                f"LOCK TABLE {names} IN SHARE UPDATE EXCLUSIVE MODE;"
                f"SET LOCAL lock_timeout = {LOCK_TIMEOUT_MS}"
            )
            position = await connection.fetchval(_SQL["locked_position"], scratch.consumer.name) or 0
            missing = position - scratch.position
            if missing > missing_max:
                return Try.BEHIND
            entries = await read_parsed(connection, scratch.position, missing, missing_max * SWAP_ENTRY_BYTES)
            if len(entries) < missing:
                return Try.BEHIND
            if entries:
                await scratch.apply(entries)
            return Try.SWAPPED if await _exchange(scratch, names) else Try.HELD
    except _HELD:  # the position, or the tables by a vacuum that a person began: nothing was folded yet
        return Try.HELD


async def _exchange(scratch: LastingScratch, names: str) -> bool:
    """Put the scratch in the place of the live schema; False, without a change, while someone reads that.

    A reader that has a snapshot keeps its tables locked until its end: in tables swapped in meanwhile it would see
    nothing. The files of the old tables are removed after the locks are free, however large they are.
    """
    connection, consumer, version = scratch.connection, scratch.consumer, scratch.version
    try:
        async with connection.transaction():
            await connection.execute(f"SET LOCAL statement_timeout = {READERS_END_MS}")
            await connection.execute(f"LOCK TABLE {names} IN ACCESS EXCLUSIVE MODE")
            await connection.execute("SET LOCAL statement_timeout = 0")
            await connection.execute(
                f"DROP TABLE {scratch.schema}.replayed; DROP SCHEMA {consumer.schema} CASCADE;"
                f"ALTER SCHEMA {scratch.schema} RENAME TO {consumer.schema}"
            )
            rules = consumer.rules().after(await kept_rules(connection, consumer)) if consumer.rules else {}
            await connection.execute(_SQL["swapped"], consumer.name, version.number, version.sha256, rules)
    except (*_HELD, asyncpg.QueryCanceledError):
        return False
    return True
