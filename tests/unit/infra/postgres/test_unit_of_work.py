"""Requested rows are loaded once, changed in memory, and saved with the fewest statements."""

from __future__ import annotations

from dataclasses import dataclass, make_dataclass

import pytest

from infra.postgres.unit_of_work import ALL, Changes, Table, UnitOfWork


@dataclass(slots=True)
class Item:
    shelf: str
    number: int
    names: list[str]
    details: dict[str, int] | None
    done: bool


ITEM = Table("item", Item, ("shelf", "number"))


@dataclass(slots=True)
class Line:
    number: int
    text: str | None


LINE = Table("line", Line, ("number",), append_only=True)


def item(number: int = 1, *names: str) -> Item:
    return Item("a", number, list(names), None, False)


def loaded(*rows: Item, asked: tuple[int, ...] = (1, 2)) -> UnitOfWork:
    ws = UnitOfWork()
    ws.missing((ITEM, ("a", number)) for number in asked)
    ws.adopt(ITEM, rows)
    return ws


def changes(ws: UnitOfWork) -> Changes:
    (found,) = ws.changes()
    return found


def test_columns_have_the_types_of_their_fields_and_one_without_is_refused() -> None:
    assert ITEM.columns == ("shelf", "number", "names", "details", "done")
    assert ITEM.types == ("text", "bigint", "jsonb", "jsonb", "boolean")
    assert ITEM.key_types == ("text", "bigint")
    assert LINE.types == ("bigint", "text")
    with pytest.raises(TypeError, match="complex"):
        Table("odd", make_dataclass("Odd", [("value", complex)], slots=True), ("value",))


def test_nothing_is_asked_for_twice_and_what_was_not_asked_for_is_a_programming_error() -> None:
    ws = loaded(item(1))
    assert ws.get(ITEM, "a", 2) is None
    with pytest.raises(KeyError, match=r"item\('a', 9\) was not requested"):
        ws.get(ITEM, "a", 9)
    with pytest.raises(KeyError, match="as a whole"):
        ws.rows(ITEM)
    assert ws.missing([(ITEM, ("a", 1)), (ITEM, ("a", 3)), (ITEM, ("a", 3))]) == {ITEM: [("a", 3)]}
    assert ws.missing([(ITEM, ("a", 3))]) == {}


def test_a_whole_table_covers_each_of_its_keys() -> None:
    ws = UnitOfWork()
    assert ws.missing([(ITEM, ("a", 1)), (ITEM, ALL), (ITEM, ("a", 2))]) == {ITEM: None}
    ws.adopt(ITEM, [item(1), item(2)], whole=True)
    assert ws.missing([(ITEM, ("a", 7)), (ITEM, ALL)]) == {}
    assert ws.get(ITEM, "a", 7) is None
    ws.delete(ITEM, "a", 1)
    assert list(ws.rows(ITEM)) == [item(2)]


def test_a_new_row_and_a_changed_row_are_told_apart_and_written_once_with_what_was_put_last() -> None:
    ws = loaded(item(1))
    ws.put(ITEM, item(1, "changed"))
    ws.put(ITEM, item(2, "first"))
    ws.put(ITEM, item(2, "last"))
    found = changes(ws)
    assert (found.changed, found.new, found.deleted) == ([item(1, "changed")], [item(2, "last")], [])


def test_a_row_changed_in_place_is_written_only_after_put_and_appended_ones_in_their_order() -> None:
    ws = loaded(item(1))
    row = ws.get(ITEM, "a", 1)
    assert row is not None
    row.names.append("z")
    assert list(ws.changes()) == []
    ws.put(ITEM, row)
    assert changes(ws).changed == [item(1, "z")]
    ws = UnitOfWork()
    ws.append(LINE, Line(2, "b"))
    ws.append(LINE, Line(1, None))
    assert changes(ws).appended == [Line(2, "b"), Line(1, None)], "they need not be asked for"


def test_a_new_row_that_is_deleted_again_leaves_no_trace_and_a_stored_one_put_again_is_deleted_first() -> None:
    ws = loaded()
    ws.put(ITEM, item(1))
    ws.delete(ITEM, "a", 1)
    assert list(ws.changes()) == []
    assert ws.get(ITEM, "a", 1) is None
    ws = loaded(item(1))
    ws.put(ITEM, item(1, "changed"))
    ws.delete(ITEM, "a", 1)
    ws.put(ITEM, item(1, "again"))
    found = changes(ws)
    assert (found.deleted, found.changed, found.new) == ([("a", 1)], [], [item(1, "again")])
