"""Tables as files: a file is whole, or it is not there."""

from __future__ import annotations

import csv
import glob
import io
from pathlib import Path

import duckdb
import pytest

from infra.command_line.table_files import Columns, TooManyRows, csv_text, write_parquet, write_xlsx

COLUMNS: Columns = {"n": "BIGINT"}


def test_a_worksheet_with_too_many_rows_is_not_written(tmp_path: Path) -> None:
    path = tmp_path / "rows.xlsx"
    with pytest.raises(TooManyRows):
        write_xlsx(path, COLUMNS, [(1,), (2,), (3,)], rows_max=2)
    assert list(tmp_path.iterdir()) == []

    write_xlsx(path, COLUMNS, [(1,), (2,)])
    before = path.read_bytes()
    with pytest.raises(TooManyRows):
        write_xlsx(path, COLUMNS, [(1,), (2,), (3,)], rows_max=2)
    assert path.read_bytes() == before, "an earlier file stays"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("folder", ["n=7", "a[1]"])
def test_the_name_of_a_folder_is_no_column_and_no_pattern(tmp_path: Path, folder: str) -> None:
    place = tmp_path / folder
    place.mkdir()
    write_parquet(place / "rows.parquet", COLUMNS, [(1,), (2,)])
    query = "SELECT * FROM read_parquet(?, hive_partitioning=false)"
    assert duckdb.execute(query, [glob.escape(str(place / "rows.parquet"))]).fetchall() == [(1,), (2,)]


def test_a_spreadsheet_reads_arabic_and_runs_no_formula() -> None:
    text = csv_text(["name", "reach"], [("قناة, الأولى", 5), ("=1+1", -5), ("@SUM(A1)", None), ("-", 0)])
    assert text.startswith("\ufeffname,reach\r\n")
    rows = list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))
    assert rows[1:] == [["قناة, الأولى", "5"], ["'=1+1", "-5"], ["'@SUM(A1)", ""], ["'-", "0"]]
