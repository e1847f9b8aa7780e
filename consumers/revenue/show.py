"""The ledger as tables, in Arabic and English: amounts in riyals with two decimals."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, Final

from consumers.revenue.accounts import CASH, CHART, COLLECTIONS, GUARANTEE_EXPENSE, PARTNER_PAYABLE, TREASURY_SHARE
from events.values.money import riyals_text
from infra.command_line.display import Column, Grid, Row, Section
from infra.command_line.language import localized

TRANSFER_KINDS: Final = {
    "receipt-partner": ("تحصيل", "receipt"),
    "receipt-treasury": ("تحصيل", "receipt"),
    "reversal-partner": ("رد", "reversal"),
    "reversal-treasury": ("رد", "reversal"),
    "top-up": ("تكملة", "top-up"),
    "recovery": ("استرداد", "recovery"),
    "payout": ("صرف", "payout"),
}
_MEANINGS: Final = {
    COLLECTIONS: (("محصّل", "collected"), ("رُدّ أكثر مما حُصّل", "more reversed than collected")),
    PARTNER_PAYABLE: (("مستحق على الشريك", "owed by the partner"), ("مستحق للشريك", "owed to the partner")),
    TREASURY_SHARE: (("مستحق على الخزينة", "owed by the treasury"), ("للخزينة", "for the treasury")),
    GUARANTEE_EXPENSE: (
        ("تكملات تتحملها الخزينة", "top-ups that the treasury bears"),
        ("استُرد أكثر مما كُمّل", "more recovered than topped up"),
    ),
    CASH: (("", ""), ("صُرف للشريك", "paid to the partner")),
}
"""What a debit and what a credit balance of an account means."""
_SIDES: Final = ("debits_halalas", "credits_halalas", "balance_halalas")


def balances_table(accounts: Sequence[Mapping[str, Any]], log_index: int) -> Grid:
    """Debits, credits and balance of every account, by kind, and their sums."""
    columns = [
        Column("الحساب", "Account"),
        Column("مدين", "Debits", drop=1, right=True),
        Column("دائن", "Credits", drop=1, right=True),
        Column("الرصيد", "Balance", right=True),
        Column("المعنى", "Meaning", drop=2),
    ]
    title = localized(
        f"الأرصدة بالريال بعد {log_index:,} من القيود", f"Balances in riyals after {log_index:,} log entries"
    )
    sums = [localized("المجموع", "Sum"), *(riyals_text(sum(row[name] for row in accounts)) for name in _SIDES), ""]
    return Grid(title, columns, list(_by_kind(accounts)), sums)


def _by_kind(accounts: Sequence[Mapping[str, Any]]) -> Iterator[Row]:
    lines = {line.kind: line for line in CHART}
    for kind, rows in groupby(accounts, lambda row: row["account"].partition(":")[0]):
        line = lines[kind]
        yield Section(localized(line.arabic, line.english))
        for row in rows:
            figures = (riyals_text(row[name]) for name in _SIDES)
            yield [
                "  " + row["account"].partition(":")[2],
                *figures,
                localized(*balance_meaning(kind, row["balance_halalas"])),
            ]


def balance_meaning(kind: str, balance_halalas: int) -> tuple[str, str]:
    """What a balance (debits − credits) of this kind of account means, in Arabic and English; empty for zero."""
    debit, credit = _MEANINGS[kind]
    return ("", "") if balance_halalas == 0 else debit if balance_halalas > 0 else credit


def transfers_table(partnership_id: str, transfers: Sequence[Mapping[str, Any]]) -> Grid:
    """One line per transfer, in log order; the accounts are the partnership's own."""
    title = localized(
        f"تحويلات الشراكة {partnership_id} بالريال", f"Transfers of partnership {partnership_id} in riyals"
    )
    columns = [
        Column("رقم القيد", "Log entry", right=True),
        Column("النوع", "Kind", drop=1),
        Column("الفترة", "Period"),
        Column("النسخة", "Version", drop=3, right=True),
        Column("القاعدة", "Rule", drop=2),
        Column("مدين", "Debit"),
        Column("دائن", "Credit"),
        Column("المبلغ", "Amount", right=True),
    ]
    rows = [
        [
            str(row["index"]),
            localized(*TRANSFER_KINDS[row["kind"]]),
            row["period"],
            None if (version := row.get("contract_version")) is None else str(version),
            row["rule"],
            row["debit"].partition(":")[0],
            row["credit"].partition(":")[0],
            riyals_text(row["amount_halalas"]),
        ]
        for row in transfers
    ]
    return Grid(title, columns, rows)


def partnerships_table(partnerships: Sequence[Mapping[str, Any]]) -> Grid:
    """One line per partnership."""
    columns = [
        Column("الشراكة", "Partnership"),
        Column("الجهة", "Agency"),
        Column("الشريك", "Partner", wraps=True),
        Column("من", "From", drop=1),
        Column("إلى", "To", drop=1),
        Column("المفتوحة", "Open"),
    ]
    rows = [
        [
            row["partnership_id"],
            row["agency"],
            localized(**row["partner"]["name"], between="\n"),
            row["starts_on"],
            row["terminated_on"] or row["ends_on"],
            row["open_period"],
        ]
        for row in partnerships
    ]
    return Grid(localized("الشراكات مع القطاع الخاص", "Partnerships with the private sector"), columns, rows)


def statements_table(partnership_id: str, statements: Sequence[Mapping[str, Any]]) -> Grid:
    """One line per closed period."""
    title = localized(f"كشوف الشراكة {partnership_id} بالريال", f"Statements of partnership {partnership_id} in riyals")
    columns = [
        Column("الفترة", "Period"),
        Column("الصافي", "Net", right=True),
        Column("حصة الشريك", "Partner's share", right=True),
        Column("حصة الخزينة", "Treasury's share", right=True),
        Column("قيد الإقفال", "Closing entry", drop=1, right=True),
    ]
    names = ("net_halalas", "partner_total_halalas", "treasury_total_halalas")
    rows = [
        [row["period"], *(riyals_text(row[name]) for name in names), str(row["closing_index"])] for row in statements
    ]
    return Grid(title, columns, rows)
