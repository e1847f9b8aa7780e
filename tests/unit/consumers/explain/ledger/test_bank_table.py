"""A bank's table is understood without a mapping, and what is not understood is said with its line."""

from __future__ import annotations

import asyncio
import io
from typing import Any

import msgspec
import openpyxl
import pytest

from consumers.documents.ledger.ledger import Finding
from consumers.documents.ledger.partnerships import Calendar
from consumers.explain.ledger.bank_table import (
    REMEMBERED_MAX,
    BankReading,
    BankTable,
    Columns,
    NotGuessed,
    Unreadable,
    date_of,
    guessed,
    halalas_of,
    in_words,
    read_and_compared,
    read_table,
    remember,
    remembered,
)
from infra.settings import Settings
from tests.every import every
from tests.world.partnership import History

LOG = History((100, "2005-01-05"), (123_456, "2005-01-06"), (300, "2005-01-13")).raw()
ALL_MATCH = ["matched"] * 3


def answered(*given: Any) -> BankReading | Unreadable:
    return asyncio.run(read_and_compared(Settings(), *given))


def reading(
    content: bytes, said: Columns | None = None, kept: bytes = b"{}", delimiter: str | None = None
) -> BankReading:
    found = answered(content, said, kept, LOG, frozenset(), delimiter)
    assert isinstance(found, BankReading), found
    return found


def compared(content: bytes) -> list[Finding]:
    """What the guess gives once somebody has agreed to it."""
    guess = reading(content)
    assert guess.findings is None, "nothing is compared before it was seen"
    found = reading(content, guess.columns).findings
    assert found is not None
    return found


def kinds(content: bytes) -> list[str]:
    return [finding.kind.value for finding in compared(content)]


ARABIC_BANK = """رقم الإيصال;التاريخ;المبلغ;ملاحظات
R1;05/01/2005;1.00;أ
R2;6/1/2005;1,234.56;ب
R3;13.01.2005;3;
"""
HIJRI = """\ufeffDate,Amount,Currency
1425-11-24,١٫٠٠,ر.س
1425/11/25 هـ,١٬٢٣٤٫٥٦,SAR
\u200f1425-12-02,3.00 ريال,
"""
HALALAS = b"amount\tposted date\n100\t01/05/2005\n123456\t01/06/2005\n300\t01/13/2005\n"


@every("content", [ARABIC_BANK.encode("cp1256"), HIJRI.encode(), HALALAS])
def test_encoding_delimiter_calendar_digits_unit_and_order_are_found(content: bytes) -> None:
    assert kinds(content) == ALL_MATCH


def test_a_workbook_is_read_with_dates_as_numbers_too_and_its_faults_name_the_cell() -> None:
    book = openpyxl.Workbook()
    for row in (("Reference", "Date", "Amount"), ("R1", 38357, 1), ("R2", 38358, 1234.56), ("R3", 38365, "3.00")):
        book.active.append(row)

    def content() -> bytes:
        file = io.BytesIO()
        book.save(file)
        return file.getvalue()

    assert kinds(content()) == ALL_MATCH
    book.active["C5"] = "=SUM(C2:C4)"
    fault = answered(content(), None, b"{}", LOG)
    assert isinstance(fault, Unreadable)
    assert "C5" in fault.fault.ar
    assert "صيغة بلا نتيجة" in fault.fault.ar
    assert fault.delimiter is None


def test_a_total_and_another_currency_are_named_by_their_line_and_a_wrong_delimiter_stops_it() -> None:
    table = "id,date,amount,currency\nR1,2005-01-05,1.00,SAR\nR2,2005-01-06,1234.56,USD\nالمجموع,,1235.56,\n"
    preview = reading(table.encode())
    left_out = preview.left_out
    shown = [(row.written_amount, row.amount_halalas) for row in preview.table.preview(preview.columns)]
    assert shown == [("1.00 SAR", 100), ("1234.56 USD", None), ("1235.56", 123_556)]
    assert [finding.line for finding in left_out] == [3, 4]
    found = compared(table.encode())
    assert [finding.reason for finding in found if finding.line in (3, 4)] == [one.reason for one in left_out]
    said = {
        finding.line: finding.reason.ar for finding in found if finding.kind.value == "unreadable" and finding.reason
    }
    assert "USD" in said[3]
    assert "احذفه إن كان مجموعًا" in said[4]
    faulty = "رقم;تاريخ;المبلغ\nR1;2005-01-05;1.00\nR2;2005-01-06,5\n"
    for content, delimiter in ((faulty.encode(), ";"), (faulty.replace(";", "\t").encode("cp1256"), "\t")):
        fault = answered(content, None, b"{}", LOG)
        assert isinstance(fault, Unreadable)
        assert fault.fault.ar.startswith("عدد الخلايا في السطر 3 هو 2")
        assert fault.delimiter == delimiter, "of its header"


def test_the_rows_are_what_agrees_with_the_log_and_columns_that_nobody_can_guess_are_asked_for() -> None:
    table = read_table(io.BytesIO(b"a,b\nfoo,bar\n"))
    with pytest.raises(NotGuessed, match="a, b"):
        guessed(table, LOG)
    shown = reading(b"a,b\nfoo,bar\n")
    assert (shown.columns.date, shown.columns.amount) == (0, 1), "shown, to be corrected"
    assert guessed(table, LOG, date=0, amount=1).kind == "revenue.collected"
    assert isinstance(answered(b"a,b\n", None, b"{}", LOG), Unreadable)
    table = read_table(io.BytesIO(b"when,paid\n2005-01-05,1.00\n"))
    assert in_words(table, guessed(table, LOG)).en.startswith(
        "Rows: Collected receipts; date: when; amount in riyals: paid"
    )


def test_what_is_said_is_remembered_for_tables_with_the_same_columns_and_anybody_may_have_written_it() -> None:
    content = b"x,y,z\n2005-01-05,1.00,9.00\n"
    table, said = read_table(io.BytesIO(content)), Columns(date=0, amount=2)
    kept = remember(b"no json", table, said)
    at_once = reading(content, kept=kept)
    assert (remembered(kept, table), at_once.columns, at_once.findings is None) == (said, said, False)
    assert reading(content, Columns(date=0, amount=1), kept).columns.amount == 1
    assert remembered(kept, BankTable(("x", "y", "w"), table.rows)) is None
    for number in range(REMEMBERED_MAX):
        kept = remember(kept, BankTable((str(number),), ()), said)
    assert remembered(kept, table) is None, "the oldest is forgotten"
    for wrong in (Columns(date=0, amount=3), Columns(date=-1, amount=0), Columns(kind="no", date=0, amount=1)):
        assert remembered(remember(b"{}", table, wrong), table) is None
    (digest,) = msgspec.json.decode(remember(b"{}", table, said))
    for forged in (b"", b"[]", b'{"%b": 5}' % digest.encode()):
        assert remembered(forged, table) is None


def test_another_delimiter_than_the_headers_is_said_and_remembered_and_the_years_say_the_calendar() -> None:
    content = b"day;a,b,c\n1425/11/24;1,000,000.00\n"
    assert len(reading(content).table.header) == 3
    again = reading(content, delimiter=";")
    assert (again.findings, again.table.header, again.left_out) == (None, ("day", "a,b,c"), [])
    assert again.table.calendars(again.columns) == [Calendar.UMM_AL_QURA]
    agreed = reading(content, msgspec.structs.replace(again.columns, delimiter=";"))
    at_once = reading(content, kept=agreed.kept)
    assert (at_once.findings, at_once.columns) == (agreed.findings, agreed.columns)
    hidden = b"day;a,b\n2005-01-05;1.00\n"
    assert isinstance(answered(hidden, None, b"{}", LOG), Unreadable)
    assert reading(hidden, delimiter=";").table.header == ("day", "a,b")


def test_an_entry_that_a_partner_may_not_see_is_missing_for_it_and_its_id_is_not_shown() -> None:
    history = History()
    history.collect(5, "2005-01-06", service="other")
    content, log = b"booked,sum\n2005-01-06,0.05\n", history.raw()
    said = Columns(date=0, amount=1)
    known, unknown = (answered(content, said, b"{}", log, hidden) for hidden in (frozenset[int](), frozenset({1})))
    assert isinstance(known, BankReading)
    assert isinstance(unknown, BankReading)
    assert known.findings is not None
    assert unknown.findings is not None
    (seen,), (hidden,) = known.findings, unknown.findings
    assert (seen.kind.value, seen.index, seen.id) == ("different", 1, "R1")
    assert (hidden.kind.value, hidden.index, hidden.id) == ("missing-in-log", None, None)


def test_what_is_no_date_or_amount_is_not_guessed() -> None:
    for text in ("", "2005-02-30", "31/02/2005", "5/1/05", "1425-13-01", "1100-01-01", "38357.5", "2005-1-1-1"):
        assert date_of(text) is None, text
    for text in ("", "1.234,56", "1,23", "1.234", "12 USD", "1e3", "٫", "--1", "1,234,5"):
        assert halalas_of(text) is None, text
    assert (halalas_of("-0.05"), halalas_of("SAR 1,000"), halalas_of("7", in_halalas=True)) == (-5, 100_000, 7)


def test_a_table_with_the_columns_of_another_and_its_own_delimiter_is_read_with_its_own() -> None:
    rows = b"date;amount\n2005-01-05;1.00\n2005-01-06;1234.56\n2005-01-13;3.00\n"
    guess = reading(rows)
    said = msgspec.structs.replace(guess.columns, delimiter=";")  # as the page says it
    kept = reading(rows, said).kept
    next_one = reading(rows.replace(b";", b","), kept=kept)
    assert (next_one.table.delimiter, next_one.findings is None) == (",", False)
