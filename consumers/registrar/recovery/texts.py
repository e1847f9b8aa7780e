"""The texts of a recovery: what their topic still has of the entries that come back.

They are read once, before anything is written, into a database of SQLite that is a file without a name: the topic has
the texts of the whole log, in no order of their entries, and nothing of them is left on the disk afterwards.
"""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, closing
from typing import Final

from consumers.registrar.topics.texts_topic import read_texts, text_of, text_place
from events.wire.entry import TYPE_PREFIX, parse_entry
from events.wire.texts import TEXT_WITHHELD, Text, withheld_in
from infra.settings import Settings

_WITHHOLDS: Final = f'"type":"{TYPE_PREFIX}{TEXT_WITHHELD}.'.encode()


def withholds(raw: bytes) -> bool:
    """Whether the entry may withhold a text; nearly all others do not look like it."""
    return _WITHHOLDS in raw


class RecoveredTexts:
    """Texts by index and member."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        database.execute(
            "CREATE TABLE text (entry INTEGER, member TEXT, value BLOB, PRIMARY KEY (entry, member)) WITHOUT ROWID"
        )

    def keep(self, rows: Sequence[tuple[int, str, bytes | None]]) -> None:
        """Keep the values of records in their order; one without a value deletes a text."""
        self._database.executemany("INSERT OR REPLACE INTO text VALUES (?, ?, ?)", rows)

    def withhold(self, raws: Sequence[bytes]) -> None:
        """Delete what these entries withhold."""
        for entry in (parse_entry(0, raw) for raw in raws):
            if entry.type == TEXT_WITHHELD:
                self._database.execute("DELETE FROM text WHERE entry = ? AND member = ?", withheld_in(entry.data))

    def of(self, first: int, end: int) -> Mapping[tuple[int, str], Text]:
        """The texts of the entries `first … end - 1`, without those that do not give their hash."""
        rows = self._database.execute(
            "SELECT entry, member, value FROM text WHERE entry >= ? AND entry < ? AND value IS NOT NULL", (first, end)
        )
        found = {(index, member): text_of(value) for index, member, value in rows}
        return {place: text for place, text in found.items() if text is not None}


@asynccontextmanager
async def texts_in_topic(settings: Settings, first: int) -> AsyncIterator[RecoveredTexts]:
    """The texts of entries from `first` on that the topic has. Raises `CorruptBatch`."""
    with closing(sqlite3.connect("")) as database:
        texts = RecoveredTexts(database)
        async for records in read_texts(settings):
            rows = [(*text_place(record.key), record.value) for record in records]
            texts.keep([row for row in rows if row[0] >= first])
        yield texts
