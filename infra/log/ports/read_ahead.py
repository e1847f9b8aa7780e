"""Reads and parses the entries of the log in PostgreSQL, a batch ahead of the one that is applied."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from typing import Final

from events.wire.entry import Entry, parse_entry
from infra.log.reader import READ_BYTES, Segment, checked_entries, read_checked, read_segments
from infra.postgres.connection import Connection

BATCH_ENTRIES: Final = 8_192
"""Enough to amortise statements, few enough to keep two batches in memory."""


async def parsed_entries(
    connection: Connection, first: int, end: int, entries_max: int = BATCH_ENTRIES, bytes_max: int = READ_BYTES
) -> AsyncGenerator[list[Entry], None]:
    """The entries `first … end - 1`, as far as the log has them, in batches of at most `bytes_max`, or of one entry.

    The connection is used only when the next batch is asked for; that batch is then parsed while the one before it is
    applied. Raises `ChangedEntry`, and `ValueError` for what is no entry. Close it (`aclosing`).
    """
    ahead = await _ahead(connection, first, min(entries_max, end - first), bytes_max)
    try:
        while parts := await ahead:
            first = parts[-1][-1].index + 1
            ahead = await _ahead(connection, first, min(entries_max, end - first), bytes_max)
            for entries in parts:
                yield entries
    finally:
        ahead.cancel()


async def read_parsed(connection: Connection, first: int, limit: int, bytes_max: int = READ_BYTES) -> list[Entry]:
    """At most `limit` entries from `first` on, as many as `bytes_max` allows. Raises as `parsed_entries` does."""
    raw = await read_checked(connection, first, limit, bytes_max)
    return [parse_entry(first + number, text) for number, text in enumerate(raw)]


async def _ahead(connection: Connection, first: int, limit: int, bytes_max: int) -> asyncio.Task[list[list[Entry]]]:
    """Read the next segments; a task checks and parses them."""
    segments = await read_segments(connection, first, limit, bytes_max) if limit > 0 else []
    return asyncio.create_task(_parsed(segments, first, limit, bytes_max))


async def _parsed(segments: Sequence[Segment], first: int, limit: int, bytes_max: int) -> list[list[Entry]]:
    """The entries in parts of at most `bytes_max`: a segment is read as a whole, however large it is."""
    parts: list[list[Entry]] = []
    size, index = 0, first
    for segment in segments:
        for raw in checked_entries(segment, first, limit):
            size += len(raw)
            if not parts or size > bytes_max:
                parts.append([])
                size = len(raw)
            parts[-1].append(parse_entry(index, raw))
            index += 1
        await asyncio.sleep(0)  # the task that writes goes on
    return parts
