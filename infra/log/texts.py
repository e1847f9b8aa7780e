"""The free texts of entries, read beside them and put back where an entry is shown
(docs/decisions/texts-that-can-be-withheld.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from events.wire.entry import has_texts
from events.wire.texts import hashes_in, put_back
from infra.postgres.connection import Connection
from infra.postgres.sql import queries

_SQL: Final = queries("infra.log", "reader.sql")


async def with_texts(connection: Connection, entries: Sequence[bytes]) -> list[bytes]:
    """The entries as they are shown: with their texts, or in the place of each that is withheld, that it is."""
    hashes = [found for raw in entries if has_texts(raw) for found in hashes_in(raw)]
    if not hashes:
        return [*entries]
    rows = await connection.fetch(_SQL["texts"], [bytes.fromhex(found) for found in hashes])
    texts = {row["sha256"].hex(): row["value"].encode() for row in rows}
    return [put_back(raw, texts) if has_texts(raw) else raw for raw in entries]


@dataclass(frozen=True, slots=True)
class StoredText:
    """A text of an entry, its salt and hash in hexadecimal. One that the entry `withheld_index` withholds has no salt,
    and `value` says so."""

    member: str
    sha256: str
    salt: str | None
    value: str
    withheld_index: int | None


async def entry_texts(connection: Connection, index: int) -> list[StoredText]:
    """The texts of one entry, by member."""
    return [StoredText(**row) for row in await connection.fetch(_SQL["entry_texts"], index)]
