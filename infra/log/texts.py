"""The free texts of entries, read beside them and put back where an entry is shown
(docs/decisions/texts-that-can-be-withheld.md).

Proofs, folds and hashes use the entries as they are (`reader`); what people and receivers read goes through here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from events.wire.entry import has_texts
from events.wire.texts import hashes_in, put_back
from infra.log.reader import chosen_entries
from infra.postgres.connection import Connection
from infra.postgres.sql import queries

_SQL: Final = queries("infra.log", "reader.sql")


async def shown_entries(connection: Connection, indexes: Sequence[int]) -> list[tuple[int, bytes]]:
    """The entries of these ascending indexes, which the log has, as they are shown, with the index of each.

    Raises `ChangedEntry`.
    """
    entries = [entry async for entry in chosen_entries(connection, indexes)]
    shown = await with_texts(connection, [raw for _, raw in entries])
    return [*zip((index for index, _ in entries), shown, strict=True)]


async def with_texts(connection: Connection, entries: Sequence[bytes]) -> list[bytes]:
    """The entries as they are shown: with their texts, or in the place of each that is withheld, that it is."""
    texts = await texts_of(connection, _hashes_of(entries))
    return [put_back(raw, texts) if has_texts(raw) else raw for raw in entries]


async def sent_entries(connection: Connection, entries: Sequence[bytes]) -> list[bytes | None]:
    """The entries with the bytes of their events as they were sent; None where a text is withheld or lost."""
    texts = await texts_of(connection, _hashes_of(entries), only_sent=True)
    with_all = (texts.keys() >= set(hashes_in(raw)) if has_texts(raw) else True for raw in entries)
    return [put_back(raw, texts) if whole else None for raw, whole in zip(entries, with_all, strict=True)]


async def texts_of(connection: Connection, hashes: Sequence[str], *, only_sent: bool = False) -> dict[str, bytes]:
    """Hash in hexadecimal → the JSON that is read in its place; a hash that is of no text of the log has none.

    `only_sent`: not where the text is withheld or lost.
    """
    if not hashes:
        return {}
    rows = await connection.fetch(
        _SQL["sent_texts" if only_sent else "texts"], [bytes.fromhex(found) for found in hashes]
    )
    return {row["sha256"].hex(): row["value"].encode() for row in rows}


def _hashes_of(entries: Sequence[bytes]) -> list[str]:
    return [found for raw in entries if has_texts(raw) for found in hashes_in(raw)]
