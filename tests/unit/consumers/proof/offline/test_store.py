"""A replay holds the rows of one batch, and writes the lines that the live read model hashes."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest
import rfc8785

from consumers.models.registry import CONSUMERS
from consumers.proof.offline import store as store_module
from consumers.proof.offline.replay import write_parquet
from consumers.proof.offline.store import SqliteStore
from consumers.replay.fold.consumer import Consumer
from consumers.replay.fold.table_hash import RowHasher, TableHash
from events.wire.entry import Entry
from infra.postgres.outbox import OutboxEvent
from infra.postgres.unit_of_work import Need, Table, UnitOfWork
from tests.every import every
from tests.oracle.history import entries_from, generate
from tests.world.entries import entry_of


@cache
def entries() -> tuple[Entry, ...]:
    return tuple(entry_of(entry) for entry in entries_from(generate(7, 400)))


@every("name", CONSUMERS)
async def test_no_batch_stays_without_a_collector(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[weakref.ref[UnitOfWork]] = []

    class Watched(UnitOfWork):
        def __init__(self) -> None:
            super().__init__()
            made.append(weakref.ref(self))

    monkeypatch.setattr(store_module, "UnitOfWork", Watched)
    store = SqliteStore(tmp_path / f"{name}.sqlite", CONSUMERS[name])
    entries()
    gc.disable()
    try:
        await store.apply(entries())
        assert [reference() for reference in made] == [None]
    finally:
        gc.enable()
        store.close()


@dataclass(slots=True)
class Mixed:
    id: str
    number: int | None
    flag: bool | None
    digest: bytes | None
    document: dict[str, Any] | None


MIXED = Table("mixed", Mixed, ("id",))


def as_json(row: Mixed) -> dict[str, Any]:
    return {**asdict(row), "digest": None if row.digest is None else row.digest.hex()}


async def test_lines_of_every_type_are_those_of_the_live_rows(tmp_path: Path) -> None:
    texts = [*map(chr, range(1, 0x20)), '"', "\\", "/", "\x7f", "\u2028", "نص", "😀", ""]
    rows = [
        Mixed(f"{number:03} {text}", -number, number % 2 == 0, text.encode(), {"b": [text, None], "a": {"é": number}})
        for number, text in enumerate(texts)
    ] + [Mixed("null", None, None, None, None)]

    def needs(unit: UnitOfWork, entries: Sequence[Entry]) -> Iterator[Sequence[Need]]:
        yield [(MIXED, (row.id,)) for row in rows]

    def fold(unit: UnitOfWork, entries: Sequence[Entry]) -> list[OutboxEvent]:
        for row in Random(1).sample(rows, len(rows)):
            unit.put(MIXED, row)
        return []

    store = SqliteStore(tmp_path / "mixed.sqlite", Consumer("mixed", "mixed", (MIXED,), (), needs, fold))
    await store.apply(entries()[:1])
    live = [rfc8785.dumps(as_json(row)) + b"\n" for row in sorted(rows, key=lambda row: row.id)]
    assert b"".join(map(RowHasher(MIXED, msgspec.Raw).lines, store.parts(MIXED))) == b"".join(live)
    assert store.hash(MIXED) == TableHash("mixed", len(rows), sha256(b"".join(live)).hexdigest())
    assert [*store.matching(MIXED, {})] == sorted(rows, key=lambda row: row.id)
    store.close()


async def test_a_read_model_is_written_to_a_folder_of_any_name(tmp_path: Path) -> None:
    consumer = CONSUMERS["projections"]
    with closing(SqliteStore(tmp_path / "store.sqlite", consumer)) as store:
        await store.apply(entries())
        folder = tmp_path / "service_id=other" / "a[1]"
        folder.mkdir(parents=True)
        for table in consumer.tables:
            write_parquet(store, table, folder / f"{table.name}.parquet", store.hash(table))
