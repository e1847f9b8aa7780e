"""The rows of a batch: what folds may see, and what is written of what they did."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from infra.tables import ALL, Changes, Table, WorkingSet


@dataclass(slots=True)
class Stall:
    town: str
    number: int
    goods: dict[str, Any] | None


STALL = Table("stall", Stall, key=("town", "number"))


def changes(ws: WorkingSet) -> Changes:
    (found,) = ws.changes()
    return found


def asked(*keys: tuple[str, int], stored: tuple[Stall, ...] = ()) -> WorkingSet:
    ws = WorkingSet()
    ws.missing((STALL, key) for key in keys)
    ws.adopt(STALL, stored)
    return ws


def test_column_types_follow_the_row() -> None:
    assert STALL.columns == ("town", "number", "goods")
    assert STALL.types == ("text", "bigint", "jsonb")
    assert STALL.key_types == ("text", "bigint")


def test_a_row_that_was_not_asked_for_is_an_error_and_not_an_absent_row() -> None:
    ws = asked(("Abha", 1))
    assert ws.get(STALL, "Abha", 1) is None
    with pytest.raises(KeyError, match="not asked for"):
        ws.get(STALL, "Abha", 2)
    with pytest.raises(KeyError, match="as a whole"):
        list(ws.rows(STALL))


def test_only_what_is_not_here_yet_is_missing() -> None:
    ws = asked(("Abha", 1), stored=(Stall("Abha", 1, None),))
    assert ws.missing([(STALL, ("Abha", 1)), (STALL, ("Abha", 2))]) == {STALL: [("Abha", 2)]}
    assert ws.missing([(STALL, ALL)]) == {STALL: None}
    ws.adopt(STALL, [], whole=True)
    assert ws.missing([(STALL, ("Taif", 9))]) == {}
    assert ws.get(STALL, "Taif", 9) is None


def test_a_row_known_to_be_absent_is_new_and_a_stored_one_is_changed() -> None:
    stored = Stall("Abha", 1, None)
    ws = asked(("Abha", 1), ("Abha", 2), stored=(stored,))
    stored.goods = {"dates": 1}
    fresh = Stall("Abha", 2, None)
    for row in (stored, fresh, fresh):
        ws.put(STALL, row)
    assert changes(ws) == Changes(STALL, [], [stored], [fresh], [])


def test_a_row_that_was_put_without_being_asked_for_may_be_stored_already() -> None:
    ws, row = WorkingSet(), Stall("Taif", 1, None)
    ws.put(STALL, row)
    assert changes(ws).changed == [row]


def test_every_row_of_a_whole_table_is_known() -> None:
    ws, row = WorkingSet(), Stall("Taif", 1, None)
    ws.adopt(STALL, [], whole=True)
    ws.put(STALL, row)
    assert list(ws.rows(STALL)) == [row]
    assert changes(ws).new == [row]


def test_a_deleted_row_is_deleted_once_and_may_come_back() -> None:
    ws = asked(("Abha", 1), ("Abha", 2), stored=(Stall("Abha", 1, None),))
    ws.put(STALL, Stall("Abha", 2, None))
    ws.delete(STALL, "Abha", 2)
    assert ws.get(STALL, "Abha", 2) is None
    assert list(ws.changes()) == []
    ws.delete(STALL, "Abha", 1)
    back = Stall("Abha", 1, {})
    ws.put(STALL, back)
    assert changes(ws) == Changes(STALL, [("Abha", 1)], [], [back], [])


def test_what_is_appended_is_never_looked_at() -> None:
    ws, row = WorkingSet(), Stall("Abha", 1, None)
    ws.append(STALL, row)
    assert changes(ws) == Changes(STALL, [], [], [], [row])
