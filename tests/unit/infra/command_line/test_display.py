"""Tables for people: on a narrow screen columns go in their order, an id never loses a letter, text stays text."""

from __future__ import annotations

from io import StringIO

import pytest
from rich.cells import cell_len
from rich.console import Console

from infra.command_line import display
from infra.command_line.display import Column, Grid, Row, Section
from tests.every import every

ID = "service-with-a-very-long-identifier.i123456789012345678901234567890"
COLUMNS = [
    Column("المعرّف", "Id"),
    Column("الاسم", "Name", drop=1, wraps=True),
    Column("التاريخ", "Date", drop=2),
    Column("العدد", "Count", drop=3, right=True),
]
NAME = "Renewing a driving licence on the internet"
ROWS: list[Row] = [[ID, NAME, "2026-11-25", "1,234"], ["S-1", "[red]/ [/]", None, "0"]]


def printed(grid: Grid, width: int) -> str:
    out = StringIO()
    Console(file=out, width=width).print(grid, crop=False)
    return out.getvalue()


@every(
    ("width", "shown"),
    [
        (150, {"Id", "Name", "Date", "Count"}),
        (105, {"Id", "Name", "Date"}),
        (92, {"Id", "Name"}),
        (80, {"Id", "Date"}),
        (78, {"Id", "Count"}),
    ],
)
def test_columns_go_in_their_order_until_the_rest_fits(width: int, shown: set[str]) -> None:
    text = printed(Grid(None, COLUMNS, ROWS), width)
    table, _, left_out = text.partition("Columns that do not fit: ")
    assert {column.en for column in COLUMNS if column.en in table.split()} == shown
    assert {name.strip() for name in left_out.partition(".")[0].split(",") if name.strip()} == {
        column.en for column in COLUMNS
    } - shown
    assert max(map(cell_len, text.splitlines())) <= width
    assert ID in text, "it is never cut nor broken over two lines"


def test_a_column_that_fits_is_shown_where_a_wider_one_before_it_is_not() -> None:
    columns = [Column("المعرّف", "Id"), Column("الموضوع", "Subject", drop=1), Column("العدد", "Count", drop=2)]
    text = printed(Grid(None, columns, [["S-1", ID, "1,234"]]), 40)
    assert "1,234" in text
    assert ID not in text
    assert "Columns that do not fit: Subject." in " ".join(text.split())


def test_an_id_is_never_cut_nor_broken_over_two_lines_and_a_text_that_wraps_loses_no_word() -> None:
    assert all(ID in printed(Grid(None, COLUMNS, ROWS), width) for width in (40, 10))
    lines = printed(Grid(None, [Column("الاسم", "Name", wraps=True)], [[NAME]]), 16).splitlines()
    assert " ".join(" ".join(lines).split()).endswith(NAME)
    assert max(map(cell_len, lines)) <= 16


def test_texts_are_no_markup_what_is_missing_is_a_dash_and_a_section_names_its_rows() -> None:
    text = printed(Grid(None, COLUMNS, [Section("Licences"), *ROWS], ["", "", "", "1,234"]), 150)
    assert "[red]/ [/]" in text
    assert "—" in text
    assert text.index("Licences") < text.index(ID)
    assert text.rstrip().endswith("1,234")


@every(("columns", "is_cut"), [("80", True), ("", False)])
def test_a_pipe_gets_every_column_unless_it_asks_for_a_width(
    columns: str, is_cut: bool, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    display.show(Grid(None, COLUMNS, ROWS))
    assert ("Renewing" not in capsys.readouterr().out) == is_cut


def test_a_table_without_rows_says_so_and_has_no_totals() -> None:
    totals = ["Sum"] * len(COLUMNS)
    filled, empty = printed(Grid(None, COLUMNS, ROWS, totals), 80), printed(Grid(None, COLUMNS, [], totals), 80)
    assert ("no rows" in filled, "Sum" in filled) == (False, True)
    assert ("no rows" in empty, "Sum" in empty) == (True, False)
