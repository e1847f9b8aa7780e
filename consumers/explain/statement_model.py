"""The figures of statements and partnerships, as sums over transfers where money is moved (R8, R12, R14)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from operator import eq, lt
from typing import Any, Final

from consumers.documents.formulas import MINUS, PLUS, Both, Expression, Sign, substituted
from consumers.explain.figures import KeyFigures, Part, Scope, column, own_row
from consumers.explain.models import Model, parse_key
from consumers.explain.statement_formulas import FORMULAS
from consumers.revenue.accounts import CASH, COLLECTIONS, PARTNER_PAYABLE, account_name
from consumers.revenue.consumer import CONSUMER as REVENUE
from consumers.revenue.handlers.book import version_for
from consumers.revenue.rows import ACCOUNT, CONTRACT, EXPECTED, PERIOD, STATEMENT, TRANSFER
from events.values.bilingual import Bilingual
from infra.postgres.unit_of_work import Key

_RECEIPTS: Final = {"receipt-partner": 1, "receipt-treasury": 1}
_REVERSALS: Final = {"reversal-partner": 1, "reversal-treasury": 1}
_NET: Final = _RECEIPTS | dict.fromkeys(_REVERSALS, -1)


MOVED: Final[Mapping[str, tuple[Mapping[str, int], Callable[[str, str], bool]]]] = {
    "opening_cumulative_halalas": (_NET, lt),
    "collected_halalas": (_RECEIPTS, eq),
    "reversed_halalas": (_REVERSALS, eq),
    "partner_base_halalas": ({"receipt-partner": 1, "reversal-partner": -1}, eq),
    "top_up_halalas": ({"top-up": 1}, eq),
    "recovered_halalas": ({"recovery": 1}, eq),
}
"""Field of a statement → the transfers that it is the sum of: their kinds with their signs, and how their period stands
to the statement's. All other money is the sum of these, by its formula."""
SUMS: Final = frozenset(
    {"net_halalas", "closing_cumulative_halalas", "partner_total_halalas", "treasury_total_halalas"}
)
_OF_PERIOD: Final = ("prior_period_halalas", "first_index", "last_index")
_FIELDS: Final = tuple(name for name in STATEMENT.columns if name not in STATEMENT.key)


def _statement(key: Key, plan_id: str | None) -> KeyFigures:
    partnership_id, period = key
    where = {"partnership_id": partnership_id, "period": period}
    moved = {name: _moved(partnership_id, period, *given) for name, given in MOVED.items()}

    def figure(name: str) -> Expression:
        if name in SUMS:
            return substituted(FORMULAS[name], lambda amount: figure(amount.name))
        return moved.get(name) or column(REVENUE, PERIOD if name in _OF_PERIOD else STATEMENT, where, name)

    row = own_row(REVENUE, STATEMENT, where)
    return KeyFigures({name: figure(name) for name in _FIELDS}, Scope(f"partnership/{partnership_id}"), row)


def _moved(partnership_id: str, period: str, signs: Mapping[str, int], is_of: Callable[[str, str], bool]) -> Part:
    def given(row: Any) -> int:
        return signs.get(row.kind, 0) * row.amount_halalas if row.period and is_of(row.period, period) else 0

    return Part(REVENUE, TRANSFER, {"partnership_id": partnership_id}, given, "sum")


STATEMENTS: Final = Model(
    "statements", "PARTNERSHIP/PERIOD", _FIELDS, lambda text: parse_key(STATEMENT, text), _statement
)


def partnership_figures(partnership_id: str) -> dict[str, Expression]:
    """A row of `partnerships` in `yesser plan`: postings, top-ups and recoveries so far."""
    where = {"partnership_id": partnership_id}

    def of_account(kind: str, of: Callable[[Any], int], name: str, label: Bilingual) -> Part:
        account = {"account": account_name(kind, partnership_id)}
        return Part(REVENUE, ACCOUNT, account, of, "sum", f"{name}_halalas", label)

    net = of_account(COLLECTIONS, lambda row: row.debits_halalas - row.credits_halalas, "net", _NET_REVENUE)
    owed = of_account(PARTNER_PAYABLE, lambda row: row.credits_halalas - row.debits_halalas, "owed", _ACCRUED)
    paid = of_account(CASH, lambda row: row.credits_halalas, "paid", _PAID)
    closed = Part(
        REVENUE, STATEMENT, where, lambda row: row.expected_halalas, "sum", "expected_of_closed_halalas", _OF_CLOSED
    )
    name = "expected_of_open_halalas"
    contract = Part(REVENUE, CONTRACT, where, lambda row: [row.open_period, row.versions], "value", name, _OPEN)
    expected = Part(REVENUE, EXPECTED, where, lambda row: row.amount_halalas, "rows", "expected", _EXPECTED)
    return {
        "agency": column(REVENUE, CONTRACT, where, "owner"),
        "expected_halalas": Both(PLUS, closed, Both(_IN_FORCE, contract, expected)),
        "net_halalas": net,
        "partner_halalas": Both(PLUS, owed, paid),
        "treasury_halalas": Both(MINUS, Both(MINUS, net, owed), paid),
        "open_period": column(REVENUE, CONTRACT, where, "open_period"),
    }


def _expected_of_open(contract: list[Any] | None, expected: Mapping[Key, int]) -> int:
    """What the version in force expects of the open period."""
    if contract is None or contract[0] is None:
        return 0
    open_period, versions = contract
    version = version_for(versions, open_period)
    return next((amount for key, amount in expected.items() if key[1:] == (version, open_period)), 0)


_NET_REVENUE: Final = Bilingual("المحصّل ناقص المردود", "what was collected less what was reversed")
_ACCRUED: Final = Bilingual("المتراكم للشريك", "what is accrued to the partner")
_PAID: Final = Bilingual("المصروف للشريك", "what the partner was paid")
_OF_CLOSED: Final = Bilingual("المتوقع للفترات المقفلة", "what was expected of the closed periods")
_OPEN: Final = Bilingual("الفترة المفتوحة", "the open period")
_EXPECTED: Final = Bilingual("نسخة العقد السارية", "the version in force")
_IN_FORCE: Final = Sign(
    Bilingual("المتوقع لما يلي: {}، بحسب {}", "what is expected of {} by {}"), None, _expected_of_open
)
