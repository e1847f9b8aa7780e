"""The hash of the rotations of the log's key, which is committed like that of a read model: so they are in the log.

It covers the rows of `log.key_history` up to the index of the commitment, and needs no fold: the registrar writes them.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Final

from consumers.replay.fold.table_hash import TableHash
from events.wire.codec import canonical_bytes
from infra.postgres.connection import Connection
from infra.postgres.sql import queries

LOG_KEYS: Final = "log-keys"
"""The name in commitments. Read models have a dot in theirs."""

_SQL: Final = queries("consumers.proof.commitments", "commit.sql")


async def hash_log_keys(connection: Connection, log_index: int) -> TableHash:
    """The hash of the rotations before the entry `log_index`."""
    rows = await connection.fetch(_SQL["log_keys"], log_index)
    lines = [canonical_bytes(dict(row)) + b"\n" for row in rows]
    return TableHash(LOG_KEYS, len(rows), sha256(b"".join(lines)).hexdigest())
