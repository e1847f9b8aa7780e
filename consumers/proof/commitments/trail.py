"""The hash of the trail, which is committed like that of a read model: after so many rows, the chain stood at it.

It needs no fold, and the log does not give it: the chain is read again up to the number of rows that a commitment
names (`consumers.proof.database_audit.trail`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from consumers.documents.log.commitments import Claim, Status
from consumers.proof.commitments.claims import Acknowledgement, said_among, sorted_out, status_of
from consumers.proof.database_audit.trail import TABLE, read_chain
from consumers.replay.fold.table_hash import TableHash
from infra.log.authority import Difference, TableDiffers
from infra.log.reader import entry_batches, log_size
from infra.postgres.connection import Connection
from infra.postgres.sql import queries

TRAIL: Final = "trail"
"""The name in commitments. Read models have a dot in theirs."""
LOST: Final = {
    "ar": "استُعيدت قاعدة البيانات من نسخة، وفُقدت صفوف سجل الإجراءات التي كُتبت بعدها.",
    "en": "The database was restored from a copy. The rows of the trail that were written after it are lost.",
}
"""Why a commitment to such rows is acknowledged."""
_SQL: Final = queries("consumers.proof.commitments", "commit.sql")


async def hash_trail(connection: Connection, claims: Iterable[Claim]) -> dict[tuple[str, int], TableHash]:
    """What the trail gives for its commitments, by name and index; nothing for one of more rows than it has."""
    counts = {claim.log_index: claim.rows for claim in claims if claim.name == TRAIL}
    chain = await read_chain(connection, set(counts.values())) if counts else None
    hashes = {} if chain is None else chain.hashes
    return {(TRAIL, index): TableHash(TRAIL, rows, hashes[rows]) for index, rows in counts.items() if rows in hashes}


async def compare_trail(
    connection: Connection, claims: Sequence[Claim], acknowledgements: Sequence[Acknowledgement]
) -> int:
    """How many rows the trail has. Raises `TableDiffers` for the first row that is not what was chained, and where the
    chain is another one than the log's commitments name."""
    claims = [claim for claim in claims if claim.name == TRAIL]
    chain = await read_chain(connection, {claim.rows for claim in claims})
    if chain.fault is not None:
        raise TableDiffers(chain.fault)
    for claim in claims:
        sha256 = chain.hashes.get(claim.rows)
        hashed = None if sha256 is None else TableHash(TRAIL, claim.rows, sha256)
        if status_of(claim, hashed, acknowledgements=acknowledgements) is Status.WRONG:
            has = sha256 or f"{chain.position} rows"
            raise TableDiffers(Difference(TABLE, f"its first {claim.rows} rows", has, claim.sha256, claim.index))
    return chain.position


async def lost_claims(connection: Connection) -> list[Claim]:
    """The commitments, not yet acknowledged, to rows of the trail that a restored copy lacks.

    They are in entries that were recovered: each recovery notes in the trail where the log ended before it. An older
    commitment that the trail does not give is no loss: somebody changed the trail.
    """
    first = await connection.fetchval(_SQL["recovered_from"])
    if first is None:
        return []
    batches = entry_batches(connection, first, await log_size(connection))
    claims, acknowledgements = sorted_out([one async for at, raws in batches for one in said_among(at, raws)])
    hashes = await hash_trail(connection, claims)
    return [
        claim
        for claim in claims
        if claim.name == TRAIL
        and status_of(claim, hashes.get((TRAIL, claim.log_index)), acknowledgements=acknowledgements) is Status.WRONG
    ]
