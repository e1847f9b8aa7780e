"""Reads the national log in PostgreSQL: entries by index, leaf hashes, nodes, tree, size. It never writes.

Whatever is computed from entries or shown of them uses `read_checked`, which compares each entry with its hash.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final, NamedTuple

from events.errors import Tampered
from infra.log.bundle import DamagedBundle, split_bundle
from infra.log.key_history import Transition, parse_transition
from infra.log.layout import HASH_BYTES, TILE, split_hashes
from infra.log.merkle import TileTree
from infra.log.recorded_times import recorded_by
from infra.log.signed_note import Verifier, other_signers
from infra.postgres.connection import Connection
from infra.postgres.sql import queries

READ_BYTES: Final = 16 << 20
"""The most bytes of one read, where the caller states no limit of its own: more than those of any 256 entries of one
bundle, which has at most 59,653 bytes an entry."""
CHOSEN_MAX: Final = 256
"""Entries of one query of `chosen_entries`: each may be in a segment of its own."""
_SQL: Final = queries("infra.log", "reader.sql")
_WRONG_HASH: Final = "its bytes do not give its hash in the log's tree"


class ChangedEntry(Tampered):
    """An entry in the database was changed after it was registered: keep everything as it is and follow the runbook."""

    def __init__(self, index: int, reason: str) -> None:
        self.index = index
        super().__init__(
            f"entry {index} of the log was changed after it was registered ({reason}): suspect tampering, keep "
            'everything as it is and see the runbook ("The log was changed")'
        )


class Segment(NamedTuple):
    """A row of the log: its first index, its entries with their lengths, and their leaf hashes."""

    start: int
    data: bytes
    leaves: bytes

    @property
    def end(self) -> int:
        """The index behind its last entry."""
        return self.start + len(self.leaves) // HASH_BYTES


async def log_size(connection: Connection) -> int:
    size: int = await connection.fetchval(_SQL["size"])
    return size


async def read_rotations(connection: Connection) -> list[Transition]:
    """The rotations of the log's key, in order. Raises `InvalidNote` for a row that is none."""
    return [*map(parse_transition, await rotation_notes(connection))]


async def rotation_notes(connection: Connection) -> list[str]:
    """The signed notes of the rotations of the log's key, in order, not verified."""
    return [note for (note,) in await connection.fetch(_SQL["key_history"])]


async def read_checked(connection: Connection, first: int, limit: int, bytes_max: int = READ_BYTES) -> list[bytes]:
    """The entries `first … first + limit - 1`, as far as they exist and `read_segments` reads them.

    Raises `ChangedEntry` at the first entry that does not match its leaf hash.
    """
    segments = await read_segments(connection, first, limit, bytes_max)
    return [entry for segment in segments for entry in checked_entries(segment, first, limit)]


async def read_unchecked(connection: Connection, first: int, limit: int) -> list[bytes]:
    """The same as they are stored, for those who compare them themselves or show what was changed.

    Raises `ChangedEntry` where they cannot be told apart.
    """
    segments = await read_segments(connection, first, limit, READ_BYTES)
    return [entry for segment in segments for entry in unchecked_entries(segment, first, limit)]


async def entries_recorded_by(connection: Connection, instant: datetime) -> int:
    """The number of entries recorded at or before `instant`."""
    return await recorded_by(instant, await log_size(connection), lambda index: read_checked(connection, index, 1))


async def entries_recorded_before(connection: Connection, instant: datetime) -> int:
    """The number of entries recorded before `instant`, which is the index of the first one recorded from then on."""
    return await entries_recorded_by(connection, instant - timedelta(microseconds=1))


async def chosen_entries(
    connection: Connection, indexes: Sequence[int], bytes_max: int = READ_BYTES
) -> AsyncIterator[tuple[int, bytes]]:
    """The entries of these ascending indexes, which the log has, with the index of each; at most `bytes_max`, or one
    segment, are read at once.

    Raises `ChangedEntry` for one that does not match its leaf hash; the others of its segment are not compared.
    """
    at = 0
    while at < len(indexes):
        before, wanted = at, indexes[at : at + CHOSEN_MAX]
        segments = [Segment(*row) for row in await connection.fetch(_SQL["chosen_segments"], wanted, bytes_max)]
        for number, segment in enumerate(segments, 1):
            # What is behind the last one is in a segment that was not read, or in none.
            end = segments[number].start if number < len(segments) else segment.end
            own = wanted[bisect_left(wanted, segment.start) : bisect_left(wanted, end)]
            for pair in zip(own, _chosen_entries(segment, own), strict=True):
                yield pair
            at += len(own)
        if at == before:
            raise ChangedEntry(wanted[0], "it is missing")


async def read_segments(connection: Connection, first: int, limit: int, bytes_max: int) -> list[Segment]:
    """The first segments that hold the entries `first … first + limit - 1`, as far as they exist: as many as have
    `bytes_max` in all, and at least one. Raises `ChangedEntry` where one before the last is missing."""
    segments = [Segment(*row) for row in await connection.fetch(_SQL["segments"], first, first + limit, bytes_max)]
    for segment in segments:
        if segment.start > first:
            raise ChangedEntry(first, "it is missing")
        first = segment.end
    return segments


def unchecked_entries(segment: Segment, first: int, limit: int) -> list[bytes]:
    """Those of the entries that the segment holds. Raises `ChangedEntry` where they cannot be told apart."""
    start, data, leaves = segment
    try:
        entries = split_bundle(data)
    except DamagedBundle as damaged:
        raise ChangedEntry(start + len(damaged.whole), "the lengths in its bundle do not fit") from None
    if len(entries) * HASH_BYTES != len(leaves):
        raise ChangedEntry(start + _first_wrong(entries, leaves), _WRONG_HASH)
    return entries[max(0, first - start) : max(0, first + limit - start)]


def checked_entries(segment: Segment, first: int, limit: int) -> list[bytes]:
    """Those of the entries that the segment holds. Raises `ChangedEntry`."""
    start, data, leaves = segment
    entries = _split(data)
    if b"".join([sha256(b"\x00" + entry).digest() for entry in entries]) != leaves:
        raise ChangedEntry(start + _first_wrong(entries, leaves), _WRONG_HASH)
    return entries[max(0, first - start) : max(0, first + limit - start)]


def _chosen_entries(segment: Segment, indexes: Sequence[int]) -> list[bytes]:
    start, data, leaves = segment
    entries = _split(data)
    numbers = [index - start for index in indexes]
    if not all(number < len(entries) and _is_right(entries, leaves, number) for number in numbers):
        raise ChangedEntry(start + _first_wrong(entries, leaves), _WRONG_HASH)
    return [entries[number] for number in numbers]


def _split(data: bytes) -> list[bytes]:
    """The entries of a bundle; of a damaged one, those before the damage."""
    try:
        return split_bundle(data)
    except DamagedBundle as damaged:
        return damaged.whole


def _is_right(entries: list[bytes], leaves: bytes, number: int) -> bool:
    return sha256(b"\x00" + entries[number]).digest() == leaves[HASH_BYTES * number : HASH_BYTES * (number + 1)]


def _first_wrong(entries: list[bytes], leaves: bytes) -> int:
    """The first entry of a segment that does not match its leaf, or has none; else the first that is missing."""
    return next((number for number in range(len(entries)) if not _is_right(entries, leaves, number)), len(entries))


async def raw_bundle(connection: Connection, number: int, width: int = TILE) -> bytes:
    """The first `width` entries of a bundle as tlog-tiles writes them: uint16 length and entry, repeated."""
    data = b"".join([part.data for part in await read_segments(connection, number * TILE, width, READ_BYTES)])
    at = 0
    for _ in range(width):  # the last segment may hold more
        at += 2 + (data[at] << 8 | data[at + 1])
    return data[:at]


async def newest_checkpoint(connection: Connection) -> tuple[int, str] | None:
    """Size and note of the newest signed checkpoint, which may be some entries behind; None before the first."""
    row = await connection.fetchrow(_SQL["newest_checkpoint"])
    return None if row is None else (row["size"], row["note"])


async def cosigned_checkpoint(connection: Connection) -> tuple[int, str] | None:
    """Size and note of the newest checkpoint that enough witnesses cosigned; None where the log has none."""
    row = await connection.fetchrow(_SQL["cosigned_checkpoint"])
    return None if row is None else (row["size"], row["note"])


async def checkpoint_over(
    connection: Connection, index: int, verifier: Verifier | None = None
) -> tuple[int, str] | None:
    """Size and note of a checkpoint that covers an entry, a cosigned one if there is one; None: none does yet.

    `verifier`: one that this key signed goes first, since witnesses may not have cosigned since it replaced another.
    """
    both = (await cosigned_checkpoint(connection), await newest_checkpoint(connection))
    found = [one for one in both if one is not None and index < one[0]]
    own = [one for one in found if verifier is None or not other_signers(one[1], verifier)]
    return next(iter(own + found), None)


async def read_leaves(connection: Connection, first: int, limit: int) -> bytes:
    """The 32-byte leaf hashes of these entries, concatenated."""
    return leaves_of(await connection.fetch(_SQL["leaves"], first, first + limit), first, first + limit)


def leaves_of(segments: Iterable[tuple[int, bytes]], first: int, end: int) -> bytes:
    """The leaf hashes from `first` up to `end`, concatenated; a segment is its first index and its leaf hashes."""
    return b"".join(leaves[32 * max(0, first - start) : 32 * max(0, end - start)] for start, leaves in segments)


class StoredHashes:
    """The hashes of the database, for one proof: it asks for many parts of a few tiles, each of which is read once."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._tiles: dict[tuple[int, int], list[bytes]] = {}

    async def hashes(self, level: int, first: int, count: int) -> list[bytes]:
        """`count` hashes of one tile."""
        number, skipped = divmod(first, TILE)
        tile = self._tiles.get((level, number))
        if tile is None:
            tile = self._tiles[level, number] = await stored_hashes(self._connection, level, number * TILE, TILE)
        found = tile[skipped : skipped + count]
        if len(found) != count:
            raise LookupError(f"hashes of level {level} from {first}: {len(found)} of {count} found")
        return found


async def stored_hashes(connection: Connection, level: int, first: int, count: int) -> list[bytes]:
    """At most `count` hashes of the database."""
    if level:
        return [row["hash"] for row in await connection.fetch(_SQL["nodes"], level, first, first + count)]
    return split_hashes(await read_leaves(connection, first, count))


async def read_tree(connection: Connection, size: int) -> TileTree:
    """The tree of the first `size` entries, from the database."""
    partial: list[list[bytes]] = []
    level = 0
    while size >> 8 * level:
        count = (size >> 8 * level) % TILE
        first = (size >> 8 * level) - count
        partial.append(await stored_hashes(connection, level, first, count))
        if len(partial[-1]) != count:
            raise LookupError(
                f"the tree's level {level} lacks hashes from {first}: {len(partial[-1])} of {count} found"
            )
        level += 1
    return TileTree(size, partial)


async def entry_batches(
    connection: Connection, first: int, end: int, batch: int = 8192, bytes_max: int = READ_BYTES
) -> AsyncIterator[tuple[int, list[bytes]]]:
    """`(first index, entries)` in order from `first` to `end - 1`, checked as `read_checked` does.

    At most `batch` entries at once, and fewer where they are large.
    """
    while first < end and (entries := await read_checked(connection, first, min(batch, end - first), bytes_max)):
        yield first, entries
        first += len(entries)
