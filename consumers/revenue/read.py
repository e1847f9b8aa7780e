"""Reads the documents of the revenue ledger.

Every function takes a connection whose `search_path` selects the ledger: the live one, or one as of an index. Nothing
is written. Balances come from the account rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from consumers.documents.access_scope import EVERYTHING, AccessScope
from consumers.documents.document import document_of, documents_of
from consumers.documents.ledger.ledger import RULES, Balance, Transfer
from consumers.documents.ledger.partnerships import Partnership, PartnershipAndTerms, TermsVersion
from consumers.documents.ledger.statements import Statement
from consumers.documents.programme.plan import SharedRevenue
from consumers.revenue.accounts import CASH, COLLECTIONS, PARTNER_PAYABLE, SIDES, account_name
from events.errors import YesserError
from events.values.periods import period_error, period_kind
from infra.postgres.connection import Connection
from infra.postgres.sql import queries

_SQL: Final = queries("consumers.revenue", "read.sql")
PARTNERSHIP_IDS: Final = _SQL["partnership_ids"]
STRANGERS_RULES: Final = ("unknown-partnership", "not-owner", "already-signed")
"""Anomalies that may show the terms or figures of another contract than the one known by the id."""


class NoStatement(YesserError):
    """There is no such statement: only closed periods of known partnerships have one."""


class UnknownPartnership(NoStatement):
    """The partnership is not known: `yesser ledger partnerships` lists the known ones."""


class NoSuchPeriod(NoStatement):
    """The partnership has no such period: write a month as 1426-03, a quarter as 1426-Q1."""


async def balances(
    connection: Connection, reach: AccessScope = EVERYTHING, after: str = "", rows_max: int | None = None
) -> list[Balance]:
    """Every account that has a transfer, by name, from the one after `after`."""
    return documents_of(
        Balance, await connection.fetch(_SQL["balances"], reach.agency, reach.partners, after, rows_max)
    )


async def partnerships(
    connection: Connection, reach: AccessScope = EVERYTHING, after: str = "", rows_max: int | None = None
) -> list[Partnership]:
    """The partnerships by id, from the one after `after`."""
    rows = await connection.fetch(_SQL["partnerships"], reach.agency, reach.partners, after, rows_max, None)
    return documents_of(Partnership, rows)


async def partnership(
    connection: Connection, partnership_id: str, reach: AccessScope = EVERYTHING
) -> PartnershipAndTerms | None:
    """A partnership with its terms in all versions, or None if it is unknown or out of scope."""
    row = await connection.fetchrow(_SQL["partnerships"], reach.agency, reach.partners, "", 1, partnership_id)
    if row is None:
        return None
    versions = documents_of(TermsVersion, await connection.fetch(_SQL["versions"], partnership_id))
    return document_of(PartnershipAndTerms, row, versions=versions)


async def require_partnership(connection: Connection, partnership_id: str) -> Mapping[str, Any]:
    """The periods of a partnership. Raises `UnknownPartnership`."""
    contract: Mapping[str, Any] | None = await connection.fetchrow(_SQL["contract"], partnership_id)
    if contract is None:
        raise UnknownPartnership(
            f"partnership {partnership_id} is not known: `yesser ledger partnerships` lists the known ones"
        )
    return contract


async def subjects(connection: Connection, reach: AccessScope) -> list[str]:
    """The subjects (`partnership/…`) of the partnerships in scope."""
    return [f"partnership/{row.partnership_id}" for row in await partnerships(connection, reach)]


async def strangers(connection: Connection, indexes: Sequence[int]) -> frozenset[int]:
    """Those of these entries about partnerships that are from agencies that do not own them."""
    rows = await connection.fetch(_SQL["strangers"], list(indexes), list(STRANGERS_RULES))
    return frozenset(index for (index,) in rows)


async def statement(connection: Connection, partnership_id: str, period: str) -> Statement:
    """The statement of a closed period; raises `NoStatement` with the reason if there is none."""
    fault = period_error(period)
    if fault is not None:
        raise NoSuchPeriod(fault)
    row = await connection.fetchrow(_SQL["statement"], partnership_id, period)
    if row is not None:
        return document_of(Statement, row)
    contract = await require_partnership(connection, partnership_id)
    first, last, opened = contract["first_period"], contract["last_period"], contract["open_period"]
    kind = period_kind(first)
    if period_kind(period) != kind:
        raise NoSuchPeriod(
            f"partnership {partnership_id} has no period {period}: its periods are {kind}s, {first} to {last}"
        )
    if not first <= period <= last:
        raise NoSuchPeriod(f"partnership {partnership_id} has no period {period}: its periods are {first} to {last}")
    state = "all its periods are closed" if opened is None else f"its open period is {opened}"
    raise NoStatement(
        f"period {period} of partnership {partnership_id} is not closed; {state} and its periods are {first} to {last}"
    )


async def statements(connection: Connection) -> list[Statement]:
    """All statements, by partnership and period."""
    return documents_of(Statement, await connection.fetch(_SQL["statements"]))


async def statements_of(
    connection: Connection, partnership_id: str, after: str = "", rows_max: int | None = None
) -> list[Statement]:
    """The statements of a partnership, from the period after `after`."""
    return documents_of(Statement, await connection.fetch(_SQL["statements_of"], partnership_id, after, rows_max))


async def transfers(
    connection: Connection,
    partnership_id: str,
    after: tuple[int, int] = (-1, -1),
    rows_max: int | None = None,
    account_kind: str | None = None,
) -> list[Transfer]:
    """The transfers of a partnership, or of one account of it, in log order, from the one after `after` (index, line).

    `window` is 0 for the whole life, else the contract year. A top-up or recovery has no window, a payout no version.
    """
    kinds = [kind for kind, sides in SIDES.items() if account_kind is None or account_kind in sides]
    rows = await connection.fetch(_SQL["transfers"], partnership_id, *after, rows_max, kinds)
    return [document_of(Transfer, row, rule=RULES[row["kind"]]) for row in rows]


async def partnerships_of_plan(
    connection: Connection, owner: str | None = None, rows_max: int | None = None
) -> list[SharedRevenue]:
    """The `partnerships` of `yesser plan`, by id: the first `rows_max`, of this owner.

    `treasury_halalas` is the net minus the partner's part.
    """
    ids = [row["partnership_id"] for row in await connection.fetch(_SQL["first_partnerships"], owner, rows_max)]
    accounts = [account_name(kind, found) for found in ids for kind in (COLLECTIONS, PARTNER_PAYABLE, CASH)]
    return documents_of(SharedRevenue, await connection.fetch(_SQL["partnerships_of_plan"], ids, accounts))


async def partnerships_count(connection: Connection, owner: str | None = None) -> int:
    """The number of partnerships, of this owner."""
    count: int = await connection.fetchval(_SQL["partnerships_count"], owner)
    return count
