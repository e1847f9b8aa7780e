"""Reads what a statement's working needs from the ledger in `search_path`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from consumers.revenue import read
from consumers.revenue.statements.paper import Paid
from consumers.revenue.statements.working import Posting, Working, working_of
from infra.postgres.connection import Connection
from infra.postgres.sql import queries

_SQL: Final = queries("consumers.revenue", "read.sql")


@dataclass(frozen=True, slots=True)
class StatementParts:
    """A closed period with everything that its figures follow from."""

    partnership: Mapping[str, Any]
    working: Working
    postings: Sequence[Posting]
    paid: Paid


async def statement_parts(connection: Connection, partnership_id: str, period: str) -> StatementParts:
    """Raises `NoStatement` for a period without one, `WrongStatement` for figures that do not follow."""
    statement = await read.statement(connection, partnership_id, period)
    partnership = await read.partnership(connection, partnership_id)
    assert partnership is not None, "a statement has a contract"
    postings = [Posting(**row) for row in await connection.fetch(_SQL["postings"], partnership_id, period)]
    outstanding = await connection.fetchval(_SQL["outstanding_before"], partnership_id, period)
    payouts = [dict(row) for row in await connection.fetch(_SQL["payouts"], partnership_id)]
    working = working_of(statement, partnership["versions"], postings, outstanding or 0)
    return StatementParts(partnership, working, postings, Paid(payouts, partnership["payable_halalas"]))


async def expected_and_actual(connection: Connection, partnership_id: str) -> list[dict[str, Any]]:
    """Per period of the term: expected revenue, and of closed periods what came and what the partner got."""
    return [dict(row) for row in await connection.fetch(_SQL["expected"], partnership_id)]
