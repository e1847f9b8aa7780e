"""The formats of a statement: a page, paper, a workbook, and for programs every receipt with its arithmetic.

HTML is one file without outside resources, Arabic from the right with English beside it. PDF is set by typst with the
Amiri font; both carry a QR code of the link. A workbook is for a treasurer: a sheet as on paper, and a sheet with every
receipt, in both languages. Amounts are numbers in riyals with two digits, so that a column can be added up. The parts
of a receipt are whole halalas, as they were posted; what the partner's differs from the exact share by is in a column
of its own.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from importlib import resources
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import orjson
import segno
from markupsafe import Markup

from consumers.documents.document import Halalas, fields, label_of
from consumers.documents.ledger.partnerships import Partnership
from consumers.documents.ledger.statements import Statement, exact_halalas
from consumers.documents.names import with_code
from consumers.revenue.statements.paper import Paper, owed_of, statement_paper, statement_title
from consumers.revenue.statements.working import Band, Posting, StatementParts, bands_of, statement_days
from events.errors import YesserError
from events.values.bilingual import LANGUAGES, Bilingual
from events.values.money import HALALAS_PER_RIYAL
from events.values.reading_order import text_of
from infra.command_line.table_files import WRITERS, XLSX_ROWS_MAX, Columns, NoTable, TooManyRows
from infra.http.templates import templates

_PACKAGE: Final = "consumers.revenue.statements"
_VOWEL_SIGNS: Final = re.compile("[\u064b-\u0652\u0670]")
"""Left out of a PDF: a word that has one would be found in the order of its glyphs alone, and nobody searches with one.
"""
_TEXTS: Final = frozenset({"id", "dated_on", "service_id", "band", "band_amount_halalas", "band_share_halalas"})
_NAMES: Final = (
    "index", "id", "dated_on", "service_id", "contract_version", "window", "amount_halalas",
    "cumulative_before_halalas", "cumulative_after_halalas", "partner_halalas", "treasury_halalas",
    "band", "band_amount_halalas", "band_rate_bp", "band_share_halalas",
)  # fmt: skip
COLUMNS: Final[Columns] = {name: "VARCHAR" if name in _TEXTS else "BIGINT" for name in _NAMES}
"""Amounts are whole halalas; fractions of one are texts such as `79/20`."""


@dataclass(frozen=True, slots=True)
class Format:
    """A media type, and the function that writes a statement as one."""

    media_type: str
    render: Callable[[StatementParts], bytes]


def posting_rows(parts: StatementParts) -> Iterator[tuple[int | str, ...]]:
    """Rows of `COLUMNS`, in log order: of each posting one for each band that it moved through."""
    bands = {version.version: bands_of(version.terms) for version in parts.partnership.versions}
    for posting in parts.postings:
        before, after = posting.before_halalas, posting.after_halalas
        own = (
            posting.index, posting.id, posting.dated_on, posting.service_id, posting.contract_version,
            posting.window_number, posting.amount_halalas, before, after, posting.partner_halalas,
            posting.treasury_halalas,
        )  # fmt: skip
        for band in bands[posting.contract_version]:
            if amount := band.part(before, after):
                yield (*own, band.kind, exact_halalas(amount), band.rate_bp, exact_halalas(band.share(amount)))


_STATEMENT: Final = Bilingual("الكشف", "Statement")
_RECEIPTS: Final = Bilingual("الإيصالات", "Receipts")
_TOTAL: Final = Bilingual("المجموع", "Total")
_NOTE: Final = Bilingual("المبالغ بالريال. والتقريب بالهللات.", "Amounts are in riyals, roundings in halalas.")
_HEADING_ROWS: Final = 1


@dataclass(frozen=True, slots=True)
class _Column:
    """A column of the receipts. `kind`: `money`, `date`, `service` or `` (a number or text)."""

    label: Bilingual
    kind: str
    value: Callable[[Posting, Sequence[Band]], Any]
    width: int = 16


def _rounding(posting: Posting, bands: Sequence[Band]) -> Fraction:
    """Less than a halala, as a number: a spreadsheet leaves texts such as 3/5 out of a sum without a word."""
    exact = sum(band.share(band.part(posting.before_halalas, posting.after_halalas)) for band in bands)
    return Fraction(posting.partner_halalas - exact)


_COLUMNS: Final = (
    _Column(Bilingual("رقم القيد", "Log entry"), "", lambda posting, _: posting.index, 10),
    _Column(Bilingual("رقم الإيصال", "Receipt"), "", lambda posting, _: posting.id, 22),
    _Column(Bilingual("التاريخ", "Date"), "date", lambda posting, _: date.fromisoformat(posting.dated_on), 12),
    _Column(Bilingual("الخدمة", "Service"), "service", lambda posting, _: posting.service_id, 40),
    _Column(Bilingual("المبلغ", "Amount"), "money", lambda posting, _: posting.amount_halalas),
    _Column(Bilingual("حصة الشريك", "Partner's share"), "money", lambda posting, _: posting.partner_halalas),
    _Column(Bilingual("حصة الخزينة", "Treasury's share"), "money", lambda posting, _: posting.treasury_halalas),
    _Column(Bilingual("التقريب بالهللات", "Rounding, halalas"), "", _rounding, 12),
    _Column(Bilingual("الرصيد قبل", "Sum before"), "money", lambda posting, _: posting.before_halalas),
    _Column(Bilingual("الرصيد بعد", "Sum after"), "money", lambda posting, _: posting.after_halalas),
    _Column(Bilingual("نسخة العقد", "Contract version"), "", lambda posting, _: posting.contract_version, 10),
)
_ADDED: Final = ("Amount", "Partner's share", "Treasury's share")


def statement_workbook(parts: StatementParts, rows_max: int = XLSX_ROWS_MAX - 1) -> bytes:
    """The bytes of an XLSX file. Raises `NoTable`, and `TooManyRows` beyond `rows_max` receipts."""
    try:
        import xlsxwriter
    except ImportError:
        raise NoTable(NoTable.__doc__) from None
    if len(parts.postings) > rows_max:
        raise TooManyRows(TooManyRows.__doc__)
    file = BytesIO()
    # A statement may have a million receipts: rows are written in order and not held.
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(file, options) as book:
        _write_statement(book, parts)
        _write_receipts(book, parts)
    return file.getvalue()


def _write_statement(book: Any, parts: StatementParts) -> None:
    """Each figure between its Arabic and its English name."""
    sheet, styles = _sheet(book, _STATEMENT), _styles(book)
    sheet.set_column(0, 0, 34)
    sheet.set_column(1, 1, 20)
    sheet.set_column(2, 2, 34)
    title = statement_title(parts.working.statement)
    sheet.write_row(0, 0, (title.ar, "", title.en), styles["heading"])
    for number, (label, value, kind) in enumerate(_figures(parts), 1):
        sheet.write_string(number, 0, label.ar)
        sheet.write(number, 1, _riyals(value) if kind == "money" else value, styles[kind])
        sheet.write_string(number, 2, label.en)
    sheet.write_row(number + 2, 0, (_NOTE.ar, "", _NOTE.en))


def _figures(parts: StatementParts) -> Iterator[tuple[Bilingual, Any, str]]:
    partnership, statement = parts.partnership, parts.working.statement
    yield label_of(Partnership, "agency"), _in_a_line(with_code(parts.names, "agency", partnership.agency)), ""
    yield label_of(Partnership, "partner"), _in_a_line(partnership.partner.name), ""
    for field in fields(Statement):
        value = getattr(statement, field.name)
        if value is not None:
            yield field.label, value, "money" if field.type is Halalas else ""
    for label, halalas in owed_of(parts):
        yield label, halalas, "money"


def _in_a_line(text: Bilingual) -> str:
    plain = text.plain()
    return plain.ar if plain.ar == plain.en else f"{plain.ar} · {plain.en}"


def _write_receipts(book: Any, parts: StatementParts) -> None:
    """A row for each receipt and reversal, in log order, and their totals."""
    sheet, styles = _sheet(book, _RECEIPTS), _styles(book)
    sheet.freeze_panes(_HEADING_ROWS, 0)
    bands = {version.version: bands_of(version.terms) for version in parts.partnership.versions}
    last, services = _HEADING_ROWS + len(parts.postings), dict[str, str]()
    added = dict.fromkeys(_ADDED, 0)
    for place, column in enumerate(_COLUMNS):
        sheet.set_column(place, place, column.width)
        sheet.write_string(0, place, f"{column.label.ar}\n{column.label.en}", styles["heading"])
    for number, posting in enumerate(parts.postings, _HEADING_ROWS):
        for place, column in enumerate(_COLUMNS):
            value = column.value(posting, bands[posting.contract_version])
            if column.kind == "service":
                value = services.setdefault(value, _in_a_line(with_code(parts.names, "service", value)))
            sheet.write(number, place, _riyals(value) if column.kind == "money" else value, styles[column.kind])
            if column.label.en in added:
                added[column.label.en] += value
    for place, column in enumerate(_COLUMNS):
        if column.label.en in added:
            letter = chr(ord("A") + place)
            formula = f"=SUM({letter}{_HEADING_ROWS + 1}:{letter}{last})" if parts.postings else "=0"
            sheet.write_formula(last, place, formula, styles["total"], _riyals(added[column.label.en]))
    sheet.write_string(last, 0, f"{_TOTAL.ar} · {_TOTAL.en}", styles["heading"])


def _sheet(book: Any, name: Bilingual) -> Any:
    sheet = book.add_worksheet(f"{name.ar} {name.en}")
    sheet.right_to_left()
    return sheet


def _styles(book: Any) -> dict[str, Any]:
    money = {"num_format": "#,##0.00"}
    return {
        "": book.add_format(),
        "service": book.add_format(),
        "money": book.add_format(money),
        "date": book.add_format({"num_format": "yyyy-mm-dd"}),
        "heading": book.add_format({"bold": True, "text_wrap": True, "valign": "top"}),
        "total": book.add_format({**money, "bold": True, "top": 1}),
    }


def _riyals(halalas: int) -> Decimal:
    """A spreadsheet's numbers are of 15 digits, which hold every amount of a statement to the halala."""
    return Decimal(halalas) / HALALAS_PER_RIYAL


def _printed(parts: StatementParts) -> Paper:
    """The statement with its working and its lines by day."""
    days = statement_days(parts.partnership.versions, parts.postings)
    return statement_paper(parts, days)


def _table(name: str) -> Callable[[StatementParts], bytes]:
    def render(parts: StatementParts) -> bytes:
        with TemporaryDirectory() as folder:
            path = Path(folder, f"statement.{name}")
            WRITERS[name](path, COLUMNS, posting_rows(parts))
            return path.read_bytes()

    return render


class NoTypesetter(YesserError):
    """PDF needs the packages typst and fontpkg-amiri: install them, or print the HTML."""


def to_html(paper: Paper) -> str:
    """The whole page."""
    template = templates(_PACKAGE).get_template("statement.html")
    return template.render(paper=orjson.loads(_written(paper)), qr=Markup(_qr(paper)))  # noqa: S704 - an image of ours


def to_pdf(paper: Paper) -> bytes:
    """Pages of A4. Raises `NoTypesetter`."""
    try:
        import typst
    except ImportError:
        raise NoTypesetter(NoTypesetter.__doc__) from None
    source = resources.files(_PACKAGE).joinpath("statement.typ").read_bytes()
    inputs = {"paper": _VOWEL_SIGNS.sub("", _written(paper)), "qr": _qr(paper)}
    compile_: Any = typst.compile  # its overloads name no list of plain paths
    pdf: bytes = compile_(source, format="pdf", sys_inputs=inputs, font_paths=[_fonts()])
    return pdf


def _written(paper: Paper) -> str:
    """The document as JSON, its Arabic in reading order."""
    return orjson.dumps(paper, default=_by_language).decode()


def _by_language(text: Bilingual) -> dict[str, str]:
    return {language: text_of(text, language) for language in LANGUAGES}


def _qr(paper: Paper) -> str:
    """An SVG of the link, or of what proves the statement."""
    out = io.BytesIO()
    segno.make(paper.link or paper.proof.en, error="m").save(
        out, kind="svg", border=1, xmldecl=False, svgns=True, omitsize=True
    )
    return out.getvalue().decode()


def _fonts() -> Path:
    found = find_spec("fontpkg_amiri")
    if found is None or found.origin is None:
        raise NoTypesetter(NoTypesetter.__doc__)
    return Path(found.origin).parent / "files"


FORMATS: Final[Mapping[str, Format]] = {
    "html": Format("text/html", lambda parts: to_html(_printed(parts)).encode()),
    "pdf": Format("application/pdf", lambda parts: to_pdf(_printed(parts))),
    "csv": Format("text/csv", _table("csv")),
    "xlsx": Format("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", statement_workbook),
    "parquet": Format("application/vnd.apache.parquet", _table("parquet")),
}
"""By the name of the format, which is also the ending of its file."""
