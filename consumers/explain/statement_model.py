"""The figures of statements and partnerships, as sums over transfers where money is moved (R8, R12, R14)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from consumers.explain.figures import Explained, Figure, Part, Scope
from consumers.explain.models import Model, column, parse_key
from consumers.revenue.accounts import CASH, COLLECTIONS, PARTNER_PAYABLE, account_name
from consumers.revenue.consumer import CONSUMER as REVENUE
from consumers.revenue.handlers.book import version_for
from consumers.revenue.rows import ACCOUNT, CONTRACT, EXPECTED, PERIOD, STATEMENT, TRANSFER
from infra.postgres.unit_of_work import Key

_RECEIPTS: Final = {"receipt-partner": 1, "receipt-treasury": 1}
_REVERSALS: Final = {"reversal-partner": 1, "reversal-treasury": 1}
_NET: Final = _RECEIPTS | dict.fromkeys(_REVERSALS, -1)
_BASE: Final = {"receipt-partner": 1, "reversal-partner": -1}


@dataclass(frozen=True, slots=True)
class Transferred:
    """A figure that is a sum of transfers: kind → sign. `periods`: of the own period, of those before it, or of those
    up to it."""

    signs: Mapping[str, int]
    periods: str = "own"

    def of(self, kind: str, transfer_period: str | None, amount: int, period: str) -> int:
        """What one transfer gives to the figure of a period."""
        if transfer_period is None:
            return 0
        is_own = {
            "own": transfer_period == period,
            "before": transfer_period < period,
            "through": transfer_period <= period,
        }[self.periods]
        return self.signs.get(kind, 0) * amount if is_own else 0


TRANSFERRED: Final[Mapping[str, Transferred]] = {
    "opening_cumulative_halalas": Transferred(_NET, "before"),
    "collected_halalas": Transferred(_RECEIPTS),
    "reversed_halalas": Transferred(_REVERSALS),
    "net_halalas": Transferred(_NET),
    "closing_cumulative_halalas": Transferred(_NET, "through"),
    "partner_base_halalas": Transferred(_BASE),
    "top_up_halalas": Transferred({"top-up": 1}),
    "recovered_halalas": Transferred({"recovery": 1}),
    "partner_total_halalas": Transferred({**_BASE, "top-up": 1, "recovery": -1}),
    "treasury_total_halalas": Transferred(
        {"receipt-treasury": 1, "reversal-treasury": -1, "top-up": -1, "recovery": 1}
    ),
}
"""Field of a statement → the transfers that it is the sum of. The others move no money."""
_OF_PERIOD: Final = ("prior_period_halalas", "first_index", "last_index")


def _statement(key: Key) -> Explained:
    partnership_id, period = key
    where = {"partnership_id": partnership_id, "period": period}
    figures = {
        name: column(REVENUE, PERIOD if name in _OF_PERIOD else STATEMENT, where, name)
        for name in STATEMENT.columns
        if name not in STATEMENT.key
    }
    figures |= {name: _transferred(partnership_id, period, found) for name, found in TRANSFERRED.items()}
    return Explained(figures, Scope(f"partnership/{partnership_id}"), Part(REVENUE, STATEMENT, where, lambda row: True))


def _transferred(partnership_id: str, period: str, transferred: Transferred) -> Figure:
    def given(row: Any) -> int:
        return transferred.of(row.kind, row.period, row.amount_halalas, period)

    return Figure((Part(REVENUE, TRANSFER, {"partnership_id": partnership_id}, given, "sum"),))


STATEMENTS: Final = Model(
    "statements",
    "PARTNERSHIP/PERIOD",
    tuple(name for name in STATEMENT.columns if name not in STATEMENT.key),
    lambda text: parse_key(STATEMENT, text),
    _statement,
)


def partnership_figures(partnership_id: str) -> dict[str, Figure]:
    """A row of `partnerships` in `yesser plan`, but for its agency: postings, top-ups and recoveries so far."""
    where = {"partnership_id": partnership_id}
    net = _of_account(COLLECTIONS, partnership_id, lambda row: row.debits_halalas - row.credits_halalas)
    owed = _of_account(PARTNER_PAYABLE, partnership_id, lambda row: row.credits_halalas - row.debits_halalas)
    paid = _of_account(CASH, partnership_id, lambda row: row.credits_halalas)
    return {
        "expected_halalas": Figure(
            (
                Part(REVENUE, STATEMENT, where, lambda row: row.expected_halalas, "sum"),
                Part(REVENUE, CONTRACT, where, lambda row: [row.open_period, row.versions]),
                Part(REVENUE, EXPECTED, where, lambda row: row.amount_halalas, "rows"),
            ),
            _expected,
        ),
        "net_halalas": Figure((net,)),
        "partner_halalas": Figure((owed, paid), lambda *parts: sum(parts)),
        "treasury_halalas": Figure((net, owed, paid), lambda net, owed, paid: net - owed - paid),
        "open_period": column(REVENUE, CONTRACT, where, "open_period"),
    }


def _of_account(kind: str, partnership_id: str, of: Callable[[Any], int]) -> Part:
    return Part(REVENUE, ACCOUNT, {"account": account_name(kind, partnership_id)}, of, "sum")


def _expected(closed: int, contract: list[Any] | None, expected: Mapping[Key, int]) -> int:
    """What closed periods expected, and the open one by its version in force."""
    if contract is None or contract[0] is None:
        return closed
    open_period, versions = contract
    found = next(
        (
            amount
            for (_, version, period), amount in expected.items()
            if period == open_period and version == version_for(versions, open_period)
        ),
        0,
    )
    return closed + found
