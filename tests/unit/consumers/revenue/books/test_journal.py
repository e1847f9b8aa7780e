"""A transfer as a row of a table: every column with its value."""

from __future__ import annotations

from consumers.revenue.books.journal import COLUMNS, Booking


def test_a_row_names_entry_version_window_period_and_rule() -> None:
    sides = "partner-payable:P1", "collections:P1"
    booking = Booking(7, 0, "2005-02-03", "P1", "reversal-partner", "V1", "2005-02", 2, 3, *sides, 70)
    row = dict(zip(COLUMNS, booking.row(), strict=True))
    named = ("index", "period", "contract_version", "window", "rule", "amount_halalas")
    assert [row[name] for name in named] == [7, "2005-02", 2, 3, "R9", 70]
    assert all(isinstance(value, int) == (COLUMNS[name] == "BIGINT") for name, value in row.items())
