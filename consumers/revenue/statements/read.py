"""Reads what a statement's working needs from the ledger in `search_path`."""

from __future__ import annotations

import base64
from operator import itemgetter
from typing import Final

from consumers.documents.document import documents_of
from consumers.documents.ledger.partnerships import ExpectedPeriod
from consumers.documents.ledger.statements import Checkpoint, Payout
from consumers.documents.names import codes_in
from consumers.replay.as_of.names import names_of
from consumers.revenue import read
from consumers.revenue.statements.working import Posting, Provenance, StatementParts, working_of
from infra.log.proofs import PROOF_PREFIX
from infra.log.reader import newest_checkpoint
from infra.postgres.connection import Connection
from infra.postgres.sql import queries

_SQL: Final = queries("consumers.revenue", "read.sql")


async def statement_parts(
    connection: Connection, partnership_id: str, period: str, public_address: str | None
) -> StatementParts:
    """`public_address`: that of the log, for the link to the proofs.

    Raises `NoStatement` for a period without one, `WrongStatement` for figures that do not follow.
    """
    statement = await read.statement(connection, partnership_id, period)
    partnership = await read.partnership(connection, partnership_id)
    assert partnership is not None, "a statement has a contract"
    rows = sorted(await connection.fetch(_SQL["postings"], partnership_id, period), key=itemgetter(0))
    postings = [Posting(*row) for row in rows]
    outstanding = await connection.fetchval(_SQL["outstanding_before"], partnership_id, period)
    payouts = documents_of(Payout, await connection.fetch(_SQL["payouts"], partnership_id))
    working = working_of(statement, partnership.versions, postings, outstanding or 0)
    provenance = await _provenance(connection, statement.closing_index, public_address)
    names = await names_of(connection, codes_in(partnership))
    return StatementParts(partnership, working, postings, payouts, provenance, names)


async def _provenance(connection: Connection, closing: int, public_address: str | None) -> Provenance | None:
    """None where no signed checkpoint covers the closing entry yet."""
    newest = await newest_checkpoint(connection)
    if newest is None or newest[0] <= closing:
        return None
    size, note = newest
    root = base64.b64decode(note.split("\n")[2]).hex()
    address = "" if public_address is None else f"{public_address.rstrip('/')}{PROOF_PREFIX}{closing}"
    return Provenance(Checkpoint(size=size, root=root), address)


async def expected_and_actual(connection: Connection, partnership_id: str) -> list[ExpectedPeriod]:
    """The periods of the term."""
    return documents_of(ExpectedPeriod, await connection.fetch(_SQL["expected"], partnership_id))


async def expected_by_version(connection: Connection, partnership_id: str) -> dict[int, int]:
    """What each version expects of the periods from its first on, in halalas."""
    rows = await connection.fetch(_SQL["expected_by_version"], partnership_id)
    return {version: int(expected) for version, expected in rows}
