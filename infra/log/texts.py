"""The free texts of entries, read beside them and put back where an entry is shown
(docs/decisions/texts-that-can-be-withheld.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from events.wire.entry import has_texts
from events.wire.texts import hashes_in, put_back
from infra.postgres.connection import Connection
from infra.postgres.sql import queries

_SQL: Final = queries("infra.log", "reader.sql")


async def with_texts(connection: Connection, entries: Sequence[bytes]) -> list[bytes]:
    """The entries as they are shown: with their texts, or in the place of each that is withheld, that it is."""
    texts = {found: shown for found, (shown, _) in (await _texts_of(connection, entries)).items()}
    return [put_back(raw, texts) if has_texts(raw) else raw for raw in entries]


async def sent_entries(connection: Connection, entries: Sequence[bytes]) -> list[bytes | None]:
    """The entries with the bytes of their events as they were sent; None where a text is withheld or lost."""
    found = await _texts_of(connection, entries)
    texts = {place: text for place, (text, is_there) in found.items() if is_there}
    with_all = (texts.keys() >= set(hashes_in(raw)) if has_texts(raw) else True for raw in entries)
    return [put_back(raw, texts) if whole else None for raw, whole in zip(entries, with_all, strict=True)]


async def _texts_of(connection: Connection, entries: Sequence[bytes]) -> dict[str, tuple[bytes, bool]]:
    """By the hashes in these entries: what is read in their places, and whether it is the text."""
    hashes = [found for raw in entries if has_texts(raw) for found in hashes_in(raw)]
    if not hashes:
        return {}
    rows = await connection.fetch(_SQL["texts"], [bytes.fromhex(found) for found in hashes])
    return {row["sha256"].hex(): (row["value"].encode(), row["is_there"]) for row in rows}
