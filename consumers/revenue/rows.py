"""The tables of the revenue ledger as row types, with the columns in the order of `tables.sql`.

Amounts are whole halalas, dates `YYYY-MM-DD`, periods labels of the contract's calendar, indexes those of the log.
Receipts, reversals, payouts and statements are append-only, but for what was reversed of a receipt. PostgreSQL derives
the transfers from them; stores without views have those that the fold posts, so that each can be compared with the
other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from events.values.data import Data
from infra.postgres.unit_of_work import Table


@dataclass(slots=True)
class Contract:
    """A partnership. `versions[v]` is the period from which version v is in force.

    `last_day` and `last_period` are those of R1 and R3, `closed_through` the latest closed period, `open_period` the
    earliest that is not (None when all are closed), `latest_dated_on` the latest date of what was counted.
    `collected_halalas` sums the receipts alone, `payable_halalas` is R13's, `top_ups_halalas` sums all top-ups ever.
    """

    partnership_id: str
    owner: str
    partner: Data
    services: list[str]
    legal_basis: Data
    signed_on: str
    starts_on: str
    ends_on: str
    calendar: str
    period_kind: str
    tier_basis: str
    terminated_on: str | None
    last_day: str
    first_period: str
    last_period: str
    closed_through: str | None
    open_period: str | None
    versions: list[str]
    latest_dated_on: str | None = None
    collected_halalas: int = 0
    closing_cumulative_halalas: int = 0
    payable_halalas: int = 0
    top_ups_halalas: int = 0
    outstanding_halalas: int = 0
    first_index: int = 0
    last_index: int = 0


@dataclass(slots=True)
class ContractVersion:
    """Terms as signed (version 0) or amended, without `expected`, which has rows of its own."""

    partnership_id: str
    version: int
    effective_from: str
    terms: Data
    reason: Data | None
    index: int


@dataclass(slots=True)
class Expected:
    """The revenue that a version expects of one period."""

    partnership_id: str
    version: int
    period: str
    amount_halalas: int
    index: int


@dataclass(slots=True)
class Period:
    """The sums of one period; exists from its first posting or its closing.

    `statement_sha256` = of the statement's canonical JSON, once the period is closed; None if a figure exceeds JSON.
    """

    partnership_id: str
    period: str
    collected_halalas: int = 0
    reversed_halalas: int = 0
    prior_period_halalas: int = 0
    partner_base_halalas: int = 0
    postings_count: int = 0
    first_index: int | None = None
    last_index: int | None = None
    closing_index: int | None = None
    statement_sha256: str | None = None


@dataclass(slots=True)
class RevenueWindow:
    """The running net sum C of one window (R7)."""

    partnership_id: str
    window_number: int
    cumulative_halalas: int
    postings_count: int
    first_index: int
    last_index: int


@dataclass(slots=True)
class Receipt:
    """A counted receipt, with the window's sum just before it and the sum of its reversals."""

    partnership_id: str
    receipt_id: str
    service_id: str
    amount_halalas: int
    collected_on: str
    receipts_count: int
    period: str
    contract_version: int
    window_number: int
    before_halalas: int
    partner_halalas: int
    treasury_halalas: int
    reversed_halalas: int
    first_index: int
    last_index: int


@dataclass(slots=True)
class Reversal:
    """A counted reversal; the two parts are what partner and treasury return."""

    partnership_id: str
    reversal_id: str
    receipt_id: str
    amount_halalas: int
    reversed_on: str
    period: str
    contract_version: int
    window_number: int
    before_halalas: int
    partner_halalas: int
    treasury_halalas: int
    index: int


@dataclass(slots=True)
class Payout:
    """A payout to the partner."""

    partnership_id: str
    payout_id: str
    amount_halalas: int
    paid_on: str
    index: int


@dataclass(slots=True)
class Transfer:
    """One record that debits one account and credits another. `line` numbers the transfers of one entry."""

    index: int
    line: int
    partnership_id: str
    period: str | None
    kind: str
    debit: str
    credit: str
    amount_halalas: int


@dataclass(slots=True)
class Account:
    """The sums of one account's transfers, updated by the same fold; its balance is debits − credits."""

    account: str
    partnership_id: str
    kind: str
    debits_halalas: int
    credits_halalas: int
    transfers_count: int
    first_index: int
    last_index: int


@dataclass(slots=True)
class Statement:
    """The statement of a closed period (R12), with the fields of `settlement.issued`."""

    partnership_id: str
    period: str
    contract_version: int
    opening_cumulative_halalas: int
    collected_halalas: int
    reversed_halalas: int
    net_halalas: int
    prior_period_halalas: int
    closing_cumulative_halalas: int
    partner_base_halalas: int
    guarantee_halalas: int
    top_up_halalas: int
    recovered_halalas: int
    top_up_outstanding_halalas: int
    partner_total_halalas: int
    treasury_total_halalas: int
    expected_halalas: int
    first_index: int | None
    last_index: int | None
    closing_index: int


CONTRACT: Final = Table(
    "contract",
    Contract,
    key=("partnership_id",),
    fixed=(
        "partner", "services", "legal_basis", "signed_on", "starts_on", "calendar", "period_kind", "tier_basis",
        "first_period", "first_index",
    ),
)  # fmt: skip
VERSION: Final = Table(
    "contract_version",
    ContractVersion,
    key=("partnership_id", "version"),
    fixed=("effective_from", "terms", "reason", "index"),
)
EXPECTED: Final = Table(
    "expected", Expected, key=("partnership_id", "version", "period"), fixed=("amount_halalas", "index")
)
PERIOD: Final = Table("period", Period, key=("partnership_id", "period"), since="")
WINDOW: Final = Table("revenue_window", RevenueWindow, key=("partnership_id", "window_number"), fixed=("first_index",))
RECEIPT: Final = Table(
    "receipt",
    Receipt,
    key=("partnership_id", "receipt_id"),
    fixed=(
        "service_id", "amount_halalas", "collected_on", "receipts_count", "period", "contract_version", "window_number",
        "before_halalas", "partner_halalas", "treasury_halalas", "first_index",
    ),
)  # fmt: skip
REVERSAL: Final = Table(
    "reversal",
    Reversal,
    key=("partnership_id", "reversal_id"),
    fixed=(
        "receipt_id", "amount_halalas", "reversed_on", "period", "contract_version", "window_number", "before_halalas",
        "partner_halalas", "treasury_halalas", "index",
    ),
)  # fmt: skip
PAYOUT: Final = Table(
    "payout", Payout, key=("partnership_id", "payout_id"), fixed=("amount_halalas", "paid_on", "index")
)
ACCOUNT: Final = Table("account", Account, key=("account",), fixed=("partnership_id", "kind", "first_index"))
TRANSFER: Final = Table("transfer", Transfer, key=("index", "line"), append_only=True, view=True)
STATEMENT: Final = Table(
    "statement", Statement, key=("partnership_id", "period"), append_only=True, since="closing_index"
)
TABLES: Final[tuple[Table[Any], ...]] = (
    CONTRACT, VERSION, EXPECTED, PERIOD, WINDOW, RECEIPT, REVERSAL, PAYOUT, ACCOUNT, TRANSFER, STATEMENT,
)  # fmt: skip
