"""Rotating the key of accounts and sessions, while the console runs.

Flows in: the key's files, and the rows that it sealed. Flows out: the same rows under the next key, which then is the
current one. Each process that has the files accepts both keys meanwhile, so that nobody is signed out. The same command
completes a rotation that was interrupted.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from infra.keys.hash_keys import HashKeyFiles, HashKeys
from infra.keys.rotation import Rotation, begin_hash_rotation, rotate_hash_key
from infra.keys.seals import Seals
from infra.postgres.connection import Connection
from infra.postgres.sql import queries

_SQL: Final = queries("infra.keys", "resealing.sql")


async def begin_sealing(connection: Connection) -> None:
    """Before a seal is made, in the transaction that writes it: the key is not replaced until that has ended."""
    await connection.execute(_SQL["begin_sealing"])


async def rotate_accounts_key(
    connection: Connection, files: HashKeyFiles, overlap_days: int, now: datetime
) -> Rotation:
    """Seal every account and session under the next key, and put it in use. `connection` is the administrator's.

    A row that has no seal of a valid key gets none. Raises `CannotRotate`, `InvalidKey`.
    """
    await connection.execute(_SQL["begin_rotation"])  # until the connection ends, also by a kill
    try:
        await _reseal(connection, files, begin_hash_rotation(files, overlap_days, now))
        return rotate_hash_key(files, overlap_days, now)
    finally:
        await connection.execute(_SQL["end_rotation"])


async def _reseal(connection: Connection, files: HashKeyFiles, keys: HashKeys) -> None:
    known, new = Seals(keys.current.secret, files), Seals((keys.next or keys.current).secret)
    async with connection.transaction():
        accounts = [row for row in await connection.fetch(_SQL["accounts"]) if known.is_account(row)]
        await connection.executemany(_SQL["seal_account"], [(row["username"], new.of_account(row)) for row in accounts])
        members = ("session_sha256", "username", "csrf", "created_at", "sid_sha256")
        sessions = [
            (row["session_sha256"], new.of_session(*(row[name] for name in members)))
            for row in await connection.fetch(_SQL["sessions"])
            if known.is_session(row)
        ]
        await connection.executemany(_SQL["seal_session"], sessions)
