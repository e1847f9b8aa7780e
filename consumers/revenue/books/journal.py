"""Every transfer of the ledger with its day, its reason and the names of its accounts, in log order.

The day of a receipt, a reversal or a payout is its own; that of a top-up or a recovery is the last day of its period.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

from consumers.documents.ledger.ledger import RULES, kind_of
from events.values.periods import days_of
from infra.command_line.table_files import Columns
from infra.postgres.connection import Connection
from infra.postgres.sql import queries

ROWS_AT_ONCE: Final = 4_096
_SQL: Final = queries("consumers.revenue.books", "journal.sql")


@dataclass(frozen=True, slots=True)
class Booking:
    """One transfer. `reason` is the id of the receipt, reversal or payout; None for what a closing posts.

    `contract_version` and `window` priced it: a top-up or recovery has no window, a payout neither.
    """

    index: int
    line: int
    day: str
    partnership_id: str
    kind: str
    reason: str | None
    period: str | None
    contract_version: int | None
    window: int | None
    debit: str
    credit: str
    amount_halalas: int

    @property
    def rule(self) -> str:
        """The rule by which it was posted."""
        return RULES[self.kind]

    def row(self) -> tuple[int | str | None, ...]:
        """The columns of `COLUMNS`."""
        debit, credit = kind_of(self.debit), kind_of(self.credit)
        return (
            self.index,
            self.line,
            self.day,
            self.partnership_id,
            self.kind,
            self.reason,
            self.period,
            self.contract_version,
            self.window,
            self.rule,
            self.debit,
            debit.ar,
            debit.en,
            self.credit,
            credit.ar,
            credit.en,
            self.amount_halalas,
        )


_WHOLE: Final = frozenset({"index", "line", "contract_version", "window", "amount_halalas"})
_COLUMN_NAMES: Final = (
    "index", "line", "date", "partnership_id", "kind", "reason", "period",
    "contract_version", "window", "rule",
    "debit", "debit_ar", "debit_en", "credit", "credit_ar", "credit_en", "amount_halalas",
)  # fmt: skip
COLUMNS: Final[Columns] = {name: "BIGINT" if name in _WHOLE else "VARCHAR" for name in _COLUMN_NAMES}


async def bookings(connection: Connection, partnership_id: str | None = None) -> AsyncIterator[Booking]:
    """The transfers of a partnership, or of all. Call it inside a transaction: rows are read through a cursor."""
    cursor = await connection.cursor(_SQL["transfers"], partnership_id)
    while rows := await cursor.fetch(ROWS_AT_ONCE):
        for row in rows:
            day = row["day"] or days_of(row["period"], row["calendar"])[1]
            yield Booking(
                row["index"], row["line"], day, row["partnership_id"], row["kind"], row["reason"], row["period"],
                row["contract_version"], row["window_number"], row["debit"], row["credit"], row["amount_halalas"],
            )  # fmt: skip
