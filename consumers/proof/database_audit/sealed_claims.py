"""Compares sealed claims with those of the log, a part at a time: the registrar does not look up what they lack."""

from __future__ import annotations

from typing import Final

from consumers.registrar.claims.fingerprints import PARTS, bucket_of
from consumers.registrar.claims.sealing import intact
from infra.log.authority import Difference, TableDiffers
from infra.postgres.connection import Connection
from infra.postgres.sql import queries

TABLE: Final = "log.sealed_claims"
_LAST_CLAIM: Final = b"\xff" * 16
_SEALED: Final = queries("consumers.registrar.claims", "claims.sql")["sealed"]
_CLAIMS: Final = queries("consumers.proof.database_audit", "database.sql")["claims_of_part"]


async def compare_sealed_claims(connection: Connection, size: int) -> int:
    """The number of rows compared. In a transaction. Raises `TableDiffers`."""
    rows_count = 0
    for part in range(PARTS):
        rows = await connection.fetch(_SEALED, part, part)
        sealed, fault = intact(rows, size)
        if fault is not None:
            index = sealed[-1].end_index if sealed else 0
            raise TableDiffers(Difference(TABLE, f"part {part}", fault, "what the registrar wrote", index))
        if not sealed:
            continue
        rows_count += len(rows)
        async for claim, index in connection.cursor(_CLAIMS, bytes([part]), bytes([part]) + _LAST_CLAIM, prefetch=4096):
            bucket, fingerprint = bucket_of(int.from_bytes(claim[:4], "big")), claim[4:6]
            of_index = next((s for s in sealed if s.first_index <= index < s.end_index), None)
            if of_index is not None and not of_index.fingerprints.may_hold(bucket, fingerprint):
                raise TableDiffers(Difference(TABLE, f"part {part}", None, f"the claim {claim.hex()}", index))
    return rows_count
