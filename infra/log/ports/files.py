"""Entries of files, such as a mirror's, that the log in PostgreSQL proves: nothing of them is believed before.

Flows in: bundles of 256 entries, and the hashes of the database's own tree. Flows out: parsed entries in batches. The
files' signed checkpoint is compared with that tree once, and each bundle before its entries are used, so PostgreSQL
reads one hash for each bundle instead of its entries.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Final

from events.errors import Tampered, YesserError
from events.wire.entry import Entry, parse_entry
from infra.log.layout import TILE, tile_path
from infra.log.merkle import complete_root, leaf_hash
from infra.log.ports.port import LogPort
from infra.log.proofs import tree_root
from infra.log.reader import READ_BYTES, StoredHashes, log_size, stored_hashes
from infra.postgres.connection import Connection

_BUNDLES_AT_ONCE: Final = 32
"""Bundles whose hashes are read together."""


class OtherLog(YesserError):
    """These files are not of the log in this database: give a mirror of it, or leave the files out."""


class ChangedFiles(Tampered):
    """The files are not what the log in the database says: keep them, find out what changed them, and mirror the log
    again to another folder."""


class ProvenFiles:
    """The first `size` entries of the log, from files. `connection` reads the hashes, and is used for nothing else."""

    def __init__(self, files: LogPort, connection: Connection, size: int) -> None:
        self.size = size
        self._files = files
        self._connection = connection

    async def parsed(
        self, first: int, end: int, entries_max: int, bytes_max: int = READ_BYTES
    ) -> AsyncGenerator[list[Entry], None]:
        """The entries `first … end - 1` in batches of about `entries_max`; the next one is read while one is applied.

        A batch ends with its bundle. Raises `ChangedFiles`, and what the files raise. Close it (`aclosing`).
        """
        bundles_max = max(1, entries_max // TILE)
        ahead = asyncio.create_task(self._batch(first, end, bundles_max, bytes_max))
        try:
            while entries := await ahead:
                first = entries[-1].index + 1
                ahead = asyncio.create_task(self._batch(first, end, bundles_max, bytes_max))
                yield entries
        finally:
            ahead.cancel()

    async def _batch(self, first: int, end: int, bundles_max: int, bytes_max: int) -> list[Entry]:
        entries: list[Entry] = []
        size, number = 0, first // TILE
        last = min(number + min(bundles_max, _BUNDLES_AT_ONCE), -(-end // TILE))
        roots = await stored_hashes(self._connection, 1, number, last - number) if first < end else []
        while first < end and number < last and size < bytes_max:
            bundle = await self._bundle(number, roots.pop(0) if roots else None)
            wanted = bundle[first - number * TILE : end - number * TILE]
            entries += [parse_entry(first + place, raw) for place, raw in enumerate(wanted)]
            size += sum(map(len, wanted))
            first, number = first + len(wanted), number + 1
            await asyncio.sleep(0)  # the task that writes goes on
        return entries

    async def _bundle(self, number: int, root: bytes | None) -> list[bytes]:
        """The entries of a bundle. The tree has no `root` of one that is not full: its leaves are compared."""
        start = number * TILE
        bundle = await self._files.entries(start, min(TILE, self.size - start))
        leaves = list(map(leaf_hash, bundle))
        if root is not None and len(leaves) == TILE:
            is_proven = complete_root(leaves) == root
        else:
            is_proven = leaves == await stored_hashes(self._connection, 0, start, len(leaves))
        if not is_proven:
            raise ChangedFiles(f"{tile_path('entries', number, len(bundle))}: {ChangedFiles.__doc__}")
        return bundle


async def prove_files(files: LogPort, connection: Connection) -> ProvenFiles:
    """The files as a part of the log in PostgreSQL. Raises `OtherLog` unless its tree had their signed root at their
    size, `InvalidNote` for a checkpoint that the log did not sign, and `NotThere` where there is none."""
    checkpoint = await files.checkpoint()
    size = await log_size(connection)
    if checkpoint.size > size:
        raise OtherLog(
            f"The files have {checkpoint.size} entries, and the database {size}: its newest entries may be lost"
            " (`yesser recover`), or the files are of another log."
        )
    root = await tree_root(StoredHashes(connection), checkpoint.size)
    if root != checkpoint.root:
        raise OtherLog(
            f"{OtherLog.__doc__} After {checkpoint.size} entries its root is {root.hex()}, and theirs"
            f" {checkpoint.root.hex()}."
        )
    return ProvenFiles(files, connection, checkpoint.size)
