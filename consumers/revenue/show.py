"""The ledger for the eye: tables in Arabic and English, amounts in riyals with two decimals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any, Final

from rich.table import Table

from consumers.revenue.accounts import CHART
from events.money import riyals_text

STATEMENT_LINES: Final = (
    ("contract_version", "نسخة العقد", "Contract version"),
    ("expected_halalas", "الإيراد المتوقع", "Expected"),
    ("opening_cumulative_halalas", "الرصيد التراكمي الافتتاحي", "Opening cumulative"),
    ("collected_halalas", "المحصّل", "Collected"),
    ("reversed_halalas", "المعكوس", "Reversed"),
    ("net_halalas", "الصافي", "Net"),
    ("prior_period_halalas", "منه عن فترات مقفلة", "Of which for closed periods"),
    ("closing_cumulative_halalas", "الرصيد التراكمي الختامي", "Closing cumulative"),
    ("partner_base_halalas", "حصة الشريك الأساسية", "Partner's base share"),
    ("guarantee_halalas", "الحد المضمون", "Guaranteed"),
    ("top_up_halalas", "تكملة الضمان", "Top-up"),
    ("recovered_halalas", "المسترد من التكملة", "Recovered"),
    ("top_up_outstanding_halalas", "التكملة القائمة", "Top-up outstanding"),
    ("partner_total_halalas", "إجمالي الشريك", "Partner's total"),
    ("treasury_total_halalas", "إجمالي الخزانة", "Treasury's total"),
    ("first_index", "أول قيد في السجل", "First log index"),
    ("last_index", "آخر قيد في السجل", "Last log index"),
    ("closing_index", "قيد الإقفال", "Closing log index"),
)
TRANSFER_KINDS: Final = {
    "receipt-partner": "تحصيل · receipt",
    "receipt-treasury": "تحصيل · receipt",
    "reversal-partner": "عكس · reversal",
    "reversal-treasury": "عكس · reversal",
    "top-up": "تكملة · top-up",
    "recovery": "استرداد · recovery",
    "payout": "صرف · payout",
}
_ACCOUNT_NAMES: Final = {line.kind: f"{line.arabic} · {line.english}" for line in CHART}


def balances_table(accounts: Sequence[Mapping[str, Any]], log_index: int) -> Table:
    """Debits, credits and balance of every account, by kind, and their sums: the last is zero."""
    table = _table(f"الأرصدة بالريال · Balances in riyals (log index {log_index:,})", show_footer=True)
    columns = ("debits_halalas", "credits_halalas", "balance_halalas")
    table.add_column("الحساب\nAccount", "المجموع · Sum", overflow="fold")
    for name, heading in zip(columns, ("مدين\nDebits", "دائن\nCredits", "الرصيد\nBalance"), strict=True):
        total = sum(row[name] for row in accounts)
        table.add_column(heading, riyals_text(total), justify="right", no_wrap=True)
    for kind, rows in groupby(accounts, lambda row: row["account"].partition(":")[0]):
        table.add_section()
        table.add_row(_ACCOUNT_NAMES[kind], style="bold")
        for row in rows:
            table.add_row("  " + row["account"].partition(":")[2], *(riyals_text(row[name]) for name in columns))
    return table


def statement_table(statement: Mapping[str, Any]) -> Table:
    """One line per figure."""
    table = _table(f"كشف الشراكة {statement['partnership_id']} · Statement of period {statement['period']}")
    table.add_column("البند")
    table.add_column("Line")
    table.add_column("ريال\nRiyals", justify="right", no_wrap=True)
    for name, arabic, english in STATEMENT_LINES:
        table.add_row(arabic, english, _figure(name, statement[name]))
    return table


def transfers_table(partnership_id: str, transfers: Sequence[Mapping[str, Any]]) -> Table:
    """One line per transfer, in log order; the accounts are the partnership's own."""
    table = _table(f"قيود الشراكة {partnership_id} بالريال · Transfers in riyals")
    table.add_column("قيد السجل\nLog index", justify="right")
    table.add_column("النوع\nKind")
    table.add_column("الفترة\nPeriod", no_wrap=True)
    table.add_column("مدين\nDebit", no_wrap=True)
    table.add_column("دائن\nCredit", no_wrap=True)
    table.add_column("المبلغ\nAmount", justify="right", no_wrap=True)
    for row in transfers:
        kind, amount = TRANSFER_KINDS[row["kind"]], riyals_text(row["amount_halalas"])
        sides = (row[side].partition(":")[0] for side in ("debit", "credit"))
        table.add_row(str(row["index"]), kind, row["period"] or "—", *sides, amount)
    return table


def partnerships_table(partnerships: Sequence[Mapping[str, Any]]) -> Table:
    """One line per partnership."""
    table = _table("الشراكات مع القطاع الخاص · Partnerships")
    for heading in ("الشراكة\nPartnership", "الجهة\nAgency", "الشريك\nPartner", "المدة\nTerm", "المفتوحة\nOpen"):
        table.add_column(heading, overflow="fold")
    for row in partnerships:
        partner = f"{row['partner']['name']['ar']}\n{row['partner']['name']['en']}"
        term = f"{row['starts_on']}\n{row['terminated_on'] or row['ends_on']}"
        table.add_row(row["partnership_id"], row["agency"], partner, term, row["open_period"] or "—")
    return table


def statements_table(partnership_id: str, statements: Sequence[Mapping[str, Any]]) -> Table:
    """One line per closed period."""
    table = _table(f"كشوف الشراكة {partnership_id} بالريال · Statements in riyals")
    table.add_column("الفترة\nPeriod", no_wrap=True)
    columns = ("net_halalas", "partner_total_halalas", "treasury_total_halalas")
    for heading in ("الصافي\nNet", "إجمالي الشريك\nPartner", "إجمالي الخزانة\nTreasury"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("قيد الإقفال\nClosing index", justify="right")
    for row in statements:
        figures = (riyals_text(row[name]) for name in columns)
        table.add_row(row["period"], *figures, str(row["closing_index"]))
    return table


def _table(title: str, *, show_footer: bool = False) -> Table:
    return Table(title=title, title_justify="left", show_footer=show_footer)


def _figure(name: str, value: int | None) -> str:
    if value is None:
        return "—"
    return riyals_text(value) if name.endswith("_halalas") else str(value)
