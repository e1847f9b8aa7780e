"""Puts rebuilt tables in the place of the live ones, while the live consumer stands for a moment only.

Everything that takes long is done before or after: under the lock of the live position a few entries are folded and
names change. A suspended process loses the lock by PostgreSQL's own limits.
"""

from __future__ import annotations

import asyncio
from enum import Enum, auto
from typing import Final

import asyncpg

from consumers.replay.fold.replay import Progress
from consumers.replay.rebuild.lasting_scratch import LastingScratch
from consumers.replay.rebuild.live import CATCH_UPS_MAX, catch_up, kept_rules
from infra.log.ports.read_ahead import BATCH_ENTRIES, read_parsed
from infra.observability.logs import LogOnce
from infra.postgres.roles import grant_rights_of
from infra.postgres.sql import queries
from infra.settings import Settings

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
