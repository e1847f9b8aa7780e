"""Catching up: entries are read again in parts of a bounded size."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from consumers.registrar import shipper
from consumers.registrar.shipper import Shipper
from infra.log.reader import READ_ENTRIES_MIN
from infra.settings import Settings
from tests.unit.consumers.registrar.readings import numbered, said

SIZE = 10_000


async def test_fewer_entries_are_read_at_once_where_they_are_large(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (entry,) = numbered(said("a")).entries

    async def read_entries(_: object, __: int, limit: int) -> list[bytes]:
        return [entry] * limit

    async def read_leaves(_: object, __: int, limit: int) -> bytes:
        return bytes(32 * limit)

    monkeypatch.setattr(shipper, "read_entries", read_entries)
    monkeypatch.setattr(shipper, "read_leaves", read_leaves)
    monkeypatch.setattr(shipper, "CATCH_UP_BYTES", 512 * len(entry))
    journal: Any = SimpleNamespace(size=SIZE)
    one = Shipper(journal, Settings(home=tmp_path))
    one._reader = SimpleNamespace()  # type: ignore[assignment]
    read = []
    while one.next_index < SIZE:
        shipment = await one._next()
        assert shipment.first_index == one.next_index
        read.append(len(shipment.entries))
        one.next_index = shipment.end
    assert read[0] == READ_ENTRIES_MIN
    assert set(read[1:-1]) == {480}, "somewhat fewer than fit"
    assert sum(read) == SIZE
