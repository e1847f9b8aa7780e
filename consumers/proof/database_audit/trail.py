"""Verifies the chain of the trail: every link again from its row and the hash before it.

Flows in: links and rows in the order of the chain. Flows out: the hash at some positions, and the first row that was
changed, removed or inserted. Somebody who wrote the whole chain again is found by the hashes that are in the log.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from infra.log.authority import Difference
from infra.postgres.connection import Connection
from infra.postgres.sql import queries
from infra.postgres.trail import BEFORE_THE_FIRST, link_hash

TABLE: Final = "platform.trail"
_PREFETCH_ROWS: Final = 1_000
_SQL: Final = queries("consumers.proof.database_audit", "database.sql")


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
        async for row in connection.cursor(_SQL["trail"], prefetch=_PREFETCH_ROWS):
            chain.add(row)
            if chain.fault is not None:
                break
            if chain.position in counts:
                chain.hashes[chain.position] = chain.sha256.hex()
    return chain


def _fault(row: Mapping[str, Any], found: Any, expected: str) -> Difference:
    where = "no position" if row["position"] is None else f"position {row['position']}"
    return Difference(TABLE, f"{where}, row {row['row_id']}", found, expected, None)
