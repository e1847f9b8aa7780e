"""A statement as a document: titles, facts and tables in Arabic and English, the same for a screen, HTML, PDF and XLSX.

In: the working, the contract, and what proves it. Out: a `Paper`, whose cells are text.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final

from consumers.revenue.statements.days import DayBand
from consumers.revenue.statements.words import band_text, date_text, exact_riyals, left_to_right, percent_text
from consumers.revenue.statements.working import PricedGroup, Working, bands_of
from events.faults.problems import Bilingual
from events.values.calendar import CalendarName
from events.values.money import riyals_text
from events.values.periods import days_of

Cell = str | Bilingual
RUNS_SHOWN_MAX: Final = 20
DAYS_SHOWN_MAX: Final = 100
_CUMULATIVE_RULE: Final = Bilingual(
    "تُحسب حصة كل رصيد تراكمي بالشرائح وتُقرّب إلى الهللة الأدنى، وحصة الشريك هي الفرق. ولكل مجموعة قيود متصلة سطر.",
    "The share of each cumulative sum follows from the bands, rounded down to the halala; the partner gets the"
    " difference. Consecutive entries of the period share a row.",
)
_DAYS_RULE: Final = Bilingual(
    "الحصص قبل التقريب. وكل إيصال وحسابه في ملف CSV.",
    "Shares before rounding. The CSV file has each receipt with its arithmetic.",
)
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


@dataclass(frozen=True, slots=True)
class Provenance:
    """The checkpoint that a statement is proven under, and where its proofs are."""

    size: int
    root: str
    link: str


@dataclass(frozen=True, slots=True)
class Paid:
    """What was paid out, and what is payable after the entry that last changed the contract (R13)."""

    payouts: Sequence[Mapping[str, Any]]
    payable_halalas: int
    after_index: int


def statement_paper(
    partnership: Mapping[str, Any],
    working: Working,
    paid: Paid,
    provenance: Provenance | None,
    days: Sequence[DayBand] = (),
) -> Paper:
    """The statement of a closed period with its working, and with its lines by day if they are given."""
    statement = working.statement
    own = f"{statement['partnership_id']} {statement['period']}"
    sheets = [
        _parties(partnership, statement),
        _revenue(statement),
        *(sheet for group in working.groups for sheet in _share_sheets(partnership, group)),
        *([] if working.guarantee is None else [_guarantee(working)]),
        _totals(statement),
        _paid(paid),
        *(_days(version, list(own)) for version, own in groupby(sorted(days, key=_version), _version)),
    ]
    return Paper(
        Bilingual(f"كشف الشراكة {own}", f"Statement {own}"), tuple(sheets), _proof(statement, provenance),
        "" if provenance is None else provenance.link, *_verify(statement),
    )  # fmt: skip


def _same(text: str) -> Bilingual:
    """A text of ids and figures, which is the same in both languages."""
    return Bilingual(left_to_right(text), text)


def _payout_text(payout_id: str, paid_on: Bilingual) -> Bilingual:
    return Bilingual(left_to_right(f"{payout_id} · {paid_on.ar}"), f"{payout_id} · {paid_on.en}")


def _facts(heading: Bilingual, rows: Sequence[tuple[Cell, ...]], note: Bilingual | None = None) -> Sheet:
    return Sheet(heading, (), tuple(rows), note)


def _parties(partnership: Mapping[str, Any], statement: Mapping[str, Any]) -> Sheet:
    calendar: CalendarName = partnership["calendar"]
    first, last = days_of(statement["period"], calendar)
    partner = partnership["partner"]
    return _facts(
        Bilingual("العقد والفترة", "Contract and period"),
        [
            (Bilingual("الجهة", "Agency"), partnership["agency"]),
            (Bilingual("الشريك", "Partner"), Bilingual(partner["name"]["ar"], partner["name"]["en"])),
            (Bilingual("من", "From"), date_text(max(first, partnership["starts_on"]))),
            (Bilingual("إلى", "To"), date_text(min(last, partnership["terminated_on"] or partnership["ends_on"]))),
            (Bilingual("نسخة العقد", "Contract version"), str(statement["contract_version"])),
            (Bilingual("قيد الإقفال", "Log entry that closed it"), str(statement["closing_index"])),
        ],
    )


def _revenue(statement: Mapping[str, Any]) -> Sheet:
    lines = (
        ("opening_cumulative_halalas", "الرصيد التراكمي الافتتاحي", "Opening cumulative"),
        ("collected_halalas", "+ المحصّل", "+ Collected"),
        ("reversed_halalas", "− المردود", "− Reversed"),
        ("net_halalas", "= الصافي", "= Net"),
        ("prior_period_halalas", "منه عن فترات مقفلة", "Of which for closed periods"),
        ("closing_cumulative_halalas", "الرصيد التراكمي الختامي", "Closing cumulative"),
        ("expected_halalas", "الإيراد المتوقع", "Expected revenue"),
    )
    return _facts(
        Bilingual("الإيراد بالريال", "Revenue in riyals"),
        [(Bilingual(ar, en), riyals_text(statement[name])) for name, ar, en in lines],
        Bilingual(
            "الختامي = الافتتاحي + الصافي.",
            "Closing = opening + net.",
        ),
    )


def _share_sheets(partnership: Mapping[str, Any], group: PricedGroup) -> tuple[Sheet, Sheet, Sheet]:
    """The terms, the share band by band, and the sums that are rounded: enough to compute the share by hand."""
    return _bands(partnership["versions"][group.contract_version]), share_sheet(group), _rounded(group)


def _bands(version: Mapping[str, Any]) -> Sheet:
    """Every band of a version with its rate, from zero to beyond the cap."""
    bands = [band for band in bands_of(version["terms"]) if band.kind != "below-zero"]
    cap = version["terms"]["cap"]
    note = None
    if cap is not None:
        amount = riyals_text(cap["amount_halalas"])
        note = Bilingual(
            f"سقف حصة الشريك {amount}، ثم تسري النسبة الأخيرة.",
            f"The cap of the partner's share is {amount}; the last rate holds beyond it.",
        )
    number, first, index = version["version"], version["effective_from"], version["index"]
    return Sheet(
        Bilingual(f"شرائح النسخة {number} من {first} (القيد {index})",
                  f"Bands of version {number}, from {first} (log entry {index})"),
        (_BAND, Bilingual("النسبة", "Rate")),
        tuple((band_text(band), percent_text(band.rate_bp)) for band in bands),
        note,
    )  # fmt: skip


def _rounded(group: PricedGroup) -> Sheet:
    """The cumulative sums with their shares, rounded; what they differ by is the partner's share."""
    runs = list(zip(group.runs, group.run_shares, strict=True))
    rows: list[tuple[Cell, ...]] = [
        tuple(map(riyals_text, (sums[0], shares[0], sums[1], shares[1], shares[1] - shares[0])))
        for sums, shares in runs[:RUNS_SHOWN_MAX]
    ]
    if others := runs[RUNS_SHOWN_MAX:]:
        rest = sum(shares[1] - shares[0] for _, shares in others)
        more = Bilingual(f"{len(others):,} أخرى، في ملف CSV", f"{len(others):,} more, in the CSV file")
        rows.append((more, "", "", "", riyals_text(rest)))
    rows.append((Bilingual("حصة الشريك", "Partner's share"), "", "", "", riyals_text(group.partner_halalas)))
    columns = (
        Bilingual("الرصيد قبل", "Sum before"),
        Bilingual("حصته", "Its share"),
        Bilingual("الرصيد بعد", "Sum after"),
        Bilingual("حصته", "Its share"),
        Bilingual("الفرق", "Difference"),
    )
    heading = Bilingual("الرصيد التراكمي وحصته بعد التقريب", "Cumulative sums and their shares, rounded down")
    return Sheet(heading, columns, tuple(rows), _CUMULATIVE_RULE)


def share_sheet(group: PricedGroup) -> Sheet:
    """Amount × rate = share, band by band; then the rounding."""
    rows: list[tuple[Cell, ...]] = [
        (
            band_text(line.band),
            exact_riyals(line.amount_halalas),
            percent_text(line.band.rate_bp),
            exact_riyals(line.share_halalas),
        )
        for line in group.lines
    ]
    if group.rounding_halalas:
        rows.append((Bilingual("التقريب", "Rounding"), "", "", exact_riyals(group.rounding_halalas)))
    rows.append((Bilingual("حصة الشريك", "Partner's share"), "", "", riyals_text(group.partner_halalas)))
    columns = (
        _BAND,
        Bilingual("المبلغ", "Amount"),
        Bilingual("× النسبة", "× Rate"),
        Bilingual("= الحصة", "= Share"),
    )
    version, window = group.contract_version, group.window_number
    year_ar, year_en = (f"، السنة التعاقدية {window}", f", contract year {window}") if window else ("", "")
    heading = Bilingual(f"حصة الشريك بالنسخة {version}{year_ar}", f"Partner's share under version {version}{year_en}")
    return Sheet(heading, columns, tuple(rows))


def _guarantee(working: Working) -> Sheet:
    statement, guarantee = working.statement, working.guarantee
    assert guarantee is not None
    rate, expected = percent_text(guarantee.rate_bp), riyals_text(guarantee.expected_halalas)
    base = riyals_text(statement["partner_base_halalas"])
    lines: list[tuple[Cell, ...]] = [
        (
            Bilingual(f"المضمون = {left_to_right(f'{rate} × {expected}')}", f"Guaranteed = {rate} × {expected}"),
            riyals_text(guarantee.guaranteed_halalas),
        ),
        (Bilingual("حصة الشريك الأساسية", "Partner's base share"), base),
        (
            Bilingual("التكملة = ما ينقص الأساسية عن المضمون", "Top-up = what the base lacks"),
            riyals_text(statement["top_up_halalas"]),
        ),
    ]
    if guarantee.recoverable:
        lines += [
            (
                Bilingual("التكملة القائمة قبلها", "Top-up outstanding before"),
                riyals_text(guarantee.outstanding_before_halalas),
            ),
            (
                Bilingual("المسترد = الأقل من القائمة والفائض", "Recovered = the lesser of it and the surplus"),
                riyals_text(statement["recovered_halalas"]),
            ),
            (
                Bilingual("التكملة القائمة بعدها", "Top-up outstanding after"),
                riyals_text(statement["top_up_outstanding_halalas"]),
            ),
        ]
    return _facts(
        Bilingual("الضمان بالريال", "Guarantee in riyals"),
        lines,
        Bilingual("يُقرّب المضمون إلى الهللة الأدنى.", "The guaranteed amount is rounded down to the halala."),
    )


def _totals(statement: Mapping[str, Any]) -> Sheet:
    return _facts(
        Bilingual("المستحق بالريال", "What is due, in riyals"),
        [
            (Bilingual("حصة الشريك الأساسية", "Partner's base share"), riyals_text(statement["partner_base_halalas"])),
            (Bilingual("+ التكملة", "+ Top-up"), riyals_text(statement["top_up_halalas"])),
            (Bilingual("− المسترد", "− Recovered"), riyals_text(statement["recovered_halalas"])),
            (Bilingual("= إجمالي الشريك", "= Partner, total"), riyals_text(statement["partner_total_halalas"])),
            (Bilingual("إجمالي الخزينة = الصافي − الشريك", "Treasury, total = net − partner"),
             riyals_text(statement["treasury_total_halalas"])),
        ],
    )  # fmt: skip


def _version(day: DayBand) -> int:
    return day.contract_version


def _days(version: int, days: Sequence[DayBand]) -> Sheet:
    """Amount × rate = share of each day and band; beyond a bound only their sum."""
    rows: list[tuple[Cell, ...]] = [
        (
            date_text(day.dated_on),
            band_text(day.band),
            exact_riyals(day.amount_halalas),
            percent_text(day.band.rate_bp),
            exact_riyals(day.share_halalas),
        )
        for day in days[:DAYS_SHOWN_MAX]
    ]
    if others := days[DAYS_SHOWN_MAX:]:
        more = Bilingual(f"{len(others):,} أخرى، في ملف CSV", f"{len(others):,} more, in the CSV file")
        rows.append((more, "", *_sums(others)))
    rows.append((Bilingual("المجموع", "Sum"), "", *_sums(days)))
    columns = (
        Bilingual("اليوم", "Day"),
        _BAND,
        Bilingual("المبلغ", "Amount"),
        Bilingual("× النسبة", "× Rate"),
        Bilingual("= الحصة", "= Share"),
    )
    heading = Bilingual(f"الأيام والشرائح بالنسخة {version}", f"Days and bands under version {version}")
    return Sheet(heading, columns, tuple(rows), _DAYS_RULE)


def _sums(days: Sequence[DayBand]) -> tuple[str, str, str]:
    amount, share = sum(day.amount_halalas for day in days), sum(day.share_halalas for day in days)
    return exact_riyals(amount), "", exact_riyals(share)


def _paid(paid: Paid) -> Sheet:
    rows: list[tuple[Cell, ...]] = [
        (_payout_text(payout["payout_id"], date_text(payout["paid_on"])), riyals_text(payout["amount_halalas"]))
        for payout in paid.payouts
    ]
    after = paid.after_index
    owed = Bilingual(f"المستحق للشريك بعد القيد {after}", f"Owed to the partner after log entry {after}")
    rows.append((owed, riyals_text(paid.payable_halalas)))
    return _facts(Bilingual("المصروف للشريك بالريال", "Paid to the partner, in riyals"), rows)


def _proof(statement: Mapping[str, Any], provenance: Provenance | None) -> Bilingual:
    first, last, closing = (statement[name] for name in ("first_index", "last_index", "closing_index"))
    span_ar, span_en = ("لا شيء", "none") if first is None else (f"من {first} إلى {last}", f"{first} to {last}")
    if provenance is None:
        signed_ar, signed_en = "لا توجد نقطة تحقق موقّعة بعد", "no checkpoint is signed yet"
    else:
        signed_ar = f"نقطة التحقق: {provenance.size} من القيود، الجذر {provenance.root}"
        signed_en = f"checkpoint: {provenance.size} entries, root {provenance.root}"
    return Bilingual(
        f"قيود السجل: {span_ar}، وقيد الإقفال {closing}؛ {signed_ar}.",
        f"Log entries: {span_en}, closed by {closing}; {signed_en}.",
    )


def _verify(statement: Mapping[str, Any]) -> tuple[Bilingual, tuple[str, str]]:
    partnership_id, period = statement["partnership_id"], statement["period"]
    folder = f"{partnership_id}-{period}"
    writes = f"yesser ledger prove-statement {partnership_id} {period} --into {folder}"
    verifies = f"yesser ledger verify-statement {folder} --vkey VKEY"
    said = Bilingual(
        f"يثبت هذا الكشف المجلد {left_to_right(folder)}: يكتبه الأمر الأول، ويتحقق منه الثاني.",
        f"The folder {folder} proves this statement: the first command writes it, the second verifies it.",
    )
    return said, (writes, verifies)


def texts(cell: Cell) -> Iterator[str]:
    """The cell's text: one for a figure, Arabic and English otherwise."""
    yield from ((cell,) if isinstance(cell, str) else (cell.ar, cell.en))
