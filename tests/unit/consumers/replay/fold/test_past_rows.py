"""What is copied before a row changes: once a block, and only where the row was there before the block."""

from __future__ import annotations

from dataclasses import dataclass, replace

import orjson
import pytest

from consumers.models.registry import CONSUMERS
from consumers.replay.fold.past_rows import (
    BLOCK_ENTRIES,
    SPAN_BLOCKS,
    Copies,
    KeepingUnitOfWork,
    KeptKeys,
    block_start,
    blocks,
    key_text,
    row_text,
    span_end,
)
from consumers.revenue.rows import CONTRACT, Contract
from infra.postgres.unit_of_work import Table
from tests.every import every
from tests.oracle.history import MIXED, entries_from, generate
from tests.world.entries import entry_of

START = BLOCK_ENTRIES


@dataclass(slots=True)
class Counter:
    name: str
    count: int
    first_index: int


@dataclass(slots=True)
class Undated:
    name: str
    number: int
    count: int = 1


@dataclass(slots=True)
class Account:
    name: str
    owner: str
    sum: int
    first_index: int
    last_index: int


COUNTER = Table("counter", Counter, key=("name",))
UNDATED = Table("undated", Undated, key=("name", "number"))
ACCOUNT = Table("account", Account, key=("name",), fixed=("owner", "first_index"))
WAITING = Table("waiting", Account, key=("name",), transient=True)


def in_block(start: int, kept: KeptKeys | None = None) -> KeepingUnitOfWork:
    """A batch in the block `start`."""
    rows = KeepingUnitOfWork(KeptKeys() if kept is None else kept)
    rows.enter(start)
    return rows


def loaded(kept: KeptKeys, start: int, row: Counter) -> KeepingUnitOfWork:
    """The same, that has loaded this row."""
    rows = in_block(start, kept)
    rows.missing([(COUNTER, (row.name,))])
    rows.adopt(COUNTER, [row])
    return rows


def counted(rows: KeepingUnitOfWork) -> Copies:
    """The copies, after the row was changed."""
    row = rows.get(COUNTER, "a")
    assert row is not None
    row.count += 1
    rows.put(COUNTER, row)
    return rows.past()


def test_a_row_is_copied_as_it_was_before_its_first_change_in_a_block() -> None:
    kept = KeptKeys()
    copied = {("counter", START): {"a": "[1,5]"}}
    assert counted(loaded(kept, START, Counter("a", 1, 5))) == copied
    assert counted(loaded(kept, START, Counter("a", 2, 5))) == {}
    kept.forget()
    assert counted(loaded(kept, START, Counter("a", 1, 5))) == copied, "again after a transaction that failed"
    assert counted(loaded(kept, 2 * START, Counter("a", 3, 5))) == {("counter", 2 * START): {"a": "[3,5]"}}


def test_a_row_that_is_only_read_and_one_of_this_block_are_not_copied() -> None:
    assert loaded(KeptKeys(), START, Counter("a", 1, 5)).past() == {}
    assert counted(loaded(KeptKeys(), START, Counter("a", 1, START))) == {}
    assert counted(loaded(KeptKeys(), 0, Counter("a", 1, 0))) == {}


def test_a_new_row_that_names_no_entry_was_absent_before_and_one_deleted_unread_is_copied() -> None:
    kept = KeptKeys()
    for expected in ({("undated", START): {key_text(("b", 7)): None}}, {}):
        rows = in_block(START, kept)
        rows.missing([(UNDATED, ("b", 7))])
        rows.put(UNDATED, Undated("b", 7))
        assert rows.past() == expected
    rows = in_block(START)
    rows.delete(UNDATED, "b", 7)
    assert rows.deleted_unread() == [(UNDATED, [("b", 7)], START)]
    assert rows.past() == {}


def test_a_batch_keeps_what_a_row_was_at_the_beginning_of_each_of_its_blocks() -> None:
    kept = KeptKeys()
    rows = loaded(kept, START + 3, Counter("a", 1, 5))
    counted(rows)
    rows.enter(2 * START)
    assert counted(rows) == {("counter", START): {"a": "[1,5]"}, ("counter", 2 * START): {"a": "[2,5]"}}
    (changes,) = rows.changes()
    assert changes.changed == [Counter("a", 3, 5)]


def test_a_row_of_an_earlier_block_of_the_batch_is_copied_and_a_deleted_one_is_absent() -> None:
    rows = in_block(START)
    rows.missing([(COUNTER, ("a",)), (UNDATED, ("b", 7))])
    rows.put(COUNTER, Counter("a", 1, START))
    rows.put(UNDATED, Undated("b", 7))
    rows.enter(2 * START)
    rows.delete(COUNTER, "a")
    rows.delete(UNDATED, "b", 7)
    rows.enter(3 * START)
    rows.put(UNDATED, Undated("b", 7, 2))
    copied = {place: [row and orjson.loads(row)[0] for row in copies.values()] for place, copies in rows.past().items()}
    undated = {("undated", START): [None], ("undated", 2 * START): [1], ("undated", 3 * START): [None]}
    assert copied == {**undated, ("counter", 2 * START): [1]}


def firsts(start: int, before: Account) -> list[tuple[int, str | None]]:
    """The copy of a span's first state that a change of the row in the block `start` gives."""
    rows = in_block(start)
    rows.missing([(ACCOUNT, ("a",))])
    rows.adopt(ACCOUNT, [before])
    rows.put(ACCOUNT, replace(before, sum=1, last_index=start))
    assert list(rows.past()) == [("account", start)]
    return [(until, row) for (_, until), copies in rows.past_of_spans().items() for row in copies.values()]


def test_the_first_copy_of_a_span_is_also_that_of_its_beginning() -> None:
    span = SPAN_BLOCKS * BLOCK_ENTRIES
    assert firsts(span, Account("a", "health", 7, 3, 4)) == [(span, "[7,4]")]
    assert firsts(span + START, Account("a", "health", 7, 3, 4)) == [(span, "[7,4]")]
    assert firsts(span + START, Account("a", "health", 7, 3, span + 9)) == []
    assert firsts(span + START, Account("a", "health", 7, span + 9, span + 9)) == []
    assert firsts(span - START, Account("a", "health", 7, 3, 4)) == []
    assert [span_end(index) for index in (0, START, span, span + START)] == [0, span, span, 2 * span]


def test_only_what_may_change_is_copied_and_all_of_a_row_that_may_be_deleted() -> None:
    """The JSON of a contract's terms is not in it: each receipt changes the row in each block."""
    row = Account("a", "health", 7, 3, 4)
    assert row_text(ACCOUNT, row) == "[7,4]"
    assert row_text(WAITING, row) == '["a","health",7,3,4]'
    terms = {name: {"ar": "نص" * 500, "en": "Text" * 500} for name in ("partner", "legal_basis")}
    fixed = dict.fromkeys(CONTRACT.fixed, "x" * 500)
    changing = {name: None if name == "terminated_on" else "2026-12-31" for name in CONTRACT.changing}
    contract = Contract(**{**fixed, **changing, **terms, "services": ["S"] * 500, "partnership_id": "P"})  # type: ignore[arg-type]
    assert len(row_text(CONTRACT, contract)) < 250


def test_a_batch_is_cut_at_the_end_of_each_block(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("consumers.replay.fold.past_rows.BLOCK_ENTRIES", 10)
    log = [entry_of(made) for made in entries_from(generate(3, 60, MIXED))]
    parts = blocks(log[7:31])
    assert [[entry.index for entry in part] for part in parts] == [
        [7, 8, 9], [*range(10, 20)], [*range(20, 30)], [30]
    ]  # fmt: skip
    assert blocks(log[10:20]) == [log[10:20]]
    assert blocks([]) == [[]]
    assert (block_start(9), block_start(10)) == (0, 10)


@every("table", [t for c in CONSUMERS.values() for t in c.tables if t.append_only])
def test_rows_that_are_only_added_show_their_age(table: Table[object]) -> None:
    assert table.since in table.columns
