"""A table of a bank or a partner without a mapping: what its columns are is guessed, shown, corrected and remembered.

Flows in: the rows of a table, and the partnership's entries. Flows out: `Columns`, and rows to reconcile. A date may be
Gregorian or Umm al-Qura, in any common order or a spreadsheet's number; digits may be Arabic. Of what can be read in
several ways (which rows, unit, day or month first) the one that agrees with the log most often is guessed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from io import BytesIO
from itertools import islice, product
from typing import Any, BinaryIO, Final

import msgspec
import orjson
from msgspec import Struct

from consumers.documents.ledger.ledger import Finding, ReadRow
from consumers.documents.ledger.partnerships import Calendar
from consumers.documents.log.explanations import FIELDS, Record, record_of
from consumers.explain.ledger.reconcile import FileRow, halalas_in, reconcile, unreadable
from events.values.bilingual import Bilingual
from events.values.calendar import CalendarName, gregorian_of
from events.values.money import HALALAS_PER_RIYAL
from events.values.riyal_names import RIYAL_NAMES
from events.wire.entry import parse_entry
from infra.errors import WrongInput
from infra.settings import Settings
from infra.tables.mapping import MappingDocument
from infra.tables.rows import checked_rows, guessed_form
from infra.tables.workbook import day_of_serial

REMEMBERED_MAX: Final = 10
_WESTERN: Final = {first + digit: str(digit) for first in (0x0660, 0x06F0) for digit in range(10)}
_SIGNS: Final = _WESTERN | {ord("٫"): ".", ord("٬"): ",", ord("−"): "-", ord("\xa0"): " "}
_INVISIBLE: Final = re.compile("[\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]")
_YEAR_FIRST: Final = re.compile(r"([0-9]{4})[-/.]([0-9]{1,2})[-/.]([0-9]{1,2})")
_YEAR_LAST: Final = re.compile(r"([0-9]{1,2})[-/.]([0-9]{1,2})[-/.]([0-9]{4})")
_SERIAL: Final = re.compile(r"([0-9]{5})(?:\.0+)?")
_GREGORIAN_FROM: Final = 1700
_AMOUNT: Final = re.compile(r"(-?)([0-9]{1,15}|[0-9]{1,3}(?:,[0-9]{3}){1,4})(?:\.([0-9]{1,2}))?")
_NAMES: Final = {
    "date": re.compile("date|day|booked|تاريخ|اليوم", re.IGNORECASE),
    "amount": re.compile("amount|sum|credit|مبلغ|القيمة|دائن", re.IGNORECASE),
    "id": re.compile(r"\bid\b|ref|receipt|payout|مرجع|رقم|معر", re.IGNORECASE),
    "currency": re.compile("currency|ccy|عملة", re.IGNORECASE),
}
_NO_COLUMN: Final = Bilingual(
    "لم يُعرف عمود التاريخ أو عمود المبلغ. الأعمدة: {}. سمّهما.",
    "Which column is the date or the amount is not known. The table has {}. Name both.",
)


KINDS: Final[Mapping[str, Bilingual]] = {
    "revenue.collected": Bilingual("المحصّل", "Collected receipts"),
    "revenue.reversed": Bilingual("المردود", "Reversals"),
    "revenue.paid-out": Bilingual("المصروف للشريك", "Payouts to the partner"),
}
PREVIEW_ROWS: Final = 5


class NotGuessed(WrongInput):
    """No column can be the date, or none the amount: name them."""


class Columns(Struct, frozen=True, kw_only=True):
    """What a table's columns are, by their places. Without `id` rows are matched by date and amount."""

    kind: str = "revenue.collected"
    date: int
    amount: int
    id: int | None = None
    currency: int | None = None
    in_halalas: bool = False
    month_first: bool = False
    delimiter: str | None = None
    """Of a text whose header says another; None: the header's."""


@dataclass(frozen=True, slots=True)
class BankTable:
    """The names of the columns, and each row with the line where it begins. `delimiter`: None of a workbook."""

    header: tuple[str, ...]
    rows: tuple[tuple[int, list[str]], ...]
    delimiter: str | None = None

    def read(self, columns: Columns) -> list[FileRow]:
        """The rows to reconcile. What cannot be read stays as it is written, and is then a finding."""
        return [FileRow(line, _data(cells, columns)) for line, cells in self.rows]

    def preview(self, columns: Columns) -> list[ReadRow]:
        """The first rows as they are read."""
        id_name, date_name = FIELDS[columns.kind]
        rows = zip(self.rows, self.read(columns), strict=True)
        return [
            ReadRow(
                line=line,
                id=row.data.get(id_name),
                written_on=cells[columns.date] or None,
                dated_on=on if (on := row.data[date_name]) and date_of(on) == on else None,
                written_amount=_written_amount(cells, columns),
                amount_halalas=halalas_in(row.data),
            )
            for (line, cells), row in islice(rows, PREVIEW_ROWS)
        ]

    def calendars(self, columns: Columns) -> list[Calendar]:
        """Of the dates that can be read: the year says which."""
        found = {written[1] for _, cells in self.rows if (written := _written_date(cells[columns.date]))}
        return [calendar for calendar in Calendar if calendar.value in found]

    def place(self, name: str) -> int:
        """Of the column of a name. Raises `WrongInput`."""
        if name not in self.header:
            sentence = Bilingual("لا عمود باسم {}. الأعمدة: {}.", "There is no column {}. The table has {}.")
            raise WrongInput(sentence.format(name, ", ".join(self.header)))
        return self.header.index(name)


def read_table(stream: BinaryIO, form: MappingDocument | None = None) -> BankTable:
    """`form`: None for a guessed one. Raises `WrongInput`."""
    form = form or guessed_form(stream)
    rows = list(checked_rows(stream, form))
    if len(rows) < 2:
        raise WrongInput(Bilingual("لا سطور في الملف تحت سطر العناوين.", "The table has no rows below its header."))
    return BankTable(tuple(rows[0].cells), tuple((row.first_line, row.cells) for row in rows[1:]), form.delimiter)


def guessed(
    table: BankTable, entries: Iterable[tuple[int, bytes]], *, date: int | None = None, amount: int | None = None
) -> Columns:
    """`date` and `amount`: their columns, where these are known. Raises `NotGuessed` where no column can be one."""
    records = _records(entries)
    places = range(len(table.header))
    dates = {at: sum(date_of(cells[at]) is not None for _, cells in table.rows) for at in places}
    on = _most(table, "date", dates) if date is None else date
    amounts = {at: sum(halalas_of(cells[at]) is not None for _, cells in table.rows) for at in places if at != on}
    amount = _most(table, "amount", amounts) if amount is None else amount
    if on is None or amount is None:
        raise NotGuessed(_NO_COLUMN.format(", ".join(table.header)))
    ids = {record.id for own in records.values() for record in own}
    known = {at: sum(cells[at].strip() in ids for _, cells in table.rows) for at in places if at not in (on, amount)}
    named = (at for at, name in enumerate(table.header) if _NAMES["currency"].search(name))
    base = Columns(date=on, amount=amount, id=_most(table, "id", known), currency=next(named, None))
    days = {first: [date_of(cells[on], month_first=first) for _, cells in table.rows] for first in (False, True)}
    sums = {small: [halalas_of(cells[amount], in_halalas=small) for _, cells in table.rows] for small in (False, True)}
    own_ids = [] if base.id is None else [cells[base.id].strip() for _, cells in table.rows]

    def agreeing(way: Columns) -> tuple[int, int]:
        """How many rows have an id of the log, and then how many a date and an amount."""
        own = records[way.kind]
        named, known_sums = {one.id for one in own}, {(one.dated_on, one.amount_halalas) for one in own}
        read = zip(days[way.month_first], sums[way.in_halalas], strict=True)
        return sum(one in named for one in own_ids), sum(pair in known_sums for pair in read)

    return max(
        (
            msgspec.structs.replace(base, kind=kind, in_halalas=halalas, month_first=month_first)
            for kind, halalas, month_first in product(FIELDS, sums, days)
        ),
        key=agreeing,
    )


@dataclass(frozen=True, slots=True)
class BankReading:
    """A table with how it is read, and what it gives beside the log: None before somebody has seen how it is read.

    `left_out`: the rows that cannot be compared, each with its reason. `kept`: what is remembered with these columns.
    """

    table: BankTable
    columns: Columns
    left_out: list[Finding]
    findings: list[Finding] | None
    kept: bytes


@dataclass(frozen=True, slots=True)
class Unreadable:
    """The fault of a table, and the delimiter that it was read with: None of a workbook."""

    fault: Bilingual
    delimiter: str | None


async def read_and_compared(
    settings: Settings,
    content: bytes,
    said: Columns | None,
    kept: bytes,
    entries: Sequence[tuple[int, bytes]],
    strangers: frozenset[int] = frozenset(),
    delimiter: str | None = None,
    is_preview: bool = False,
) -> BankReading | Unreadable:
    """The table, compared with the entries of a partnership without those of `strangers`: read as is `said`, else as it
    was remembered. What is only guessed, as with another `delimiter` than before, and a preview are not compared yet.
    For a process beside.

    Entries of agencies that do not own the partnership never count, and are not in what its partner may see.
    """
    own = [entry for entry in entries if entry[0] not in strangers]
    stream, form = BytesIO(content), MappingDocument()
    try:
        form = guessed_form(stream)
        first = table = _first_reading(stream, form, delimiter)
        columns = _known(kept).get(_digest(first)) if said is None and delimiter is None else said
        delimiter = delimiter or (columns.delimiter if columns else None)
        if delimiter is not None and first.delimiter not in (None, delimiter):
            table = read_table(stream, form.model_copy(update={"delimiter": delimiter}))
        if columns is None or not _fits(columns, table):
            columns, is_preview = _shown(table, own), True
        rows = table.read(columns)
        findings = None if is_preview else reconcile(columns.kind, rows, own)
        return BankReading(table, columns, unreadable(columns.kind, rows), findings, remember(kept, first, columns))
    except WrongInput as error:
        return Unreadable(error.sentence, delimiter or form.delimiter)


def _first_reading(stream: BinaryIO, form: MappingDocument, delimiter: str | None) -> BankTable:
    """With the delimiter of the header; where that gives no table, with the one that is said. Raises `WrongInput`."""
    try:
        return read_table(stream, form)
    except WrongInput:
        if delimiter is None:
            raise
        return read_table(stream, form.model_copy(update={"delimiter": delimiter}))


def _shown(table: BankTable, entries: Sequence[tuple[int, bytes]]) -> Columns:
    """The guess; without one the first two columns, which are shown to be corrected. Raises `WrongInput`."""
    try:
        return guessed(table, entries)
    except NotGuessed:
        if len(table.header) < 2:
            raise
        return Columns(date=0, amount=1)


def in_words(table: BankTable, columns: Columns) -> Bilingual:
    """What each column is taken for."""
    nothing = Bilingual("لا شيء", "none")
    named = [nothing if at is None else table.header[at] for at in (columns.id, columns.currency)]
    order = Bilingual("{} (الشهر قبل اليوم)", "{} (month first)") if columns.month_first else Bilingual("{}", "{}")
    on = order.format(table.header[columns.date])
    unit = Bilingual("بالهللات", "in halalas") if columns.in_halalas else Bilingual("بالريال", "in riyals")
    return Bilingual(
        "السطور: {}؛ التاريخ: {}؛ المبلغ {}: {}؛ المعرّف: {}؛ العملة: {}.",
        "Rows: {}; date: {}; amount {}: {}; id: {}; currency: {}.",
    ).format(KINDS[columns.kind], on, unit, table.header[columns.amount], *named)


def remembered(kept: bytes, table: BankTable) -> Columns | None:
    """What was last said of a table with these columns; anybody may have written `kept`."""
    columns = _known(kept).get(_digest(table))
    return columns if columns is not None and _fits(columns, table) else None


def remember(kept: bytes, table: BankTable, columns: Columns) -> bytes:
    """With these columns, and the others that were said last. The delimiter of the header is not remembered: the next
    table with these columns may have another."""
    if columns.delimiter == table.delimiter:
        columns = msgspec.structs.replace(columns, delimiter=None)
    others = {digest: one for digest, one in _known(kept).items() if digest != _digest(table)}
    return msgspec.json.encode(dict([*others.items(), (_digest(table), columns)][-REMEMBERED_MAX:]))


def date_of(text: str, *, month_first: bool = False) -> str | None:
    """The ISO date of a cell; a year before 1700 is Hijri. None: it is no date of the calendars' table."""
    written = _written_date(text, month_first=month_first)
    return None if written is None else written[0]


def _written_date(text: str, *, month_first: bool = False) -> tuple[str, CalendarName] | None:
    """The date of a cell, and in which calendar it is written."""
    written = _plain(text).removesuffix("هـ").removesuffix("AH").removesuffix("م").split("T")[0].split(" ")[0]
    try:
        if found := _SERIAL.fullmatch(written):
            return day_of_serial(found[1]), "gregorian"
        if found := _YEAR_FIRST.fullmatch(written):
            year, month, day = map(int, found.groups())
        elif found := _YEAR_LAST.fullmatch(written):
            first, second, year = map(int, found.groups())
            day, month = (second, first) if month_first else (first, second)
        else:
            return None
        if not 1 <= month <= 12:
            return None
        calendar: CalendarName = "gregorian" if year >= _GREGORIAN_FROM else "umm-al-qura"
        return gregorian_of(year, month, day, calendar), calendar
    except ValueError:
        return None


def halalas_of(text: str, *, in_halalas: bool = False) -> int | None:
    """The amount of a cell, of riyals with at most two decimals. None: it is none, or of another currency."""
    written = _plain(text)
    for name in RIYAL_NAMES:
        written = written.removesuffix(name).removeprefix(name).strip()
    found = _AMOUNT.fullmatch(written)
    if found is None or (in_halalas and found[3]):
        return None
    whole = int(found[1] + found[2].replace(",", ""))
    if in_halalas:
        return whole
    part = int((found[3] or "").ljust(2, "0"))
    return whole * HALALAS_PER_RIYAL + (-part if found[1] else part)


def _plain(text: str) -> str:
    return _INVISIBLE.sub("", text).translate(_SIGNS).strip()


def _written_amount(cells: Sequence[str], columns: Columns) -> str | None:
    """With the currency that stands in a column of its own."""
    places = [columns.amount] if columns.currency is None else [columns.amount, columns.currency]
    return " ".join(written for at in places if (written := cells[at].strip())) or None


def _data(cells: Sequence[str], columns: Columns) -> dict[str, Any]:
    id_name, date_name = FIELDS[columns.kind]
    on, amount = cells[columns.date], cells[columns.amount]
    halalas = halalas_of(amount, in_halalas=columns.in_halalas)
    data: dict[str, Any] = {
        date_name: date_of(on, month_first=columns.month_first) or _plain(on) or None,
        "amount_halalas": halalas if halalas is not None else _plain(amount) or None,
    }
    for name, place in ((id_name, columns.id), ("currency", columns.currency)):
        if place is not None and cells[place].strip():
            data[name] = cells[place].strip()
    return data


def _records(entries: Iterable[tuple[int, bytes]]) -> dict[str, list[Record]]:
    records: dict[str, list[Record]] = {kind: [] for kind in FIELDS}
    for entry in (parse_entry(index, raw) for index, raw in entries):
        if (record := record_of(entry.type, entry.data)) is not None:
            records[entry.type].append(record)
    return records


def _most(table: BankTable, role: str, counts: dict[int, int]) -> int | None:
    """The column with the name of the role that fits most often; else the one that fits most often. None: none fits."""
    fitting = [at for at, count in counts.items() if count]
    return max(fitting, key=lambda at: (bool(_NAMES[role].search(table.header[at])), counts[at], -at), default=None)


def _known(kept: bytes) -> dict[str, Columns]:
    try:
        return msgspec.json.decode(kept, type=dict[str, Columns])
    except msgspec.MsgspecError:
        return {}


def _digest(table: BankTable) -> str:
    return sha256(orjson.dumps(table.header)).hexdigest()[:16]


def _fits(columns: Columns, table: BankTable) -> bool:
    places = [place for place in (columns.date, columns.amount, columns.id, columns.currency) if place is not None]
    return columns.kind in FIELDS and all(0 <= place < len(table.header) for place in places)
