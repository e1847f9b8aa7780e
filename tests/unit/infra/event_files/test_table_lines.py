"""A table becomes events: strict types, exact money, and nothing sent from a table that does not fit."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any, Final

import openpyxl
import orjson
import pytest

from infra.event_files.table_lines import copy_rows, mapped_lines
from infra.tables.mapping import Column, MappingDocument, WrongMapping, cell_value, read_mapping
from infra.tables.workbook import WrongTable
from tests.every import every

MAPPING = MappingDocument.model_validate(
    {
        "ignored_columns": ["note"],
        "constants": {"/type": "t", "/data/receipts": 1},
        "templates": {"/subject": "partnership/{contract}", "/time": "{on}T00:00:00+03:00"},
        "columns": {
            "contract": {"pointer": "/data/partnership_id"},
            "المبلغ": {"pointer": "/data/amount_halalas", "type": "riyals"},
            "on": {"pointer": "/data/collected_on"},
        },
    }
)
NESTED: Final[Any] = orjson.loads("[" * 200 + "]" * 200)
HEADER = "contract,المبلغ,on,note\n"


def events(table: str, mapping: MappingDocument = MAPPING) -> list[tuple[int, Any]]:
    stream = BytesIO(table.encode())
    return [(line.number, orjson.loads(line.text or b"null")) for line in mapped_lines(stream, mapping)]


def test_a_row_becomes_an_event_numbered_by_the_line_where_it_begins() -> None:
    table = HEADER + '\nA,12.5,2006-01-01,"two\nlines"\n\nB,7,2006-01-02,\nC,1,,\n'
    (line, event), (other_line, other), (_, short) = events(table)
    assert (line, other_line) == (3, 6)
    assert event == {
        "type": "t",
        "subject": "partnership/A",
        "time": "2006-01-01T00:00:00+03:00",
        "data": {"receipts": 1, "partnership_id": "A", "amount_halalas": 1250, "collected_on": "2006-01-01"},
    }
    assert (other["subject"], other["data"]["amount_halalas"]) == ("partnership/B", 700)
    assert "time" not in short, "an empty cell is an absent member also in a template"
    assert "collected_on" not in short["data"]


def test_a_template_has_the_catalogues_words_and_by_another_name_the_tables_own() -> None:
    mapping = MappingDocument.model_validate(
        {
            "ignored_columns": ["year"],
            "templates": {"/subject": "quota/{year}/{track}", "/id": "quota-{word}"},
            "columns": {"track": {"pointer": "/data/track", "values": {"استخدام": "usage"}}},
        }
    )
    (_, event), (_, other) = events("track,word,year\nاستخدام,استخدام,1427\nIT,,1427\n", mapping)
    # docs/upgrade.md advises the second column, so that the ids of a table stay.
    assert event == {"id": "quota-استخدام", "subject": "quota/1427/usage", "data": {"track": "usage"}}
    assert other["subject"] == "quota/1427/IT"


@every(
    ("mapping", "message"),
    [
        ({"columns": {"a": {"pointer": "/a" * 300}}}, "nested too deeply: an event has at most 16 levels"),
        ({"columns": {"a": {}}, "constants": {"/a" * 100: NESTED}}, "nested too deeply"),
        ({"columns": {"a": {"pointer": ""}}}, "'' is not a JSON pointer"),
        ({"columns": {"a": {"pointer": "/data/a"}}, "constants": {"/data": {}}}, "fill the same member"),
    ],
)
def test_a_mapping_of_events_that_nobody_can_read_is_not_taken(mapping: dict[str, Any], message: str) -> None:
    with pytest.raises(WrongMapping, match=message):
        events("a\nx\n", MappingDocument.model_validate({"ignored_columns": ["a"], **mapping}))


@every(
    ("cell", "column", "value"),
    [
        ("100", Column(type="integer"), 100),
        ("-0", Column(type="integer"), 0),
        ("100.0", Column(type="integer"), "100.0"),
        ("١٠٠", Column(type="integer"), "١٠٠"),
        (" 1", Column(type="integer"), " 1"),
        ("1e2", Column(type="integer"), "1e2"),
        ("12.345", Column(type="riyals"), "12.345"),
        ("0.07", Column(type="riyals"), 7),
        ("-1.5", Column(type="riyals"), -150),
        ("1,000", Column(type="riyals"), "1,000"),
        ("true", Column(type="boolean"), True),
        ("1", Column(type="boolean"), "1"),
        ("web | phone", Column(type="list"), ["web", "phone"]),
        ("تلفاز|radio", Column(type="list", values={"تلفاز": "tv"}), ["tv", "radio"]),
        ("نعم", Column(type="boolean", values={"نعم": "true"}), True),
        ("100", Column(), "100"),
        (str(-(2**63)), Column(type="integer"), -(2**63)),
        (str(-(2**63) - 1), Column(type="integer"), str(-(2**63) - 1)),
        ("-99999999999999999.99", Column(type="riyals"), "-99999999999999999.99"),
        ("99999999999999999.99", Column(type="riyals"), 9999999999999999999),
    ],
)
def test_a_cell_that_is_not_of_its_type_stays_a_text(cell: str, column: Column, value: object) -> None:
    found = cell_value(cell, column)
    assert (found, type(found)) == (value, type(value))


@every(
    ("table", "message"),
    [
        ("", "no header"),
        (HEADER + "A,1,2006-01-01,x,y\n", "Line 2 and the header have different numbers of cells, 5 and 4"),
        (HEADER + 'A,"1"2,2006-01-01,\n', "Line 2 cannot be read"),
        (HEADER + 'A,1,2006-01-01,"open', "Line 2 cannot be read"),
    ],
)
def test_nothing_is_sent_of_a_table_that_is_not_well_formed(table: str, message: str) -> None:
    lines = mapped_lines(BytesIO(table.encode()), MAPPING)
    with pytest.raises(WrongTable, match=message):
        next(lines)


def test_a_table_in_another_encoding_is_told_and_can_be_named() -> None:
    raw = (HEADER + "عقد,1,2006-01-01,\n").encode("cp1256")
    with pytest.raises(WrongTable, match="not utf-8"):
        list(mapped_lines(BytesIO(raw), MAPPING))
    windows = MAPPING.model_copy(update={"encoding": "windows-1256"})
    (line,) = mapped_lines(BytesIO(raw), windows)
    assert orjson.loads(line.text or b"")["subject"] == "partnership/عقد"


@every(
    ("header", "message"),
    [
        ("contract,on,note\n", "columns that the table lacks: \u2068\\['المبلغ'\\]"),
        (HEADER.replace("note", "extra"), "not have these columns: \\['extra'\\]"),
        (HEADER.replace("note", ""), "^column 4 of the table has no name: name it, or delete it if it is empty$"),
        (HEADER.replace("note", "on"), "two columns named \\['on'\\]"),
        *[
            (row, r"^the first row looks like data \(it has a number of ten digits\): it must name the columns$")
            for row in ("A,12.5,1000000008,x\n", "on,on,note,2000000000\n", "contract,المبلغ,on,١٢٣٤٥٦٧٨٩٠\n")
        ],
    ],
)
def test_a_mapping_and_a_table_that_do_not_fit_are_told_before_anything_is_sent(header: str, message: str) -> None:
    with pytest.raises(WrongMapping, match=message):
        list(mapped_lines(BytesIO(header.encode()), MAPPING))


def test_the_greatest_numbers_of_a_cell_keep_their_digits() -> None:
    for cell in ("-9999999999999999999", "9999999999999999999"):
        ((_, event),) = events(
            "n\n" + cell + "\n", MappingDocument(columns={"n": Column(pointer="/data/n", type="integer")})
        )
        assert str(event["data"]["n"]) == cell


@every("name", ["m.toml", "m.json", "M.JSON"])
def test_a_mapping_is_read_as_windows_editors_save_it(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    for encoding in ("utf-8", "utf-8-sig"):
        text = "[columns.a]\npointer = '/id'" if name == "m.toml" else '{"columns": {"a": {"pointer": "/id"}}}'
        path.write_text(text, encoding=encoding)
        assert read_mapping(path).columns["a"].pointer == "/id"


@every(
    ("text", "message"),
    [
        ("[columns]\n'الرمز' = '/data/code'", 'column "الرمز": write { pointer = "/data/…" } instead of "/data/code"'),
        (
            "[columns.a]\ntype = 'float'",
            'column "a", type: write "text", "integer", "boolean", "list" or "riyals" instead of "float"',
        ),
        (
            "[columns.a]\npoint = '/id'",
            'column "a", point: unknown name; write one of pointer, type, values, separator',
        ),
        ("colums = {}", "colums: unknown name; write one of encoding, delimiter, "),
        ("[columns.a]\npointer = 5", 'column "a", pointer: write a text in quotes instead of 5'),
        ("[columns.a.values]\nx = true", 'column "a", values, "x": write a text in quotes instead of true'),
        ("delimiter = ';;'", 'delimiter: write one character instead of ";;"'),
        ("ignored_columns = 'note'", 'ignored_columns: write a list of texts in brackets instead of "note"'),
        ("templates = 3", "templates: write a TOML table instead of 3"),
        ("[columns.a]\npointer = 1000000008", 'column "a", pointer: write a text in quotes'),
        ("الرمز = 1", "cannot be read: Invalid statement (at line 1, column 1); put a name with characters other than"),
    ],
)
def test_a_mapping_files_mistake_is_told_with_place_and_remedy(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "services.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(WrongMapping) as caught:
        read_mapping(path)
    assert f"services.toml{',' if 'cannot' not in message else ''} {message}" in str(caught.value)
    assert "1000000008" not in str(caught.value)
    assert "pydantic" not in str(caught.value)
    assert "Input should" not in str(caught.value)


def test_every_mistake_of_a_mapping_is_told_at_once_in_the_words_of_its_form(tmp_path: Path) -> None:
    path = tmp_path / "m.json"
    path.write_text('{"columns": {"a": "/id", "b": []}, "encoding": "latin-1"}')
    with pytest.raises(WrongMapping) as caught:
        read_mapping(path)
    assert str(caught.value) == (
        f'{path}, encoding: write "utf-8" or "windows-1256" instead of "latin-1"; column "a": write'
        ' {"pointer": "/data/…"} instead of "/id"; column "b": write {"pointer": "/data/…"} instead of []'
    )


def test_the_refused_rows_are_a_table_of_the_same_form_byte_by_byte() -> None:
    source = BytesIO('\ufeffcontract,المبلغ,on,note\r\nA,1,,\r\n\r\nB,2,,"x\ny"\r\nC,3,,'.encode())
    target = BytesIO()
    copy_rows(source, target, MAPPING, {4, 6})
    assert target.getvalue().decode() == '\ufeffcontract,المبلغ,on,note\r\nB,2,,"x\ny"\r\nC,3,,\n'


def test_the_refused_rows_of_a_workbook_are_a_table_that_the_mapping_fits() -> None:
    book, source, target = openpyxl.Workbook(), BytesIO(), BytesIO()
    for row in (["contract", "المبلغ", "on", "note"], ["A", 1, None, None], ["B", 12.345, "2006-01-01", "x;y"]):
        book.active.append(row)
    book.save(source)
    copy_rows(source, target, MAPPING, {3})
    (line,) = mapped_lines(target, MAPPING)
    assert (line.number, orjson.loads(line.text or b"")["data"]["amount_halalas"]) == (2, "12.345")


@every(
    ("pointer", "column"),
    [("/data/amount_halalas", "المبلغ"), ("/data/amount_halalas/0", "المبلغ"), ("/time", "on"), ("/type", None)],
)
def test_a_fault_is_in_the_column_that_fills_its_place(pointer: str, column: str | None) -> None:
    assert MAPPING.column_of(pointer) == column
