"""Entries that no checkpoint covers: a log that grew is signed each second, and one that is not needs an operator."""

from __future__ import annotations

from typing import Final

from events.wire.entry import parse_entry
from infra.log.reader import read_unchecked
from infra.postgres.connection import Connection
from infra.postgres.sql import queries

UNSIGNED_MAX_S: Final = 10.0
"""The longest that entries wait for a checkpoint while all is well."""
_SQL: Final = queries("infra.log", "unsigned.sql")


class Unsigned:
    """Watches the sizes of the log and of its newest checkpoint. Pure: both and the time come in by argument."""

    def __init__(self) -> None:
        self._signed: int | None = None
        self._since = 0.0

    def look(self, size: int, signed: int, now: float) -> str | None:
        """What to report once nothing has been signed for `UNSIGNED_MAX_S` although the log grew."""
        if signed >= size:
            self._signed = None
        elif signed != self._signed:
            self._signed, self._since = signed, now
        elif now - self._since > UNSIGNED_MAX_S:
            return _report(signed)
        return None


async def read_unsigned(connection: Connection) -> str | None:
    """The same from the database, by the time of the newest checkpoint and of the first entry after it."""
    row = await connection.fetchrow(_SQL["signed"], UNSIGNED_MAX_S)
    if row is None:
        return None
    # Only its time counts, for an alarm that must not depend on the entry's bytes.
    entries = await read_unchecked(connection, row["signed"], 1)
    recorded = parse_entry(row["signed"], entries[0]).recorded if entries else None
    is_old = recorded is None or await connection.fetchval(_SQL["is_old"], recorded, UNSIGNED_MAX_S)
    return _report(row["signed"]) if is_old else None


def _report(signed: int) -> str:
    return (
        f"the entries from {signed} on have had no checkpoint for more than {UNSIGNED_MAX_S:.0f} s: the log of the"
        " registrar says why (docs/runbook.md)"
    )
