"""Rebuilds a consumer's read models from the log, compares them with the live ones row by row, or swaps them in.

1. The log is folded into a scratch schema beside the live one, up to the live position.
2. Without any lock the rebuilt rows are hashed, and compared in a snapshot of live rows and position.
3. To swap, the entries since then are folded too. Then, in one short transaction, the live position is locked, the last
   few entries are folded, and the scratch becomes the live schema. While someone reads the old tables (a backup), the
   lock is given back at once and this step alone is tried again.

The scratch outlives its process (`LastingScratch`): whatever interrupts a rebuild, the next one goes on there. The work
is done under the owner of the read models, which the caller's role may become. A rebuild writes
no outbox row, so it never sends an event twice.

Puts rebuilt tables in the place of the live ones, while the live consumer stands for a moment only.

Everything that takes long is done before or after: under the lock of the live position a few entries are folded and
names change. A suspended process loses the lock by PostgreSQL's own limits.

The live side of a rebuild: its position, its rules, and how a scratch follows it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import Annotated, Final

import asyncpg
from msgspec import Struct

from consumers.documents.document import YES, Label, Listing, Name
from consumers.replay.as_of.view import NotStarted
from consumers.replay.fold.consumer import Consumer
from consumers.replay.fold.replay import FULL_SPEED, Progress, Reading, Scratch, no_progress, replay
from consumers.replay.fold.version import FoldVersion, StoredRules
from consumers.replay.rebuild.comparison import Differences, FirstDifference, compare, first_difference, table_hash
from consumers.replay.rebuild.lasting_scratch import LastingScratch
from events.errors import Halt, Retry, YesserError
from infra.log.ports.read_ahead import BATCH_ENTRIES, read_parsed
from infra.observability.logs import LogOnce
from infra.postgres.connection import TRANSIENT_ERRORS, Connection, connect, connected
from infra.postgres.roles import grant_rights_of
from infra.postgres.sql import queries
from infra.principals import schema_owner
from infra.settings import Settings

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
_SWAP_SQL: Final = queries("consumers.replay.rebuild", "swap.sql")
_HELD: Final = (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError)
"""Readers of several tables deadlock."""
_SQL: Final = queries("consumers.replay.rebuild", "rebuild.sql")
SUSPENDED_MS_MAX: Final = 60_000
"""PostgreSQL ends the session of a rebuild that asks nothing for so long: a suspended one would keep others from
rebuilding."""
REPORT_S: Final = 5.0
"""Seconds between two signs of progress while PostgreSQL hashes, compares or drops."""
WORK_MEM_MIB: Final = 64
"""Memory for joining and sorting the rows of one table."""
_LOCK: Final = 7_370_002


async def position_of(connection: Connection, consumer: Consumer) -> int:
    """The position of the live tables: 0 for a consumer that never ran."""
    return await connection.fetchval(_LIVE_SQL["position"], consumer.name) or 0


async def kept_rules(connection: Connection, consumer: Consumer) -> StoredRules:
    """The rules that made the live rows."""
    rules: StoredRules | None = await connection.fetchval(_LIVE_SQL["rules"], consumer.name)
    return rules or {}


async def catch_up(
    settings: Settings, scratch: Scratch, progress: Progress, missing_max: int, reading: Reading = FULL_SPEED
) -> None:
    """Replay until at most `missing_max` entries are missing, at most `CATCH_UPS_MAX` times."""
    for _ in range(CATCH_UPS_MAX):
        position = await position_of(scratch.connection, scratch.consumer)
        await replay(settings, [scratch], position, progress, reading)
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
    names = await connection.fetchval(_SWAP_SQL["live_tables"], scratch.consumer.schema)
    try:
        async with connection.transaction():
            await connection.execute(
                f"SET LOCAL transaction_timeout = {SWAP_MS_MAX}; SET LOCAL lock_timeout = {VACUUM_ENDS_MS};"
                f"SET LOCAL idle_in_transaction_session_timeout = {settings.idle_in_transaction_timeout_ms};"
                "SET LOCAL synchronous_commit = on;"
                f"LOCK TABLE {names} IN SHARE UPDATE EXCLUSIVE MODE;"
                f"SET LOCAL lock_timeout = {LOCK_TIMEOUT_MS}"
            )
            position = await connection.fetchval(_SWAP_SQL["locked_position"], scratch.consumer.name) or 0
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
                f"DROP TABLE {scratch.schema}.rebuild_progress; DROP SCHEMA {consumer.schema} CASCADE;"
                f"ALTER SCHEMA {scratch.schema} RENAME TO {consumer.schema}"
            )
            rules = consumer.rules().after(await kept_rules(connection, consumer)) if consumer.rules else {}
            await connection.execute(_SWAP_SQL["swapped"], consumer.name, version.number, version.sha256, rules)
    except (*_HELD, asyncpg.QueryCanceledError):
        return False
    return True


HeadStart = Callable[[LastingScratch, Progress], Awaitable[None]]
Begins = Callable[[LastingScratch], None]


def no_notice(scratch: LastingScratch) -> None:
    """Says nothing."""


class AlreadyRunning(Retry):
    """This read model is already being rebuilt: wait until that ends."""


class SessionEnded(Retry):
    """PostgreSQL ended the session of this rebuild: it restarted, or this process was suspended. Start the rebuild
    again: it goes on where it was."""


class RuleChanged(Halt):
    """A rule says something else with the same version: raise `version` in its file and start this process again."""


class OtherRules(YesserError):
    """The live rows are of another version of the fold, so they cannot be compared or replaced."""


@dataclass(frozen=True, slots=True)
class RebuildOptions:
    """Whether to compare with the live tables, to replace them, and to hash the rebuilt rows.

    `restart` drops what an interrupted rebuild has left. `head_start` brings the scratch as far as it can before the
    rest is folded. Copied rows that a rebuild has left are used only if it `may_copy` them.
    """

    compare: bool = True
    swap: bool = False
    hash: bool = True
    restart: bool = False
    reading: Reading = FULL_SPEED
    head_start: HeadStart | None = None
    may_copy: bool = False


class ReadModel(Struct, frozen=True):
    """One rebuilt table, hashed and compared after `log_index` entries.

    `differing_rows` differ from the live ones (None: not compared).
    """

    consumer: Annotated[str, Label("المستهلك", "Consumer", drop=2)]
    name: Annotated[str, Label("نموذج القراءة", "Read model")]
    rows: Annotated[int, Label("الصفوف", "Rows", drop=1)]
    sha256: Annotated[str, Label("البصمة", "SHA-256", drop=3)]
    ok: bool
    differing_rows: int | None
    log_index: int

    @property
    def compared(self) -> Annotated[Name, Label("يطابق الحالي", "Same as live")]:
        if self.differing_rows is None:
            return Name("لم يُقارن", "not compared")
        if self.ok:
            return Name(YES.ar, YES.en)
        return Name("لا: {} من الصفوف", "no: {} rows").format(self.differing_rows)


READ_MODELS: Final = Listing("أُعيد البناء من سجل الأحداث", "Rebuilt from the log", ReadModel)


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """The read models of one consumer, hashed and compared after `log_index` entries; none without `hash`.

    The entries before `folded_from` were folded by a rebuild that was interrupted, or the rows of the first `copied`
    ones were copied. `swapped_at` is the live position at which the rows replaced the live ones: what was applied
    between was folded too.
    """

    consumer: str
    log_index: int
    folded_from: int = 0
    copied: int = 0
    read_models: tuple[ReadModel, ...] = ()
    first_difference: FirstDifference | None = None
    swapped_at: int | None = None

    @property
    def swapped(self) -> bool:
        return self.swapped_at is not None

    @property
    def ok(self) -> bool:
        return all(model.ok for model in self.read_models)


async def rebuild(
    settings: Settings,
    consumer: Consumer,
    options: RebuildOptions = RebuildOptions(),
    progress: Progress = no_progress,
    begins: Begins = no_notice,
) -> Rebuilt:
    """Rebuild the read models of `consumer`, then compare or swap by `options`.

    `begins` is called once, when it is known how much a rebuild that was interrupted has folded.
    """
    connection = await connect(settings, f"rebuild {consumer.name}", batch=True)
    try:
        if not await connection.fetchval(_SQL["schema_exists"], consumer.schema):
            raise NotStarted(f"{consumer.name}: {NotStarted.__doc__}")
        await become_owner(connection, consumer)
        if not await connection.fetchval(_SQL["lock"], _LOCK, consumer.schema):
            raise AlreadyRunning(f"{consumer.name}: {AlreadyRunning.__doc__}")
        await _require_comparable(connection, consumer, options)
        async with _reporting(settings, connection, progress):
            scratch = LastingScratch(connection, consumer)
            await _open(scratch, options)
            begins(scratch)
            progress(scratch.position)
            if options.head_start is not None:
                await options.head_start(scratch, progress)
            await catch_up(settings, scratch, progress, BATCH_ENTRIES, options.reading)
            rebuilt = await _settle(settings, scratch, options, progress)
            if options.swap:
                await scratch.build_indexes()
                return replace(rebuilt, swapped_at=await swap_in(settings, scratch, progress))
            await scratch.drop()
            return rebuilt
    except TRANSIENT_ERRORS as error:
        if connection.is_closed():
            raise SessionEnded(f"{consumer.name}: {' '.join((SessionEnded.__doc__ or '').split())}") from error
        raise
    finally:
        await connection.close()


async def become_owner(connection: Connection, consumer: Consumer) -> None:
    """Work as the owner of the read models, in a session that ends where this process is suspended."""
    await connection.execute(
        f"SET ROLE {schema_owner(consumer.schema)}; SET work_mem = '{WORK_MEM_MIB}MB';"
        # What a crash takes away of the rows it takes away of the position beside them.
        "SET synchronous_commit = off;"
        f"SET idle_session_timeout = {SUSPENDED_MS_MAX};"
        f"SET idle_in_transaction_session_timeout = {SUSPENDED_MS_MAX}"
    )


async def _open(scratch: LastingScratch, options: RebuildOptions) -> None:
    """Go on in what an interrupted rebuild has left, or begin."""
    connection, consumer = scratch.connection, scratch.consumer
    await connection.execute(f"DROP SCHEMA IF EXISTS rebuild_{consumer.schema} CASCADE")  # of an earlier release
    if options.restart:
        await scratch.drop()
    await scratch.open(await position_of(connection, consumer), may_copy=options.may_copy)


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
        files = consumer.rules().changed_without_version(await kept_rules(connection, consumer))
        if files:
            raise RuleChanged(f"{consumer.name}: {RuleChanged.__doc__} Changed: {', '.join(files)}.")
    if options.compare and live != ours:
        raise OtherRules(
            f"{versions}: the consumer rebuilds them when it starts, or run `yesser rebuild {consumer.name} --swap`."
        )


async def _settle(settings: Settings, scratch: LastingScratch, options: RebuildOptions, progress: Progress) -> Rebuilt:
    """Hash the rebuilt rows, and compare them with the live ones at one position, which a snapshot of both holds."""
    connection, consumer = scratch.connection, scratch.consumer
    tables = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = $1", scratch.schema)
    await connection.execute(f"ANALYZE {', '.join(row['tablename'] for row in tables)}")
    if not options.hash:
        return Rebuilt(consumer.name, scratch.position, scratch.folded_from, scratch.copied)
    async with connection.transaction(isolation="repeatable_read"):
        differences: dict[str, Differences] = {}
        divergence = None
        if options.compare:
            await replay(settings, [scratch], await position_of(connection, consumer), progress)
            differences = {
                table.name: await compare(connection, table, consumer.schema, scratch.schema)
                for table in consumer.stored_tables
            }
            if any(table.count for table in differences.values()):
                divergence = await first_difference(settings, scratch, list(differences.values()))
            await scratch.use()
        models = []
        for table in consumer.stored_tables:
            rebuilt = await table_hash(connection, table)
            differing = differences[table.name].count if options.compare else None
            row = rebuilt.name, rebuilt.rows, rebuilt.sha256, not differing, differing, scratch.position
            models.append(ReadModel(consumer.name, *row))
    begun = scratch.folded_from, scratch.copied
    return Rebuilt(consumer.name, scratch.position, *begun, tuple(models), divergence)
