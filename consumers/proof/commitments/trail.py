"""The hash of the trail, which is committed like that of a read model: after so many rows, the chain stood at it.

It needs no fold, and the log does not give it: the chain is read again up to the number of rows that a commitment
names.

Verifies the chain of the trail: every link again from its row and the hash before it.

Flows in: links and rows in the order of the chain. Flows out: the hash at some positions, and the first row that was
changed, removed or inserted. Somebody who wrote the whole chain again is found by the hashes that are in the log.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from consumers.documents.log.commitments import Claim, Status
from consumers.proof.commitments.claims import Acknowledgement, said_among, sorted_out, status_of
from consumers.replay.fold.table_hash import TableHash
from infra.log.authority import Difference, TableDiffers
from infra.log.reader import entry_batches, log_size
from infra.postgres.connection import Connection
from infra.postgres.sql import queries
from infra.postgres.trail import BEFORE_THE_FIRST, link_hash

TABLE: Final = "platform.trail"
_PREFETCH_ROWS: Final = 1_000
_CHAIN: Final = queries("consumers.proof.database_audit", "database.sql")
TRAIL: Final = "trail"
"""The name in commitments. Read models have a dot in theirs."""
LOST: Final = {
    "ar": "استُعيدت قاعدة البيانات من نسخة، وفُقدت صفوف سجل الإجراءات التي كُتبت بعدها.",
    "en": "The database was restored from a copy. The rows of the trail that were written after it are lost.",
}
"""Why a commitment to such rows is acknowledged."""
_SQL: Final = queries("consumers.proof.commitments", "commit.sql")


@dataclass(slots=True)
class Chain:
    """The chain up to `position`, with the hash there. `fault`: the first row that is not what was chained."""

    position: int = -1
    sha256: bytes = BEFORE_THE_FIRST
    hashes: dict[int, str] = field(default_factory=dict)
    fault: Difference | None = None

    def add(self, row: Mapping[str, Any]) -> None:
        """The next link with its row, in the order of the positions; a row without a link has none and comes last."""
        due, position = self.position + 1, row["position"]
        if position is None:
            self.fault = _fault(row, {"command": row["command"]}, "no row: it was inserted without its link")
        elif position != due:
            self.fault = Difference(TABLE, f"position {due}", None, "a row: it was removed with its link", None)
        elif due and row["command"] is None:
            self.fault = _fault(row, None, "a row: it was removed")
        else:
            computed = link_hash(self.sha256, due, row) if due else BEFORE_THE_FIRST
            if computed != row["sha256"]:
                said = {name: row[name] for name in ("role", "account", "operator", "command")}
                self.fault = _fault(row, said, f"a row whose link has the hash {row['sha256'].hex()}")
            self.position, self.sha256 = due, computed


async def read_chain(connection: Connection, counts: Collection[int] = ()) -> Chain:
    """The whole chain, with the hashes after so many rows. It ends at the first fault."""
    chain = Chain()
    async with connection.transaction():
        async for row in connection.cursor(_CHAIN["trail"], prefetch=_PREFETCH_ROWS):
            chain.add(row)
            if chain.fault is not None:
                break
            if chain.position in counts:
                chain.hashes[chain.position] = chain.sha256.hex()
    return chain


def _fault(row: Mapping[str, Any], found: Any, expected: str) -> Difference:
    where = "no position" if row["position"] is None else f"position {row['position']}"
    return Difference(TABLE, f"{where}, row {row['row_id']}", found, expected, None)


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


async def said_in_log(connection: Connection, first: int = 0) -> tuple[list[Claim], list[Acknowledgement]]:
    """Every commitment in the log from an entry on, and what was acknowledged of them, in log order."""
    batches = entry_batches(connection, first, await log_size(connection))
    return sorted_out([said async for at, raws in batches for said in said_among(at, raws)])


async def lost_claims(connection: Connection) -> list[Claim]:
    """The commitments, not yet acknowledged, to rows of the trail that a restored copy lacks.

    They are in entries that were recovered: each recovery notes in the trail where the log ended before it. An older
    commitment that the trail does not give is no loss: somebody changed the trail.
    """
    first = await connection.fetchval(_SQL["recovered_from"])
    if first is None:
        return []
    claims, acknowledgements = await said_in_log(connection, first)
    hashes = await hash_trail(connection, claims)
    return [
        claim
        for claim in claims
        if claim.name == TRAIL
        and status_of(claim, hashes.get((TRAIL, claim.log_index)), acknowledgements=acknowledgements) is Status.WRONG
    ]
