"""The entries of a scope: the same wherever the index of events stands."""

from __future__ import annotations

import pytest

from bench.ledger import history
from consumers.explain.database import TooManyEntries, entries_in, few_entries_in, first_entry_in
from consumers.explain.figures import Scope
from tests.every import every
from tests.world.indexed_log import IndexedLog, shown
from tests.world.logs import raw_entries

RAW = raw_entries(history(12, 2, closes=True))
OWN = Scope("partnership/P1")
OF_P1 = [index for index, entry in enumerate(RAW) if b'"subject":"partnership/P1"' in entry]
SIGNED = Scope("partnership/P1", frozenset({"partnership.signed"}))


@every("indexed", [0, 1, 5, len(RAW) - 1, len(RAW)])
async def test_what_is_not_indexed_yet_is_read_from_the_log(indexed: int) -> None:
    view = shown(IndexedLog(RAW, indexed))
    found = [raw async for raw in entries_in(view, len(RAW), OWN)]
    assert found == [(index, RAW[index]) for index in OF_P1]
    assert await few_entries_in(view, len(RAW), OWN, len(found)) == found
    assert await few_entries_in(view, len(RAW) - 1, OWN, len(found)) == [raw for raw in found if raw[0] < len(RAW) - 1]
    assert await first_entry_in(view, len(RAW), SIGNED) == found[0]
    with pytest.raises(TooManyEntries):
        await few_entries_in(view, len(RAW), OWN, len(found) - 1)


async def test_with_an_index_far_behind_few_entries_are_not_looked_for() -> None:
    log = IndexedLog(RAW, 0)
    with pytest.raises(TooManyEntries):
        await few_entries_in(shown(log), len(RAW), OWN, len(RAW), unindexed_max=1)
    assert log.read == []
    assert await first_entry_in(shown(log), len(RAW), SIGNED, unindexed_max=1) is None
