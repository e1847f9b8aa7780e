"""Rebuilds a consumer's read models from the log, compares them with the live ones row by row, or swaps them in.

1. The log is folded into a scratch schema beside the live one, up to the live position.
2. Without any lock the rebuilt rows are hashed, and compared in a snapshot of live rows and position.
3. To swap, the entries since then are folded too. Then, in one short transaction, the live position is locked, the last
   few entries are folded, and the scratch becomes the live schema. While someone reads the old tables (a backup), the
   lock is given back at once and this step alone is tried again.

A scratch that will be swapped in outlives its process (`lasting_scratch`): whatever interrupts a rebuild, the next one
goes on there. The work is done under the owner of the read models, which the caller's role may become. A rebuild writes
no outbox row, so it never sends an event twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import Any, Final

import asyncpg

from consumers.as_of.view import NotStarted
from consumers.fold.consumer import Consumer
from consumers.fold.replay import BATCH_ENTRIES, Progress, Scratch, no_progress, read_parsed, replay
from consumers.fold.table_hash import TableHash
from consumers.fold.version import FoldVersion
from consumers.rebuild.comparison import Differences, compare
from consumers.rebuild.first_divergence import FirstDifference, first_difference
from consumers.rebuild.lasting_scratch import LastingScratch
from consumers.rebuild.table_hash import table_hash
from events.errors import Halt, Retry, YesserError
from infra.observability.logs import LogOnce
from infra.postgres.connection import TRANSIENT_ERRORS, Connection, connect, connected
from infra.postgres.roles import grant_rights_of
from infra.postgres.sql import queries
from infra.principals import schema_owner
from infra.settings import Settings

_SQL: Final = queries("consumers.rebuild", "rebuild.sql")
LOCK_TIMEOUT_MS: Final = 1_000
"""Longest wait for the transaction of the live consumer that is under way."""
VACUUM_ENDS_MS: Final = 2_000
"""Longest wait for PostgreSQL to end an automatic vacuum of the old tables, which it does after a second. Nothing but
vacuum waits meanwhile."""
READERS_END_MS: Final = 150
"""Longest wait for readers of the old tables. New readers and the live consumer wait behind it."""
SWAP_MS_MAX: Final = 8_000
"""PostgreSQL ends the session of a swap that takes longer, such as that of a suspended process."""
SUSPENDED_MS_MAX: Final = 60_000
"""And that of a rebuild that asks nothing for so long: a suspended one would keep others from rebuilding."""
SWAP_AGAIN_S: Final = 5.0
"""Seconds between two tries while someone reads the old tables."""
SWAP_ENTRIES_MAX: Final = 512
"""Entries that may be missing when the live position is locked."""
SWAP_ENTRY_BYTES: Final = 512
"""What they may have on average."""
REPORT_S: Final = 5.0
"""Seconds between two signs of progress while PostgreSQL hashes, compares or drops."""

CATCH_UPS_MAX: Final = 5
"""Times that the replay catches up with a moving live position."""
WORK_MEM_MIB: Final = 64
"""Memory for joining and sorting the rows of one table."""
_LOCK: Final = 7_370_002
_HELD: Final = (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError)
"""Readers of several tables deadlock."""


class AlreadyRunning(Retry):
    """This read model is already being rebuilt: wait until that ends."""


class RuleChanged(Halt):
    """A rule says something else with the same version: raise `version` in its file and start this process again."""


class OtherRules(YesserError):
    """The live rows are of another version of the fold, so they cannot be compared or replaced."""


@dataclass(frozen=True, slots=True)
class RebuildOptions:
    """Whether to compare with the live tables, to replace them, and to hash the rebuilt rows."""

    compare: bool = True
    swap: bool = False
    hash: bool = True


@dataclass(frozen=True, slots=True)
class ReadModel:
    """One rebuilt table. `differing` rows differ from the live one (None: not compared)."""

    consumer: str
    name: str
    rows: int
    sha256: str
    differing: int | None

    @property
    def ok(self) -> bool:
        return not self.differing


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """The read models of one consumer, hashed and compared after `log_index` entries; none without `hash`.

    `swapped_at` is the live position at which they replaced the live ones: what was applied between was folded too.
    """

    consumer: str
    log_index: int
    read_models: tuple[ReadModel, ...] = ()
    first_difference: FirstDifference | None = None
    swapped_at: int | None = None

    @property
    def swapped(self) -> bool:
        return self.swapped_at is not None

    @property
    def ok(self) -> bool:
        return all(model.ok for model in self.read_models)


async def position_of(connection: Connection, consumer: Consumer) -> int:
    """The position of the live tables: 0 for a consumer that never ran."""
    return await connection.fetchval(_SQL["position"], consumer.name) or 0


async def rebuild(
    settings: Settings, consumer: Consumer, options: RebuildOptions = RebuildOptions(), progress: Progress = no_progress
) -> Rebuilt:
    """Rebuild the read models of `consumer`, then compare or swap by `options`."""
    connection = await connect(settings, f"rebuild {consumer.name}", batch=True)
    try:
        if not await connection.fetchval(_SQL["schema_exists"], consumer.schema):
            raise NotStarted(f"{consumer.name}: {NotStarted.__doc__}")
        if not await connection.fetchval(_SQL["lock"], _LOCK, consumer.schema):
            raise AlreadyRunning(f"{consumer.name}: {AlreadyRunning.__doc__}")
        await _require_comparable(connection, consumer, options)
        await connection.execute(
            f"SET ROLE {schema_owner(consumer.schema)}; SET work_mem = '{WORK_MEM_MIB}MB';"
            f"SET idle_session_timeout = {SUSPENDED_MS_MAX};"
            f"SET idle_in_transaction_session_timeout = {SUSPENDED_MS_MAX}"
        )
        async with _reporting(settings, connection, progress):
            # What was left behind by an error or a kill, and cannot be used.
            beside = Scratch(consumer, f"rebuild_{consumer.schema}", keeps_past=True)
            await beside.drop(connection)
            if options.swap:
                return await _replace(settings, connection, options, LastingScratch(consumer), progress)
            await beside.create(connection, lasting=False)
            await _catch_up(settings, connection, beside, progress, BATCH_ENTRIES)
            rebuilt = await _settle(settings, connection, beside, options, progress)
            await beside.drop(connection)
            return rebuilt
    finally:
        await connection.close()


async def _replace(
    settings: Settings, connection: Connection, options: RebuildOptions, scratch: LastingScratch, progress: Progress
) -> Rebuilt:
    await scratch.open(connection, await position_of(connection, scratch.consumer))
    progress(scratch.position)
    await _catch_up(settings, connection, scratch, progress, BATCH_ENTRIES)
    rebuilt = await _settle(settings, connection, scratch, options, progress)
    return replace(rebuilt, swapped_at=await _swap_in(settings, connection, scratch, progress))


@asynccontextmanager
async def _reporting(settings: Settings, connection: Connection, progress: Progress) -> AsyncIterator[None]:
    """Report progress while one statement takes long, as long as PostgreSQL answers and works on it."""
    pid = connection.get_server_pid()

    async def report(watching: Connection) -> None:
        with suppress(*TRANSIENT_ERRORS):
            while await watching.fetchval(_SQL["session_exists"], pid):
                progress(0)
                await asyncio.sleep(REPORT_S)

    async with connected(settings, "rebuild progress") as watching:
        task = asyncio.create_task(report(watching))
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


async def _require_comparable(connection: Connection, consumer: Consumer, options: RebuildOptions) -> None:
    """Raise `OtherRules` for rows of a newer version, and for a comparison with rows of any other."""
    row = await connection.fetchrow(_SQL["version"], consumer.name)
    ours = consumer.rows_version
    live = ours if row is None else FoldVersion(**row)
    versions = f"{consumer.name}: the live rows are of version {live}, this release is {ours}"
    if live.number > ours.number:
        raise OtherRules(f"{versions}: use the newer release.")
    if consumer.rules is not None:
        files = consumer.rules().changed_without_version(await _kept_rules(connection, consumer))
        if files:
            raise RuleChanged(f"{consumer.name}: {RuleChanged.__doc__} Changed: {', '.join(files)}.")
    if options.compare and live != ours:
        raise OtherRules(
            f"{versions}: the consumer rebuilds them when it starts, or run `yesser rebuild {consumer.name} --swap`."
        )


async def _kept_rules(connection: Connection, consumer: Consumer) -> dict[str, Any]:
    """The rules that made the live rows."""
    return await connection.fetchval(_SQL["rules"], consumer.name) or {}


async def _catch_up(
    settings: Settings, connection: Connection, scratch: Scratch, progress: Progress, missing_max: int
) -> None:
    """Replay until at most `missing_max` entries are missing, at most `CATCH_UPS_MAX` times."""
    for _ in range(CATCH_UPS_MAX):
        position = await position_of(connection, scratch.consumer)
        await replay(settings, connection, [scratch], position, progress)
        if await position_of(connection, scratch.consumer) - position <= missing_max:
            return


async def _settle(
    settings: Settings, connection: Connection, scratch: Scratch, options: RebuildOptions, progress: Progress
) -> Rebuilt:
    """Hash the rebuilt rows, and compare them with the live ones at one position, which a snapshot of both holds."""
    consumer = scratch.consumer
    await connection.execute(f"ANALYZE {', '.join(table.name for table in consumer.stored_tables)}")
    if not options.hash:
        return Rebuilt(consumer.name, scratch.position)
    async with connection.transaction(isolation="repeatable_read"):
        differences, found = {}, None
        if options.compare:
            await replay(settings, connection, [scratch], await position_of(connection, consumer), progress)
            differences = await _compare(connection, scratch)
            if any(table.count for table in differences.values()):
                found = await first_difference(settings, connection, scratch, list(differences.values()))
            await scratch.use(connection)
        models = [
            _read_model(consumer, await table_hash(connection, table), differences.get(table.name))
            for table in consumer.stored_tables
        ]
    return Rebuilt(consumer.name, scratch.position, tuple(models), found)


class _Try(Enum):
    """How a try to swap ended. `BEHIND`: too many entries were missing; `HELD`: a session uses what must be locked."""

    SWAPPED = auto()
    BEHIND = auto()
    HELD = auto()


async def _swap_in(settings: Settings, connection: Connection, scratch: LastingScratch, progress: Progress) -> int:
    """Swap as soon as nobody reads the old tables; returns the position."""
    consumer = scratch.consumer
    waiting = LogOnce("the rebuilt rows wait while a session, such as a backup, reads the old tables", "swapped in")
    tries_behind = 0
    while True:
        async with connection.transaction():
            await grant_rights_of(connection, consumer.schema, scratch.schema)
        await _catch_up(settings, connection, scratch, progress, SWAP_ENTRIES_MAX)
        before = scratch.position
        # A live consumer that is catching up itself is always a batch ahead: it then stands for as long as one takes.
        missing_max = SWAP_ENTRIES_MAX if tries_behind < CATCH_UPS_MAX else BATCH_ENTRIES
        ended = await _swap(settings, connection, scratch, missing_max)
        progress(scratch.position - before)
        if ended is _Try.SWAPPED:
            waiting.ends(consumer=consumer.name)
            return scratch.position
        if ended is _Try.BEHIND:
            tries_behind += 1
        else:
            waiting.begins(consumer=consumer.name)
            await asyncio.sleep(SWAP_AGAIN_S)


async def _swap(settings: Settings, connection: Connection, scratch: LastingScratch, missing_max: int) -> _Try:
    """One try. What was folded is committed in any case, and the live position is free."""
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
                return _Try.BEHIND
            entries = await read_parsed(connection, scratch.position, missing, missing_max * SWAP_ENTRY_BYTES)
            if len(entries) < missing:
                return _Try.BEHIND
            if entries:
                await scratch.apply(connection, entries)
            return _Try.SWAPPED if await _exchange(connection, scratch, names) else _Try.HELD
    except _HELD:  # the position, or the tables by a vacuum that a person began: nothing was folded yet
        return _Try.HELD


async def _exchange(connection: Connection, scratch: LastingScratch, names: str) -> bool:
    """Put the scratch in the place of the live schema; False, without a change, while someone reads that.

    A reader that has a snapshot keeps its tables locked until its end: in tables swapped in meanwhile it would see
    nothing. The files of the old tables are removed after the locks are free, however large they are.
    """
    consumer, version = scratch.consumer, scratch.version
    try:
        async with connection.transaction():
            await connection.execute(f"SET LOCAL statement_timeout = {READERS_END_MS}")
            await connection.execute(f"LOCK TABLE {names} IN ACCESS EXCLUSIVE MODE")
            await connection.execute("SET LOCAL statement_timeout = 0")
            await connection.execute(
                f"DROP TABLE {scratch.schema}.replayed; DROP SCHEMA {consumer.schema} CASCADE;"
                f"ALTER SCHEMA {scratch.schema} RENAME TO {consumer.schema}"
            )
            rules = consumer.rules().after(await _kept_rules(connection, consumer)) if consumer.rules else {}
            await connection.execute(_SQL["swapped"], consumer.name, version.number, version.sha256, rules)
    except (*_HELD, asyncpg.QueryCanceledError):
        return False
    return True


async def _compare(connection: Connection, scratch: Scratch) -> dict[str, Differences]:
    return {
        table.name: await compare(connection, table, scratch.consumer.schema, scratch.schema)
        for table in scratch.consumer.stored_tables
    }


def _read_model(consumer: Consumer, rebuilt: TableHash, differences: Differences | None) -> ReadModel:
    differing = None if differences is None else differences.count
    return ReadModel(consumer.name, rebuilt.name, rebuilt.rows, rebuilt.sha256, differing)


def document(results: list[Rebuilt]) -> dict[str, Any]:
    """The JSON of `yesser rebuild`. `log_index`, of the hashes and the comparison, is the lowest of the consumers'."""
    found = [result.first_difference for result in results if result.first_difference is not None]
    found.sort(key=lambda difference: (difference.index is None, difference.index))
    return {
        "log_index": min(result.log_index for result in results),
        "read_models": [
            {
                "consumer": model.consumer,
                "name": model.name,
                "rows": model.rows,
                "sha256": model.sha256,
                "ok": model.ok,
                "differing_rows": model.differing,
                "log_index": result.log_index,
            }
            for result in results
            for model in result.read_models
        ],
        "swapped": [result.consumer for result in results if result.swapped],
        "swapped_at": {result.consumer: result.swapped_at for result in results if result.swapped},
        "ok": all(result.ok for result in results),
        "first_difference": found[0].document() if found else None,
    }
