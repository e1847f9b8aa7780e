"""A statement as a document: titles, facts and tables in Arabic and English, the same for a screen, HTML, PDF and XLSX.

In: the working, the contract, and what proves it. Out: a `Paper`, whose cells are text.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby
from operator import attrgetter
from typing import Final

from msgspec import Struct

from consumers.documents.document import field_of
from consumers.documents.formulas import percent_text
from consumers.documents.ledger.ledger import AccountKind
from consumers.documents.ledger.partnerships import Partnership, PartnershipAndTerms, TermsVersion
from consumers.documents.ledger.statements import BandShare, DayShare, Share, Statement
from consumers.documents.names import with_code
from consumers.revenue.statements.words import band_text, date_text, exact_riyals
from consumers.revenue.statements.working import PricedGroup, Provenance, StatementParts, Working, bands_of
from events.values.bilingual import Bilingual
from events.values.calendar import CalendarName
from events.values.money import riyals_text
from events.values.periods import days_of
from infra.command_line.display import Column, Grid

Cell = str | Bilingual
RUNS_SHOWN_MAX: Final = 20
DAYS_SHOWN_MAX: Final = 100
_CUMULATIVE_RULE: Final = Bilingual(
    "تُحسب حصة كل رصيد تراكمي بالشرائح وتُقرّب إلى الهللة الأدنى، وحصة الشريك هي الفرق. ولكل مجموعة قيود متصلة سطر.",
    "The share of each cumulative sum follows from the bands, rounded down to the halala; the partner gets the"
    " difference. Consecutive entries of the period share a row.",
)
_VERSION: Final = attrgetter("contract_version")
_DAYS_RULE: Final = Bilingual(
    "الحصص قبل التقريب. وكل إيصال وحسابه في ملف CSV.",
    "Shares before rounding. The CSV file has each receipt with its arithmetic.",
)


def _name(document: type[Struct], field: str, sign: str = "") -> Bilingual:
    label = field_of(document, field).label
    return Bilingual(sign + label.ar, sign + label.en)


_PRICED: Final = tuple(_name(BandShare, field) for field in ("amount_halalas", "rate_bp", "share_halalas"))
_BAND: Final = Bilingual("شريحة الإيراد التراكمي", "Band of the cumulative revenue")


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table with a heading; without columns, rows of a label and its value. `note` says how the figures follow."""

    heading: Bilingual
    columns: tuple[Bilingual, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: Bilingual | None = None


@dataclass(frozen=True, slots=True)
class Paper:
    """A document of several sheets."""

    title: Bilingual
    sheets: tuple[Sheet, ...]
    proof: Bilingual
    link: str
    proven_by: Bilingual | None = None
    commands: tuple[str, ...] = ()
    """Those that write the folder with the proof, and verify it."""


def sheet_table(sheet: Sheet) -> Grid:
    """A sheet in the terminal."""
    columns = [Column(c.ar, c.en, right=number > 0) for number, c in enumerate(sheet.columns)]
    if not columns:
        columns = [Column("البند", "Line"), Column("القيمة", "Value", right=True)]
    return Grid(sheet.heading, columns, sheet.rows)


def statement_paper(parts: StatementParts, days: Sequence[DayShare] = ()) -> Paper:
    """The statement of a closed period with its working, and with its lines by day if they are given."""
    partnership, working = parts.partnership, parts.working
    statement = working.statement
    sheets = [
        _parties(parts, statement),
        _revenue(statement),
        *(sheet for group in working.groups for sheet in _share_sheets(partnership, group)),
        *([] if working.guarantee is None else [_guarantee(working)]),
        _totals(statement),
        _paid(parts),
        *(_days(version, list(own)) for version, own in groupby(sorted(days, key=_VERSION), _VERSION)),
    ]
    return Paper(
        statement_title(statement), tuple(sheets), _proof(statement, parts.provenance),
        "" if parts.provenance is None else parts.provenance.link, *_verify(statement),
    )  # fmt: skip


def statement_title(statement: Statement) -> Bilingual:
    """Its contract and period."""
    return Bilingual("كشف الشراكة {}", "Statement {}").format(f"{statement.partnership_id} {statement.period}")


def _facts(heading: Bilingual, rows: Sequence[tuple[Cell, ...]], note: Bilingual | None = None) -> Sheet:
    return Sheet(heading, (), tuple(rows), note)


def _parties(parts: StatementParts, statement: Statement) -> Sheet:
    partnership = parts.partnership
    calendar: CalendarName = partnership.calendar.value
    first, last = days_of(statement.period, calendar)
    partner = partnership.partner.name
    return _facts(
        Bilingual("العقد والفترة", "Contract and period"),
        [
            (_name(Partnership, "agency"), with_code(parts.names, "agency", partnership.agency)),
            (_name(Partnership, "partner"), partner),
            (_name(Partnership, "starts_on"), date_text(max(first, partnership.starts_on))),
            (_name(Partnership, "ends_on"), date_text(min(last, partnership.last_day))),
            (_name(Statement, "contract_version"), str(statement.contract_version)),
            (_name(Statement, "closing_index"), str(statement.closing_index)),
        ],
    )


def _line(statement: Statement, field: str, sign: str = "") -> tuple[Bilingual, str]:
    return _name(Statement, field, sign), riyals_text(getattr(statement, field))


def _revenue(statement: Statement) -> Sheet:
    return _facts(
        Bilingual("الإيراد بالريال", "Revenue in riyals"),
        [
            _line(statement, "opening_cumulative_halalas"),
            _line(statement, "collected_halalas", "+ "),
            _line(statement, "reversed_halalas", "− "),
            _line(statement, "net_halalas", "= "),
            _line(statement, "prior_period_halalas"),
            _line(statement, "closing_cumulative_halalas"),
            _line(statement, "expected_halalas"),
        ],
        Bilingual("الختامي = الافتتاحي + الصافي.", "Closing = opening + net."),
    )


def _share_sheets(partnership: PartnershipAndTerms, group: PricedGroup) -> tuple[Sheet, Sheet, Sheet]:
    """The terms, the share band by band, and the sums that are rounded: enough to compute the share by hand."""
    return _bands(partnership.versions[group.share.contract_version]), share_sheet(group.share), _rounded(group)


def _bands(version: TermsVersion) -> Sheet:
    """Every band of a version with its rate, from zero to beyond the cap."""
    bands = [band for band in bands_of(version.terms) if band.kind != "below-zero"]
    cap = version.terms["cap"]
    note = None
    if cap is not None:
        amount = riyals_text(cap["amount_halalas"])
        note = Bilingual(
            "سقف حصة الشريك {}، ثم تسري النسبة الأخيرة.",
            "The cap of the partner's share is {}; the last rate holds beyond it.",
        ).format(amount)
    number, first, index = version.version, version.effective_from, version.index
    return Sheet(
        Bilingual("شرائح النسخة {} من {} (القيد {})",
                  "Bands of version {}, from {} (log entry {})").format(number, first, index),
        (_BAND, Bilingual("النسبة", "Rate")),
        tuple((band_text(band), percent_text(band.rate_bp)) for band in bands),
        note,
    )  # fmt: skip


def _rounded(group: PricedGroup) -> Sheet:
    """The cumulative sums with their shares, rounded; what they differ by is the partner's share."""
    runs = list(zip(group.share.cumulative_halalas, group.run_shares, strict=True))
    rows: list[tuple[Cell, ...]] = [
        tuple(map(riyals_text, (sums[0], shares[0], sums[1], shares[1], shares[1] - shares[0])))
        for sums, shares in runs[:RUNS_SHOWN_MAX]
    ]
    if others := runs[RUNS_SHOWN_MAX:]:
        rest = sum(shares[1] - shares[0] for _, shares in others)
        more = Bilingual("{:,} أخرى، في ملف CSV", "{:,} more, in the CSV file").format(len(others))
        rows.append((more, "", "", "", riyals_text(rest)))
    rows.append((Bilingual("حصة الشريك", "Partner's share"), "", "", "", riyals_text(group.share.partner_halalas)))
    columns = (
        Bilingual("الرصيد قبل", "Sum before"),
        Bilingual("حصته", "Its share"),
        Bilingual("الرصيد بعد", "Sum after"),
        Bilingual("حصته", "Its share"),
        Bilingual("الفرق", "Difference"),
    )
    heading = Bilingual("الرصيد التراكمي وحصته بعد التقريب", "Cumulative sums and their shares, rounded down")
    return Sheet(heading, columns, tuple(rows), _CUMULATIVE_RULE)


def _band_cells(band: BandShare | DayShare) -> tuple[Cell, ...]:
    amount, share = exact_riyals(band.amount_halalas), exact_riyals(band.share_halalas)
    return band_text(band), amount, percent_text(band.rate_bp), share


def share_sheet(share: Share) -> Sheet:
    """Amount × rate = share, band by band; then the rounding."""
    rows = [_band_cells(band) for band in share.bands]
    if share.rounding_halalas:
        rows.append((Bilingual("التقريب", "Rounding"), "", "", exact_riyals(share.rounding_halalas)))
    rows.append((Bilingual("حصة الشريك", "Partner's share"), "", "", riyals_text(share.partner_halalas)))
    version, window = share.contract_version, share.window
    heading = Bilingual("حصة الشريك بالنسخة {}", "Partner's share under version {}")
    if window:
        heading = Bilingual(
            "حصة الشريك بالنسخة {}، السنة التعاقدية {}", "Partner's share under version {}, contract year {}"
        )
    return Sheet(heading.format(version, window), (_BAND, *_PRICED), tuple(rows))


def _guarantee(working: Working) -> Sheet:
    statement, guarantee = working.statement, working.guarantee
    assert guarantee is not None
    rate, expected = percent_text(guarantee.partner_floor_bp_of_expected), riyals_text(guarantee.expected_halalas)
    guaranteed = Bilingual("المضمون = {}", "Guaranteed = {}").format(f"{rate} × {expected}")
    top_up = Bilingual("التكملة = ما ينقص الأساسية عن المضمون", "Top-up = what the base lacks")
    lines: list[tuple[Cell, ...]] = [
        (guaranteed, riyals_text(guarantee.guarantee_halalas)),
        _line(statement, "partner_base_halalas"),
        (top_up, riyals_text(statement.top_up_halalas)),
    ]
    if guarantee.recoverable:
        before = Bilingual("التكملة القائمة قبلها", "Top-up outstanding before")
        recovered = Bilingual("المسترد = الأقل من القائمة والفائض", "Recovered = the lesser of it and the surplus")
        after = Bilingual("التكملة القائمة بعدها", "Top-up outstanding after")
        lines += [
            (before, riyals_text(guarantee.top_up_outstanding_before_halalas)),
            (recovered, riyals_text(statement.recovered_halalas)),
            (after, riyals_text(statement.top_up_outstanding_halalas)),
        ]
    return _facts(
        Bilingual("الضمان بالريال", "Guarantee in riyals"),
        lines,
        Bilingual("يُقرّب المضمون إلى الهللة الأدنى.", "The guaranteed amount is rounded down to the halala."),
    )


def _totals(statement: Statement) -> Sheet:
    return _facts(
        Bilingual("حصص الفترة بالريال", "Shares of the period, in riyals"),
        [
            _line(statement, "partner_base_halalas"),
            _line(statement, "top_up_halalas", "+ "),
            _line(statement, "recovered_halalas", "− "),
            _line(statement, "partner_total_halalas", "= "),
            _line(statement, "treasury_total_halalas"),
        ],
        Bilingual("حصة الخزينة = الصافي − حصة الشريك.", "The treasury's share = net − the partner's share."),
    )


def _days(version: int, days: Sequence[DayShare]) -> Sheet:
    """Amount × rate = share of each day and band; beyond a bound only their sum."""
    rows = [(date_text(day.dated_on), *_band_cells(day)) for day in days[:DAYS_SHOWN_MAX]]
    if others := days[DAYS_SHOWN_MAX:]:
        more = Bilingual("{:,} أخرى، في ملف CSV", "{:,} more, in the CSV file").format(len(others))
        rows.append((more, "", *_sums(others)))
    rows.append((Bilingual("المجموع", "Sum"), "", *_sums(days)))
    columns = (Bilingual("اليوم", "Day"), _BAND, *_PRICED)
    heading = Bilingual("الأيام والشرائح بالنسخة {}", "Days and bands under version {}").format(version)
    return Sheet(heading, columns, tuple(rows), _DAYS_RULE)


def _sums(days: Sequence[DayShare]) -> tuple[str, str, str]:
    amount, share = (sum(Fraction(getattr(day, name)) for day in days) for name in ("amount_halalas", "share_halalas"))
    return exact_riyals(amount), "", exact_riyals(share)


def settled_paid_owed(paid: int, owed: int, accrued: int | None = None) -> Iterator[tuple[Bilingual, int]]:
    """What all closed periods gave the partner, what was paid of it, and what is owed, in halalas (R13).

    With the balance of the partner's account also what is accrued, of which periods that are not closed are a part.
    """
    yield Bilingual("حصة الشريك من كل الفترات المقفلة", "Settled share, of all closed periods"), owed + paid
    yield Bilingual("− المصروف للشريك", "− Paid"), paid
    yield _name(Partnership, "payable_halalas", "= "), owed
    if accrued is not None:
        yield Bilingual("+ حصته من الفترات غير المقفلة", "+ Share of the periods that are not closed"), accrued - owed
        yield Bilingual("= {}", "= {}").format(AccountKind.PARTNER_PAYABLE), accrued


def owed_of(parts: StatementParts) -> Iterator[tuple[Bilingual, int]]:
    """As of the entry that last changed the contract."""
    return settled_paid_owed(sum(payout.amount_halalas for payout in parts.payouts), parts.partnership.payable_halalas)


def _paid(parts: StatementParts) -> Sheet:
    """Each payout, and how what is owed follows from them."""
    rows: list[tuple[Cell, ...]] = []
    for payout in parts.payouts:
        name = Bilingual("{} · {}", "{} · {}").format(payout.payout_id, date_text(payout.paid_on))
        rows.append((name, riyals_text(payout.amount_halalas)))
    rows += [(label, riyals_text(halalas)) for label, halalas in owed_of(parts)]
    note = Bilingual("بعد القيد {} من السجل.", "After log entry {}.").format(parts.partnership.last_index)
    return _facts(Bilingual("المصروف للشريك بالريال", "Paid to the partner, in riyals"), rows, note)


def _proof(statement: Statement, provenance: Provenance | None) -> Bilingual:
    first, last, closing = statement.first_index, statement.last_index, statement.closing_index
    span = Bilingual("لا شيء", "none") if first is None else Bilingual("من {} إلى {}", "{} to {}").format(first, last)
    signed = Bilingual("لا توجد نقطة تحقق موقّعة بعد", "no checkpoint is signed yet")
    if provenance is not None:
        checkpoint = provenance.checkpoint
        signed = Bilingual("نقطة التحقق: {:,} من القيود، الجذر {}", "checkpoint: {:,} entries, root {}")
        signed = signed.format(checkpoint.size, checkpoint.root)
    return Bilingual("قيود السجل: {}، وقيد الإقفال {}؛ {}.", "Log entries: {}, closed by {}; {}.").format(
        span, closing, signed
    )


def _verify(statement: Statement) -> tuple[Bilingual, tuple[str, str]]:
    partnership_id, period = statement.partnership_id, statement.period
    folder = f"{partnership_id}-{period}"
    writes = f"yesser ledger prove-statement {partnership_id} {period} --into {folder}"
    verifies = f"yesser ledger verify-statement {folder} --vkey VKEY"
    said = Bilingual(
        "يثبت هذا الكشف المجلد {}: يكتبه الأمر الأول، ويتحقق منه الثاني.",
        "The folder {} proves this statement: the first command writes it, the second verifies it.",
    ).format(folder)
    return said, (writes, verifies)
