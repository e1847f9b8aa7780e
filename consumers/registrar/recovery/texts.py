"""The texts of a recovery: what their topic, mirrors and exports still have of the entries that come back.

They are read once, before anything is written, into a database of SQLite that is a file without a name: the topic has
the texts of the whole log, in no order of their entries, and nothing of them is left on the disk afterwards.
"""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, closing

from consumers.registrar.topics.texts_topic import checked_text, read_texts, text_key, text_of
from events.wire.texts import Text
from infra.log.ports.bundle_texts import BundleText, TextKey
from infra.settings import Settings

FolderTexts = Callable[[int], Iterator[BundleText]]
"""The texts of a mirror or an export, of the entries from an index on."""


class RecoveredTexts:
    """Texts by index, member and hash: of several that a place is said to have, its entry tells the right one."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        database.execute(
            "CREATE TABLE text (entry INTEGER, member TEXT, sha256 BLOB, salt BLOB, written BLOB,"
            " PRIMARY KEY (entry, member, sha256)) WITHOUT ROWID"
        )

    def keep(self, index: int, text: Text | None) -> None:
        """Keep a text of the entry at `index`; not where it is None, since it does not give its hash."""
        if text is not None:
            row = (index, text.member, text.sha256, text.salt, text.written)
            self._database.execute("INSERT OR IGNORE INTO text VALUES (?, ?, ?, ?, ?)", row)

    def withhold(self, texts: Iterable[TextKey]) -> None:
        """Delete what the log withholds, which does not come back even for a moment."""
        self._database.executemany("DELETE FROM text WHERE entry = ? AND member = ?", texts)

    def of(self, first: int, end: int) -> Mapping[tuple[int, str, bytes], Text]:
        """The texts of the entries `first … end - 1`."""
        rows = self._database.execute(
            "SELECT entry, member, written, salt, sha256 FROM text WHERE entry >= ? AND entry < ?", (first, end)
        )
        return {(index, text[0], text[-1]): Text(*text) for index, *text in rows}


@asynccontextmanager
async def found_texts(
    settings: Settings, first: int, folders: Sequence[FolderTexts] = ()
) -> AsyncIterator[RecoveredTexts]:
    """The texts of entries from `first` on that the topic or one of the folders has. What the topic deletes is taken
    from no folder. Raises `CorruptBatch`."""
    with closing(sqlite3.connect("")) as database:
        texts = RecoveredTexts(database)
        for folder in folders:
            for text in folder(first):
                texts.keep(text.index, checked_text(text))
        async for records in read_texts(settings):
            for record in records:
                key = text_key(record)
                if key is None or key[0] < first:
                    continue
                if record.value is None:
                    texts.withhold([key])
                else:
                    texts.keep(key[0], text_of(record.value))
        yield texts
