"""Replays a proven log into one file for each consumer or read model, and compares the hashes that the log commits to.

Flows in: a mirror folder or a whole export, and its signed checkpoint. What is folded is hashed on the way, and counts
only once it gives the signed root. Flows out: `<consumer>.sqlite`, or `<consumer>.<table>.parquet`, and for each read
model the hash at the end and at its last commitment; beside them the texts, of which rows hold the hashes. Two
processes share the work: the ledger and the event index take as long as the other consumers together.

A read model as a Parquet file, with the hash of the live one: the file is read back and hashed before it counts.

Needs DuckDB (the extra `parquet`). Text, whole numbers and booleans have their Parquet types, `bytea` is binary, and
`jsonb` is JSON text.
"""

from __future__ import annotations

import asyncio
import gc
import glob
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import chain, islice
from multiprocessing import get_context
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Struct

from consumers.documents.document import Label, Name
from consumers.documents.log.commitments import Claim, Status
from consumers.models.registry import CONSUMERS
from consumers.proof.audit.mirror import signed_bundle
from consumers.proof.audit.source import is_export, unproven_entries
from consumers.proof.commitments.claims import (
    Acknowledgement,
    newest,
    read_model_name,
    said_among,
    sorted_out,
    status_of,
)
from consumers.proof.offline.store import SqliteStore, hashed_rows_sql, quoted
from consumers.proof.offline.texts import write_texts
from consumers.replay.event_index.consumer import CONSUMER as EVENT_INDEX
from consumers.replay.fold.table_hash import RowHasher, TableHash, fetched, hash_of
from consumers.revenue.consumer import CONSUMER as REVENUE
from events.errors import Halt
from events.wire.entry import parse_entry
from infra.command_line.table_files import parquet_of
from infra.log.layout import TILE, tiles_at
from infra.log.merkle import TileTree, leaf_hash
from infra.log.ports.tree import WrongTree
from infra.log.signed_note import Checkpoint
from infra.postgres.unit_of_work import Table

_TYPES: Final = {"text": "VARCHAR", "bigint": "BIGINT", "boolean": "BOOLEAN", "bytea": "VARCHAR", "jsonb": "JSON"}
"""Of the lines: bytes are in hexadecimal there."""
BATCH_ENTRIES: Final = 64 * TILE
ModelFormat = Literal["sqlite", "parquet"]


class ParquetDiffers(Halt):
    """A Parquet file does not hold the rows that were written to it: report it, and use SQLite meanwhile."""


def require_parquet() -> None:
    """Raise `ModuleNotFoundError` where the extra `parquet` is not installed."""
    import duckdb  # noqa: F401


def write_parquet(store: SqliteStore, table: Table[Any], path: Path, expected: TableHash) -> None:
    """Write the rows in the order of their primary key. Raises `ParquetDiffers` unless they have the expected hash."""
    import duckdb

    lines = path.with_suffix(".ndjson")
    with lines.open("wb") as file:
        file.writelines(map(RowHasher(table, msgspec.Raw).lines, store.parts(table)))
    kinds = dict(zip(table.columns, table.types, strict=True))
    columns = ", ".join(
        f"unhex({quoted(name)}) AS {quoted(name)}" if kind == "bytea" else quoted(name) for name, kind in kinds.items()
    )
    parquet_of(lines, path, {name: _TYPES[kind] for name, kind in kinds.items()}, select=columns)
    lines.unlink()
    with duckdb.connect() as database:
        query = hashed_rows_sql(table, "read_parquet(?, hive_partitioning=false)")
        sha256 = hash_of(table, fetched(database.execute(query, [glob.escape(str(path))])))
    if sha256 != expected:
        raise ParquetDiffers(f"{path}: {ParquetDiffers.__doc__}")


class Committed(Struct, frozen=True):
    """The hash that the log commits to, and whether the replayed one agrees."""

    log_index: int
    sha256: str
    fold_version: str | None
    status: Status
    ok: bool


class ReplayedModel(Struct, frozen=True):
    """One read model after the replay. `committed`: its last commitment up to there; None where the log has none."""

    name: Annotated[str, Label("نموذج القراءة", "Read model")]
    rows: Annotated[int, Label("الصفوف", "Rows", drop=1)]
    sha256: Annotated[str, Label("البصمة", "Hash", drop=2)]
    committed: Committed | None

    @property
    def ok(self) -> bool:
        """Whether the log commits to the hash that the log gives, if it commits to one."""
        return self.committed is None or self.committed.ok

    @property
    def in_log(self) -> Annotated[Name, Label("البصمة المنشورة في السجل", "Committed in the log")]:
        if self.committed is None:
            return Name("لا يوجد", "none")
        return Name("{}، عند {:,}", "{}, at {:,}").format(self.committed.status, self.committed.log_index)


@dataclass(frozen=True, slots=True)
class _Task:
    """The replay of some consumers up to `end`, with the commitments to compare."""

    source: Path
    checkpoint: Checkpoint
    folder: Path
    consumers: tuple[str, ...]
    end: int
    claims: tuple[Claim, ...]
    acknowledgements: tuple[Acknowledgement, ...]
    form: ModelFormat


def replay_into(
    source: Path, checkpoint: Checkpoint, folder: Path, end: int, form: ModelFormat = "sqlite"
) -> list[ReplayedModel]:
    """Replay the first `end` entries of a mirror or a whole export of this checkpoint; returns every read model, by
    consumer. Raises `WrongTree`, also where the source was changed after it was verified."""
    folder.mkdir(parents=True, exist_ok=True)
    said, acknowledgements = sorted_out(_said(source, checkpoint, end))
    claims = tuple(newest([claim for claim in said if claim.log_index <= end], 1))
    first = (REVENUE.name, EVENT_INDEX.name)
    groups = [first, tuple(name for name in CONSUMERS if name not in first)]
    tasks = [_Task(source, checkpoint, folder, group, end, claims, tuple(acknowledgements), form) for group in groups]
    with ProcessPoolExecutor(len(tasks), mp_context=get_context("spawn")) as pool:
        replayed = pool.map(_replay, tasks)
        written = pool.submit(write_texts, source, checkpoint, folder, end, form)  # by the process that is done first
        models = [row for rows in replayed for row in rows]
        written.result()
    order = list(CONSUMERS)
    return sorted(models, key=lambda row: order.index(row.name.partition(".")[0]))


def _replay(task: _Task) -> list[ReplayedModel]:
    gc.freeze()
    gc.disable()  # a batch leaves no cycle; looking for them costs a sixth of the time
    return asyncio.run(_replayed(task))


async def _replayed(task: _Task) -> list[ReplayedModel]:
    replays = [_ConsumerReplay(name, task) for name in task.consumers]
    try:
        entries, first = _as_signed(task.source, task.checkpoint), 0
        stops = {task.end, *(claim.log_index for replay in replays for claim in replay.claims.values())} - {0}
        for stop in sorted(stops):
            while part := list(islice(entries, min(BATCH_ENTRIES, stop - first))):
                parsed = [parse_entry(index, raw) for index, raw in enumerate(part, first)]
                for replay in replays:
                    await replay.store.apply(parsed)
                first += len(part)
            for replay in replays:
                replay.hash_at(stop)
        _read_to_end(entries)
        return [row for replay in replays for row in replay.result(task)]
    finally:
        for replay in replays:
            replay.store.close()


class _ConsumerReplay:
    """One consumer's files, and the hashes at the indexes that the log commits to."""

    def __init__(self, name: str, task: _Task) -> None:
        consumer = CONSUMERS[name]
        self._version = consumer.rows_version
        self.file = task.folder / f"{name}.sqlite"
        self.store = SqliteStore(self.file, consumer)
        self.tables = {read_model_name(consumer, table.name): table for table in consumer.tables}
        self.claims = {claim.name: claim for claim in task.claims if claim.name in self.tables}
        self._found: dict[str, TableHash] = {}

    def hash_at(self, end: int) -> None:
        """Hash the read models that the log commits to at this index."""
        for name, claim in self.claims.items():
            if claim.log_index == end:
                self._found[name] = self.store.hash(self.tables[name])

    def result(self, task: _Task) -> Iterator[ReplayedModel]:
        """Every read model, once its file is there."""
        for name, table in self.tables.items():
            claim = self.claims.get(name)
            now = self._found[name] if claim and claim.log_index == task.end else self.store.hash(table)
            if task.form == "parquet":
                write_parquet(self.store, table, task.folder / f"{name}.parquet", now)
            committed = None
            if claim is not None:
                status = status_of(claim, self._found.get(name), self._version, None, task.acknowledgements)
                is_ok = status is not Status.WRONG
                committed = Committed(claim.log_index, claim.sha256, claim.fold_version, status, is_ok)
            yield ReplayedModel(name, now.rows, now.sha256, committed)
        if task.form == "parquet":
            self.store.close()
            self.file.unlink()


def _said(source: Path, checkpoint: Checkpoint, end: int) -> Iterator[Claim | Acknowledgement]:
    entries = _as_signed(source, checkpoint)
    yield from said_among(0, islice(entries, end))
    _read_to_end(entries)


def _as_signed(source: Path, checkpoint: Checkpoint) -> Iterator[bytes]:
    """All entries of a source. Raises `WrongTree` after the last one, unless they give the signed root."""
    size, tree = checkpoint.size, TileTree()
    bundles = (signed_bundle(source, number, size) for number, _ in tiles_at(0, size))
    entries = (raw for _, raw in unproven_entries(source)) if is_export(source) else chain.from_iterable(bundles)
    while part := list(islice(entries, TILE)):
        tree.append(list(map(leaf_hash, part)))
        yield from part
    if (tree.size, tree.root()) != (size, checkpoint.root):
        raise WrongTree(f"{source} was changed while it was replayed: its {tree.size} entries do not give the root")


def _read_to_end(entries: Iterator[bytes]) -> None:
    """The signed root needs the entries that are not replayed, too."""
    deque(entries, 0)
