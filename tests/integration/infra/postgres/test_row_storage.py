"""Rows go to a real PostgreSQL and come back as they were: every column type, every kind of change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from infra.postgres.connection import Connection
from infra.postgres.row_storage import COPY_ROWS_MIN, LostRows, load, save
from infra.postgres.unit_of_work import ALL, Table, UnitOfWork


@dataclass(slots=True)
class Thing:
    shelf: str
    number: int
    names: list[Any]
    details: dict[str, Any] | None
    note: str | None
    done: bool
    raw: bytes


@dataclass(slots=True)
class Line:
    number: int
    words: list[Any]


THING = Table("thing", Thing, ("shelf", "number"))
LINE = Table("line", Line, ("number",), append_only=True)
VALUES: list[list[Any]] = [
    [],
    ["a"],
    [["a", "b"], ["c"]],
    [[], [[]]],
    [None, True, 2**53 - 1, -1, 'ن\n"\\'],
    [{"ar": "نص", "en": "text"}],
    [1, "mixed", None, [2]],
]


@pytest.fixture
async def tables(connection: Connection) -> Connection:
    await connection.execute(
        "CREATE SCHEMA shelves; SET search_path = shelves;"
        "CREATE TABLE thing (shelf text, number bigint, names jsonb NOT NULL, details jsonb, note text,"
        "  done boolean NOT NULL, raw bytea NOT NULL, PRIMARY KEY (shelf, number));"
        "CREATE TABLE line (number bigint PRIMARY KEY, words jsonb NOT NULL)"
    )
    return connection


def thing(number: int, names: list[Any] | None = None) -> Thing:
    return Thing("a", number, names or [], None, None, False, b"")


async def stored(connection: Connection) -> dict[int, Thing]:
    ws = UnitOfWork()
    await load(connection, ws, [(THING, ALL)])
    return {row.number: row for row in ws.rows(THING)}


async def names_of(connection: Connection) -> dict[int, list[Any]]:
    return {number: row.names for number, row in (await stored(connection)).items()}


async def put(connection: Connection, *rows: Thing) -> None:
    ws = UnitOfWork()
    await load(connection, ws, [(THING, (row.shelf, row.number)) for row in rows])
    for row in rows:
        ws.put(THING, row)
    await save(connection, ws)


async def test_every_value_comes_back_as_it_was_also_in_changed_rows(tables: Connection) -> None:
    rows = [thing(i, names) for i, names in enumerate(VALUES)]
    rows += [
        Thing("a", 100, ["x"], {"b": [1, [2]], "a": None}, "note", True, b"\x00\xff"),
        Thing("a", 101, [], {}, "", False, b""),
    ]
    many = [thing(1000 + i, VALUES[i % len(VALUES)]) for i in range(COPY_ROWS_MIN + 1)]
    await put(tables, *rows)
    await put(tables, *many)  # these are copied
    assert await stored(tables) == {row.number: row for row in rows + many}
    changed = [thing(row.number, VALUES[(row.number + 1) % len(VALUES)]) for row in rows + many]
    await put(tables, changed[0])
    await put(tables, *changed[1:])
    assert await stored(tables) == {row.number: row for row in changed}

    ws = UnitOfWork()
    for i, words in enumerate(VALUES):
        ws.append(LINE, Line(i, words))
    await save(tables, ws)
    lines = await tables.fetch("SELECT number, words FROM line ORDER BY number")
    assert [(row["number"], row["words"]) for row in lines] == list(enumerate(VALUES))


async def test_a_batch_may_insert_change_and_delete_at_once(tables: Connection) -> None:
    await put(tables, *(thing(i) for i in range(6)))
    ws = UnitOfWork()
    await load(tables, ws, [(THING, ("a", i)) for i in range(8)])
    ws.delete(THING, "a", 0)
    ws.delete(THING, "a", 1)
    ws.put(THING, thing(1, ["again"]))
    ws.put(THING, thing(2, ["changed"]))
    ws.put(THING, thing(7, ["new"]))
    ws.delete(THING, "a", 7)
    ws.put(THING, thing(6, ["new"]))
    await save(tables, ws)
    after = {1: ["again"], 2: ["changed"], 3: [], 4: [], 5: [], 6: ["new"]}
    assert await names_of(tables) == after

    ws = UnitOfWork()
    for number in (1, 10):
        ws.put(THING, thing(number, ["not asked for"]))
    await save(tables, ws)
    assert await names_of(tables) == after | {1: ["not asked for"], 10: ["not asked for"]}


async def test_only_what_was_asked_for_is_loaded_and_a_row_deleted_since_halts(tables: Connection) -> None:
    await put(tables, thing(1), thing(2), thing(3))
    ws = UnitOfWork()
    await load(tables, ws, [(THING, ("a", 1)), (THING, ("a", 3)), (THING, ("b", 2))])
    assert ws.get(THING, "a", 1) == thing(1)
    assert ws.get(THING, "b", 2) is None
    with pytest.raises(KeyError):
        ws.get(THING, "a", 2)
    for number in (1, 3):
        row = ws.get(THING, "a", number)
        assert row is not None
        ws.put(THING, row)
    await tables.execute("DELETE FROM thing WHERE number = 3")
    with pytest.raises(LostRows, match=r"^thing: "):
        await save(tables, ws)


async def test_the_search_path_decides_which_tables_are_meant(tables: Connection) -> None:
    await put(tables, thing(1))
    await tables.execute("CREATE SCHEMA beside; CREATE TABLE beside.thing (LIKE shelves.thing INCLUDING ALL)")
    await tables.execute("SET search_path = beside")
    assert await stored(tables) == {}
    await put(tables, thing(2))
    await tables.execute("SET search_path = shelves")
    assert list(await stored(tables)) == [1]


FIXED = Table("thing", Thing, ("shelf", "number"), fixed=("names", "raw"))


async def test_a_change_leaves_fixed_columns_as_they_are(tables: Connection) -> None:
    await put(tables, *(thing(number, ["kept"]) for number in range(COPY_ROWS_MIN)))
    ws = UnitOfWork()
    await load(tables, ws, [(FIXED, ("a", number)) for number in range(COPY_ROWS_MIN)])
    for number in range(COPY_ROWS_MIN):
        row = ws.get(FIXED, "a", number)
        assert row is not None
        row.names, row.note, row.done = ["not written"], 'a "note"\n\\', True
        ws.put(FIXED, row)
    await save(tables, ws)
    found = await stored(tables)
    assert len(found) == COPY_ROWS_MIN
    assert all((row.names, row.note, row.done) == (["kept"], 'a "note"\n\\', True) for row in found.values())
