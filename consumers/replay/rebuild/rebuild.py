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
from typing import Annotated, Final

from msgspec import Struct

from consumers.documents.document import YES, Label, Listing, Name
from consumers.replay.as_of.view import NotStarted
from consumers.replay.fold.consumer import Consumer
from consumers.replay.fold.replay import Progress, Scratch, no_progress, replay
from consumers.replay.fold.version import FoldVersion
from consumers.replay.rebuild.comparison import Differences, FirstDifference, compare, first_difference, table_hash
from consumers.replay.rebuild.swap import LastingScratch, catch_up, kept_rules, position_of, swap_in
from events.errors import Halt, Retry, YesserError
from infra.log.ports.read_ahead import BATCH_ENTRIES
from infra.postgres.connection import TRANSIENT_ERRORS, Connection, connect, connected
from infra.postgres.sql import queries
from infra.principals import schema_owner
from infra.settings import Settings

_SQL: Final = queries("consumers.replay.rebuild", "rebuild.sql")
SUSPENDED_MS_MAX: Final = 60_000
"""PostgreSQL ends the session of a rebuild that asks nothing for so long: a suspended one would keep others from
rebuilding."""
REPORT_S: Final = 5.0
"""Seconds between two signs of progress while PostgreSQL hashes, compares or drops."""
WORK_MEM_MIB: Final = 64
"""Memory for joining and sorting the rows of one table."""
_LOCK: Final = 7_370_002


class AlreadyRunning(Retry):
    """This read model is already being rebuilt: wait until that ends."""


class SessionEnded(Retry):
    """PostgreSQL ended the session of this rebuild: it restarted, or this process was suspended. Start the rebuild
    again: with `--swap` it goes on where it was."""


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


async def rebuild(
    settings: Settings, consumer: Consumer, options: RebuildOptions = RebuildOptions(), progress: Progress = no_progress
) -> Rebuilt:
    """Rebuild the read models of `consumer`, then compare or swap by `options`."""
    connection = await connect(settings, f"rebuild {consumer.name}", batch=True)
    try:
        if not await connection.fetchval(_SQL["schema_exists"], consumer.schema):
            raise NotStarted(f"{consumer.name}: {NotStarted.__doc__}")
        await connection.execute(
            f"SET ROLE {schema_owner(consumer.schema)}; SET work_mem = '{WORK_MEM_MIB}MB';"
            f"SET idle_session_timeout = {SUSPENDED_MS_MAX};"
            f"SET idle_in_transaction_session_timeout = {SUSPENDED_MS_MAX}"
        )
        if not await connection.fetchval(_SQL["lock"], _LOCK, consumer.schema):
            raise AlreadyRunning(f"{consumer.name}: {AlreadyRunning.__doc__}")
        await _require_comparable(connection, consumer, options)
        async with _reporting(settings, connection, progress):
            # What was left behind by an error or a kill, and cannot be used.
            beside = Scratch(connection, consumer, f"rebuild_{consumer.schema}", keeps_past=True)
            await beside.drop()
            if options.swap:
                return await _replace(settings, options, LastingScratch(connection, consumer), progress)
            await beside.create()
            await catch_up(settings, beside, progress, BATCH_ENTRIES)
            rebuilt = await _settle(settings, beside, options, progress)
            await beside.drop()
            return rebuilt
    except TRANSIENT_ERRORS as error:
        if connection.is_closed():
            raise SessionEnded(f"{consumer.name}: {' '.join((SessionEnded.__doc__ or '').split())}") from error
        raise
    finally:
        await connection.close()


async def _replace(settings: Settings, options: RebuildOptions, scratch: LastingScratch, progress: Progress) -> Rebuilt:
    await scratch.open(await position_of(scratch.connection, scratch.consumer))
    progress(scratch.position)
    await catch_up(settings, scratch, progress, BATCH_ENTRIES)
    rebuilt = await _settle(settings, scratch, options, progress)
    return replace(rebuilt, swapped_at=await swap_in(settings, scratch, progress))


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


async def _settle(settings: Settings, scratch: Scratch, options: RebuildOptions, progress: Progress) -> Rebuilt:
    """Hash the rebuilt rows, and compare them with the live ones at one position, which a snapshot of both holds."""
    connection, consumer = scratch.connection, scratch.consumer
    tables = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = $1", scratch.schema)
    await connection.execute(f"ANALYZE {', '.join(row['tablename'] for row in tables)}")
    if not options.hash:
        return Rebuilt(consumer.name, scratch.position)
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
    return Rebuilt(consumer.name, scratch.position, tuple(models), divergence)
