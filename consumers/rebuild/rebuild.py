"""Rebuilds a consumer's read models from the log, compares them with the live ones row by row, or swaps them in.

1. The log is folded into a scratch schema beside the live one, up to the live position at the start.
2. Then both are held at one position: to compare, by a snapshot of rows and position; to swap, by the lock of the live
   position. Entries since the start are folded too.
3. Rows are compared set-based. The scratch becomes the live schema, or is dropped. While someone reads the old tables
   (a backup), the scratch is kept, and the second step is done again.

The work is done under the owner of the read models, which the caller's role may become. A rebuild writes no outbox row,
so it never sends an event twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

import asyncpg

from consumers.as_of.view import NotStarted
from consumers.fold.consumer import Consumer
from consumers.fold.replay import BATCH_ENTRIES, Progress, Scratch, no_progress, replay
from consumers.fold.table_hash import TableHash
from consumers.fold.version import FoldVersion
from consumers.rebuild.comparison import Differences, compare
from consumers.rebuild.first_divergence import FirstDifference, first_difference
from consumers.rebuild.table_hash import table_hash
from events.errors import Halt, Retry, YesserError
from infra.observability.logs import LogOnce
from infra.postgres.connection import Connection, connect
from infra.postgres.roles import grant_rights
from infra.postgres.sql import queries
from infra.principals import schema_owner
from infra.settings import Settings

_SQL: Final = queries("consumers.rebuild", "rebuild.sql")
LOCK_TIMEOUT_MS: Final = 15_000
"""Longest wait for readers of the old tables when they are swapped: new readers wait behind it."""
SWAP_AGAIN_S: Final = 10.0

CATCH_UPS_MAX: Final = 5
"""Times that the replay catches up with a moving live position."""
WORK_MEM_MIB: Final = 64
"""Memory for joining and sorting the rows of one table."""
_LOCK: Final = 7_370_002


class AlreadyRunning(Retry):
    """This read model is already being rebuilt: wait until that ends."""


class RuleChanged(Halt):
    """A rule says something else with the same version: raise `version` in its file and start this process again."""


class OtherRules(YesserError):
    """The live rows are of another version of the fold, so they cannot be compared or replaced."""


@dataclass(frozen=True, slots=True)
class RebuildOptions:
    """Whether to compare with the live tables, and whether to replace them."""

    compare: bool = True
    swap: bool = False


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
    """The read models of one consumer at `log_index`, the position of both sides."""

    consumer: str
    log_index: int
    read_models: tuple[ReadModel, ...]
    first_difference: FirstDifference | None
    swapped: bool

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
    scratch = Scratch(consumer, f"rebuild_{consumer.schema}", keeps_past=True)
    try:
        if not await connection.fetchval(_SQL["schema_exists"], consumer.schema):
            raise NotStarted(f"{consumer.name}: {NotStarted.__doc__}")
        if not await connection.fetchval(_SQL["lock"], _LOCK, consumer.schema):
            raise AlreadyRunning(f"{consumer.name}: {AlreadyRunning.__doc__}")
        await _require_comparable(connection, consumer, options)
        await connection.execute(f"SET ROLE {schema_owner(consumer.schema)}")
        await scratch.drop(connection)
        await scratch.create(connection, lasting=options.swap)
        await _catch_up(settings, connection, scratch, progress)
        waiting = LogOnce("the rebuilt rows wait while a session, such as a backup, reads the old tables", "swapped in")
        while (rebuilt := await _finish(settings, connection, scratch, options, progress)) is None:
            waiting.begins(consumer=consumer.name)
            progress(0)
            await asyncio.sleep(SWAP_AGAIN_S)
            await _catch_up(settings, connection, scratch, progress)
        waiting.ends(consumer=consumer.name)
        await scratch.drop(connection)
        return rebuilt
    finally:
        # The next rebuild drops a scratch left behind by an error or a kill.
        await connection.close()


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


async def _catch_up(settings: Settings, connection: Connection, scratch: Scratch, progress: Progress) -> None:
    """Replay until at most one batch is missing, at most `CATCH_UPS_MAX` times, so that the lock is held briefly."""
    for _ in range(CATCH_UPS_MAX):
        position = await position_of(connection, scratch.consumer)
        await replay(settings, connection, [scratch], position, progress)
        if await position_of(connection, scratch.consumer) - position <= BATCH_ENTRIES:
            return


@asynccontextmanager
async def _at_one_position(connection: Connection, scratch: Scratch, options: RebuildOptions) -> AsyncIterator[int]:
    """A transaction in which the live tables stay at one position."""
    await connection.execute(f"ANALYZE {', '.join(table.name for table in scratch.consumer.stored_tables)}")
    await connection.execute(f"SET work_mem = '{WORK_MEM_MIB}MB'")
    if options.swap:
        async with connection.transaction():
            await connection.execute(f"SET LOCAL lock_timeout = {LOCK_TIMEOUT_MS}")
            yield await connection.fetchval(_SQL["locked_position"], scratch.consumer.name) or 0
    else:
        async with connection.transaction(isolation="repeatable_read"):
            yield await position_of(connection, scratch.consumer)


async def _finish(
    settings: Settings, connection: Connection, scratch: Scratch, options: RebuildOptions, progress: Progress
) -> Rebuilt | None:
    """None where the old tables are in use. What was folded is committed in any case, and the live position is free."""
    async with _at_one_position(connection, scratch, options) as position:
        await replay(settings, connection, [scratch], position, progress)
        rebuilt = await _settle(settings, connection, scratch, options)
        return None if options.swap and not await _swap(connection, scratch) else rebuilt


async def _swap(connection: Connection, scratch: Scratch) -> bool:
    """Put the scratch in the place of the live schema; False, without a change, where that is in use."""
    consumer = scratch.consumer
    try:
        async with connection.transaction():
            await connection.execute(f"DROP SCHEMA {consumer.schema} CASCADE")
            await connection.execute(f"ALTER SCHEMA {scratch.schema} RENAME TO {consumer.schema}")
            await grant_rights(connection, [consumer.schema])
            version = consumer.rows_version
            rules = consumer.rules().after(await _kept_rules(connection, consumer)) if consumer.rules else {}
            await connection.execute(_SQL["swapped"], consumer.name, version.number, version.sha256, rules)
    except (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError):  # readers of several tables deadlock
        return False
    return True


async def _settle(settings: Settings, connection: Connection, scratch: Scratch, options: RebuildOptions) -> Rebuilt:
    consumer = scratch.consumer
    differences = await _compare(connection, scratch) if options.compare else {}
    found = None
    if any(table.count for table in differences.values()):
        found = await first_difference(settings, connection, scratch, list(differences.values()))
    await scratch.use(connection)
    models = [
        _read_model(consumer, await table_hash(connection, table), differences.get(table.name))
        for table in consumer.stored_tables
    ]
    return Rebuilt(consumer.name, scratch.position, tuple(models), found, options.swap)


async def _compare(connection: Connection, scratch: Scratch) -> dict[str, Differences]:
    return {
        table.name: await compare(connection, table, scratch.consumer.schema, scratch.schema)
        for table in scratch.consumer.stored_tables
    }


def _read_model(consumer: Consumer, rebuilt: TableHash, differences: Differences | None) -> ReadModel:
    differing = None if differences is None else differences.count
    return ReadModel(consumer.name, rebuilt.name, rebuilt.rows, rebuilt.sha256, differing)


def document(results: list[Rebuilt]) -> dict[str, Any]:
    """The JSON of `yesser rebuild`. `log_index` is the lowest of the consumers'."""
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
        "ok": all(result.ok for result in results),
        "first_difference": found[0].document() if found else None,
    }
