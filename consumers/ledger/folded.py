"""The revenue ledger of some entries, in a file of its own: supposed histories are folded like real ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from consumers.offline.store import SqliteStore
from consumers.revenue.consumer import CONSUMER as REVENUE
from events.wire.entry import Entry
from infra.postgres.unit_of_work import Table

BATCH_ENTRIES: Final = 8_192


@contextmanager
def folded(entries: Sequence[Entry], *, without: Sequence[Table[Any]] = ()) -> Iterator[SqliteStore]:
    """The read models after these entries. Append-only tables `without` are not kept."""
    with TemporaryDirectory() as folder:
        store = SqliteStore(Path(folder) / "ledger.sqlite", REVENUE, without=without)
        try:
            for first in range(0, len(entries), BATCH_ENTRIES):
                store.apply(entries[first : first + BATCH_ENTRIES])
            yield store
        finally:
            store.close()
