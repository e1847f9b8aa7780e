"""Tables as CSV for spreadsheets."""

from __future__ import annotations

import csv
import io

from infra.command_line.table_files import csv_text


def test_a_spreadsheet_reads_arabic_and_runs_no_formula() -> None:
    text = csv_text(["name", "reach"], [("قناة, الأولى", 5), ("=1+1", -5), ("@SUM(A1)", None), ("-", 0)])
    assert text.startswith("\ufeffname,reach\r\n")
    rows = list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))
    assert rows[1:] == [["قناة, الأولى", "5"], ["'=1+1", "-5"], ["'@SUM(A1)", ""], ["'-", "0"]]
