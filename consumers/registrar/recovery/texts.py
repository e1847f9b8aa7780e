"""The texts of a recovery: what their topic still has of the entries that come back.

They are read once, before anything is written, into a database of SQLite that is a file without a name: the topic has
the texts of the whole log, in no order of their entries, and nothing of them is left on the disk afterwards.
"""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, closing

from consumers.registrar.topics.texts_topic import read_texts, text_key, text_of
from events.wire.texts import Text
from infra.log.ports.bundle_texts import TextKey
from infra.settings import Settings


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

    def withhold(self, texts: Iterable[TextKey]) -> None:
        """Delete what the log withholds, which does not come back even for a moment."""
        self._database.executemany("DELETE FROM text WHERE entry = ? AND member = ?", texts)

    def of(self, first: int, end: int) -> Mapping[TextKey, Text]:
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
            keys = [text_key(record) for record in records]
            rows = zip(keys, records, strict=True)
            texts.keep([(*key, record.value) for key, record in rows if key is not None and key[0] >= first])
        yield texts
