"""What the revenue ledger says, in the shapes of `events.md` §5.

Every function takes a connection whose `search_path` names the ledger to read: the live one, or one as of an index.
Nothing is written. Balances come from the account rows; `verification` proves that the transfers add up to the same.
"""

from __future__ import annotations

from typing import Any, Final

from events.errors import YesserError
from infra.postgres import Connection
from infra.sql import queries

_SQL: Final = queries("consumers.revenue", "read.sql")


class NoStatement(YesserError):
    """There is no such statement: a statement exists for closed periods of known partnerships only."""


async def balances(connection: Connection) -> dict[str, Any]:
    """`{"accounts": […]}`: every account that has a transfer, by name."""
    return {"accounts": [dict(row) for row in await connection.fetch(_SQL["balances"])]}


async def statement(connection: Connection, partnership_id: str, period: str) -> dict[str, Any]:
    """The statement of a closed period; `NoStatement` says why there is none."""
    row = await connection.fetchrow(_SQL["statement"], partnership_id, period)
    if row is not None:
        return dict(row)
    contract = await connection.fetchrow(_SQL["contract"], partnership_id)
    if contract is None:
        raise NoStatement(f"partnership {partnership_id} is not known: look in `yesser plan` for those that are")
    opened = contract["open_period"]
    state = "all its periods are closed" if opened is None else f"its open period is {opened}"
    raise NoStatement(
        f"period {period} of partnership {partnership_id} is not closed; {state} and its periods are "
        f"{contract['first_period']} to {contract['last_period']}"
    )


async def statements(connection: Connection) -> list[dict[str, Any]]:
    """All statements, by partnership and period."""
    return [dict(row) for row in await connection.fetch(_SQL["statements"])]


async def transfers(connection: Connection, partnership_id: str) -> list[dict[str, Any]]:
    """The transfers of a partnership in log order; none for one that is not known."""
    return [dict(row) for row in await connection.fetch(_SQL["transfers"], partnership_id)]


async def partnerships_of_plan(connection: Connection) -> list[dict[str, Any]]:
    """The `partnerships` of `yesser plan`, by id. `treasury_halalas` is what the partner's part leaves of the net."""
    rows = []
    for row in await connection.fetch(_SQL["partnerships_of_plan"]):
        net, partner = int(row["net_halalas"]), int(row["partner_halalas"])
        rows.append(
            {
                "partnership_id": row["partnership_id"],
                "agency": row["agency"],
                "expected_halalas": int(row["expected_halalas"]),
                "net_halalas": net,
                "partner_halalas": partner,
                "treasury_halalas": net - partner,
                "open_period": row["open_period"],
            }
        )
    return rows


async def verification(connection: Connection) -> dict[str, Any]:
    """`{"sum_halalas", "ok"}`: all balances sum to zero, and each is what its transfers add up to."""
    kept = [tuple(row) for row in await connection.fetch(_SQL["balances"])]
    added_up = [tuple(row) for row in await connection.fetch(_SQL["balances_from_transfers"])]
    total = sum(row[3] for row in added_up)
    return {"sum_halalas": total, "ok": total == 0 and kept == added_up}
