"""Replays a proven log into one file for each consumer or read model, and compares the hashes that the log commits to.

Flows in: a mirror folder or a whole export, and its signed checkpoint. What is folded is hashed on the way, and counts
only once it gives the signed root. Flows out: `<consumer>.sqlite`, or `<consumer>.<table>.parquet`, and for each read
model the hash at the end and at its last commitment. Two processes share the work: the ledger and the event index take
as long as the other consumers together.
"""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from typing import Final, Literal

from consumers.audit import verify
from consumers.audit.layout import TILE, tiles_at
from consumers.audit.mirror import signed_bundle
from consumers.audit.source import is_export
from consumers.audit.tree import WrongTree
from consumers.commitments.claims import Acknowledgement, newest, read_model_name, said_among, sorted_out, status_of
from consumers.documents.log.commitments import Claim, Status
from consumers.event_index.consumer import CONSUMER as EVENT_INDEX
from consumers.fold.table_hash import TableHash
from consumers.offline.parquet import write_parquet
from consumers.offline.store import SqliteStore
from consumers.registry import CONSUMERS
from consumers.revenue.consumer import CONSUMER as REVENUE
from events.wire.entry import Entry, parse_entry
from infra.log.merkle import TileTree, leaf_hash
from infra.log.signed_note import Checkpoint

BATCH_ENTRIES: Final = 64 * TILE
Format = Literal["sqlite", "parquet"]


@dataclass(frozen=True, slots=True)
class Replayed:
    """One read model after the replay. `claim` is its last commitment up to there, `status` what is known of it."""

    name: str
    rows: int
    sha256: str
    claim: Claim | None
    status: Status | None

    @property
    def ok(self) -> bool:
        """Whether the log commits to the hash that the log gives, if it commits to one."""
        return self.status is not Status.WRONG


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
    form: Format


def replay_into(
    source: Path, checkpoint: Checkpoint, folder: Path, end: int, form: Format = "sqlite"
) -> list[Replayed]:
    """Replay the first `end` entries of a mirror or a whole export of this checkpoint; returns every read model, by
    consumer. Raises `WrongTree`, also where the source was changed after it was verified."""
    folder.mkdir(parents=True, exist_ok=True)
    said, acknowledgements = sorted_out(_said(source, checkpoint, end))
    claims = tuple(newest([claim for claim in said if claim.log_index <= end], 1))
    first = (REVENUE.name, EVENT_INDEX.name)
    groups = [first, tuple(name for name in CONSUMERS if name not in first)]
    tasks = [_Task(source, checkpoint, folder, group, end, claims, tuple(acknowledgements), form) for group in groups]
    with ProcessPoolExecutor(len(tasks), mp_context=get_context("spawn")) as pool:
        found = [row for rows in pool.map(_replay, tasks) for row in rows]
    order = list(CONSUMERS)
    return sorted(found, key=lambda row: order.index(row.name.partition(".")[0]))


def _replay(task: _Task) -> list[Replayed]:
    gc.freeze()
    gc.disable()  # a batch leaves no cycle; looking for them costs a sixth of the time
    replays = [_ConsumerReplay(name, task) for name in task.consumers]
    try:
        stops = {task.end, *(claim.log_index for replay in replays for claim in replay.claims.values())}
        for first, part in _runs(task.source, task.checkpoint, task.end, stops):
            entries = [parse_entry(index, raw) for index, raw in enumerate(part, first)]
            for replay in replays:
                replay.apply(entries)
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

    def apply(self, entries: Sequence[Entry]) -> None:
        self.store.apply(entries)
        end = entries[-1].index + 1
        for name, claim in self.claims.items():
            if claim.log_index == end:
                self._found[name] = self.store.hash(self.tables[name])

    def result(self, task: _Task) -> Iterator[Replayed]:
        """Every read model, once its file is there."""
        for name, table in self.tables.items():
            claim = self.claims.get(name)
            now = self._found[name] if claim and claim.log_index == task.end else self.store.hash(table)
            if task.form == "parquet":
                write_parquet(self.store, table, task.folder / f"{name}.parquet", now)
            status = None
            if claim is not None:
                status = status_of(claim, self._found.get(name), self._version, None, task.acknowledgements)
            yield Replayed(name, now.rows, now.sha256, claim, status)
        if task.form == "parquet":
            self.store.close()
            self.file.unlink()


def _said(source: Path, checkpoint: Checkpoint, end: int) -> Iterator[Claim | Acknowledgement]:
    for first, entries in _runs(source, checkpoint, end, [end]):
        yield from said_among(first, entries)


def _runs(source: Path, checkpoint: Checkpoint, end: int, stops: Iterable[int]) -> Iterator[tuple[int, list[bytes]]]:
    """`(first index, entries)` up to `end`, a batch at a time; no batch goes on beyond one of `stops`.

    Raises `WrongTree` at the end, unless these were the entries that were signed.
    """
    parts = _as_signed(source, checkpoint)
    first, held = 0, list[bytes]()
    for stop in sorted({*range(BATCH_ENTRIES, end, BATCH_ENTRIES), *stops, end} - {0}):
        while first + len(held) < stop:
            held += next(parts)
        yield first, held[: stop - first]
        first, held = stop, held[stop - first :]
    for _ in parts:
        pass  # the root needs those after `end` too


def _as_signed(source: Path, checkpoint: Checkpoint) -> Iterator[list[bytes]]:
    """All entries of a source, in parts. Raises `WrongTree` after the last one, unless they give the signed root."""
    size, tree = checkpoint.size, TileTree()
    for part in _export_parts(source) if is_export(source) else _mirror_parts(source, size):
        tree.append(list(map(leaf_hash, part)))
        yield part
    if (tree.size, tree.root()) != (size, checkpoint.root):
        raise WrongTree(f"{source} was changed while it was replayed: its {tree.size} entries do not give the root")


def _mirror_parts(mirror: Path, size: int) -> Iterator[list[bytes]]:
    return (signed_bundle(mirror, number, size) for number, _ in tiles_at(0, size))


def _export_parts(export: Path) -> Iterator[list[bytes]]:
    entries = (raw for _, raw in verify.read_entries(export))
    try:
        while part := list(islice(entries, TILE)):
            yield part
    except verify.Changed as error:
        raise WrongTree(f"{export} was changed while it was replayed: {error}") from error
