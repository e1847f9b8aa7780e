"""Replays a verified mirror into one SQLite file for each consumer, and compares the hashes that the log commits to.

Flows in: a mirror folder whose tree was proven. Flows out: `<consumer>.sqlite` files, and for each read model the hash
at the end and at its last commitment. Consumers are independent, so each is a process of its own.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final

from consumers.audit.layout import TILE
from consumers.audit.mirror import mirror_bundle
from consumers.commitments.claims import Claim, claims_among, newest, read_model_name
from consumers.fold.consumer import Consumer
from consumers.fold.table_hash import TableHash
from consumers.offline.store import SqliteStore
from consumers.registry import CONSUMERS
from events.wire.entry import parse_entry
from infra.postgres.unit_of_work import Table

BATCH_BUNDLES: Final = 32


@dataclass(frozen=True, slots=True)
class Replayed:
    """One read model after the replay. `claim` is its last commitment up to there, `found` the hash at its index."""

    name: str
    rows: int
    sha256: str
    claim: Claim | None
    found: TableHash | None

    @property
    def ok(self) -> bool:
        """Whether the log commits to the hash that the log gives, if it commits to one."""
        if self.claim is None:
            return True
        return self.found is not None and (self.found.rows, self.found.sha256) == (self.claim.rows, self.claim.sha256)


@dataclass(frozen=True, slots=True)
class _Task:
    """The replay of one consumer up to `end`, with the commitments to compare."""

    mirror: Path
    file: Path
    consumer_name: str
    end: int
    claims: tuple[Claim, ...]


def replay_into(mirror: Path, folder: Path, end: int, processes: int | None = None) -> list[Replayed]:
    """Replay the first `end` entries of a verified mirror; returns every read model, by consumer."""
    folder.mkdir(parents=True, exist_ok=True)
    claims = newest([claim for claim in _claims(mirror, end) if claim.log_index <= end], 1)
    tasks = [_Task(mirror, folder / f"{name}.sqlite", name, end, _of(name, claims)) for name in CONSUMERS]
    with ProcessPoolExecutor(processes or os.cpu_count(), mp_context=get_context("spawn")) as pool:
        return [row for rows in pool.map(_replay, tasks) for row in rows]


def _of(consumer_name: str, claims: Sequence[Claim]) -> tuple[Claim, ...]:
    return tuple(claim for claim in claims if claim.name.startswith(f"{consumer_name}."))


def _replay(task: _Task) -> list[Replayed]:
    consumer = CONSUMERS[task.consumer_name]
    store = SqliteStore(task.file, consumer)
    try:
        found: dict[str, TableHash] = {}
        position = 0
        for stop in sorted({claim.log_index for claim in task.claims} | {task.end}):
            for first, part in _parts(task.mirror, position, stop):
                store.apply([parse_entry(first + number, raw) for number, raw in enumerate(part)])
            position = stop
            found |= _hashes(store, [claim.name for claim in task.claims if claim.log_index == stop])
        return [_replayed(store, consumer, table, task.claims, found) for table in consumer.tables]
    finally:
        store.close()


def _hashes(store: SqliteStore, names: Sequence[str]) -> dict[str, TableHash]:
    tables = {read_model_name(store.consumer, table.name): table for table in store.consumer.tables}
    return {name: store.hash(tables[name]) for name in names if name in tables}


def _replayed(
    store: SqliteStore, consumer: Consumer, table: Table[Any], claims: Sequence[Claim], found: dict[str, TableHash]
) -> Replayed:
    name = read_model_name(consumer, table.name)
    now = store.hash(table)
    claim = next((claim for claim in claims if claim.name == name), None)
    return Replayed(name, now.rows, now.sha256, claim, found.get(name))


def _claims(mirror: Path, end: int) -> Iterator[Claim]:
    for first, entries in _parts(mirror, 0, end):
        yield from claims_among(first, entries)


def _parts(mirror: Path, first: int, end: int) -> Iterator[tuple[int, list[bytes]]]:
    """`(first index, entries)` from `first` to `end - 1`, some bundles at a time."""
    while first < end:
        stop = min(end, (first // TILE + BATCH_BUNDLES) * TILE)
        entries: list[bytes] = []
        for number in range(first // TILE, -(-stop // TILE)):
            entries += mirror_bundle(mirror, number)
        start = first // TILE * TILE
        yield first, entries[first - start : stop - start]
        first = stop
