"""Fills the filter of a new owner, and seals claims in the background.

A new owner reads what is sealed, then the claims of the entries behind it. From then on it seals the oldest recent
claims as soon as they are those of a run of entries: it reads them, and writes their fingerprints one part at a
time, merged with those before. Each part is one transaction under the owner's epoch: after a crash it is sealed or not.
Sealing rests as long as it works, on a connection of its own: no batch waits for it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from itertools import groupby
from struct import iter_unpack
from typing import Any, Final

import structlog

from consumers.registrar.claims.filter import ClaimFilter
from consumers.registrar.claims.fingerprints import (
    PARTS,
    PREFIX_BYTES,
    Fingerprints,
    Sealed,
    hash_of,
    merged_at_the_end,
)
from events.errors import Retry
from infra.observability.logs import LogOnce
from infra.postgres.connection import Connection
from infra.postgres.sql import queries
from infra.process.tasks import in_thread, pause

Hold = Callable[[Connection], Awaitable[None]]
"""The first statement of an owner's transaction. Raises `Fenced`."""
WINDOW_ENTRIES: Final = 1 << 15
"""Entries whose claims are read at once, in about 30 ms."""
LOAD_BYTES: Final = 16 << 20
"""Bytes of sealed parts that are read at once; one part may have more."""
RECENT_RUNS_MAX: Final = 2
"""More runs than these are sealed before the rest is read: the first time, and after a long outage of sealing."""
LOOK_S: Final = 1.0
TRY_AGAIN_S: Final = 10.0
_SQL: Final = queries("consumers.registrar.claims", "claims.sql")

log = structlog.get_logger()


class SealedByAnother(Retry):
    """The sealed claims of a part are not those that this owner wrote: they are read again."""


async def keep_claims(
    connected: Callable[[], AbstractAsyncContextManager[Connection]],
    stop: asyncio.Event,
    claims: ClaimFilter,
    log_size: Callable[[], int],
    hold: Hold,
    try_again_s: float = TRY_AGAIN_S,
) -> None:
    """Fill `claims` and seal until `stop`. A failure is logged once and tried again: until then all claims are looked
    up, which takes longer and is as exact."""
    failing = LogOnce("claims are looked up in the database for now", "claims are found in memory again")
    while not stop.is_set():
        try:
            async with connected() as connection:
                sealing = ClaimSealing(connection, claims, log_size, hold)
                await sealing.take_over()
                failing.ends()
                while not stop.is_set():
                    if not await sealing.seal_next():
                        await pause(stop, LOOK_S)
        except Exception as error:
            failing.begins(error)
            claims.forget()
            await pause(stop, try_again_s)


class ClaimSealing:
    """Seals the claims of the log for its owner. `log_size`: that of the log as its owner has committed it, with all
    claims added."""

    def __init__(self, connection: Connection, claims: ClaimFilter, log_size: Callable[[], int], hold: Hold) -> None:
        self._connection = connection
        self._claims = claims
        self._log_size = log_size
        self._hold = hold

    async def take_over(self) -> None:
        """Read what is sealed and the claims behind it."""
        began, run_entries = time.monotonic(), self._claims.run_entries
        await self.load()
        while self._log_size() - max(self._claims.ends()) > RECENT_RUNS_MAX * run_entries:
            await self.seal_next()
        await self._read_recent()
        ends = self._claims.ends()
        seconds = round(time.monotonic() - began, 3)
        log.info("claims are found in memory", sealed_up_to=max(ends), size=self._log_size(), seconds=seconds)

    async def seal_next(self) -> bool:
        """Seal a run, if there is one; whether there was."""
        claims = self._claims
        ends = claims.ends()
        run = next_run(ends, claims.recent_from or 0, self._log_size(), claims.run_entries)
        if run is None:
            return False
        prefixes = [bytearray() for _ in range(PARTS)]
        async for window, _, _ in self._windows(run.start, run.stop):
            began = time.monotonic()
            for (prefix,) in iter_unpack(f"{PREFIX_BYTES}s", window):
                prefixes[prefix[0]] += prefix
            await asyncio.sleep(time.monotonic() - began)
        for part, end in enumerate(ends):
            if end == run.start:
                began = time.monotonic()
                await self._seal(part, run, bytes(prefixes[part]))
                await asyncio.sleep(time.monotonic() - began)
        if claims.recent_from is not None:
            claims.drop_recent()
        return True

    async def load(self) -> None:
        """Read what is sealed. What is not as it was written is deleted, and sealed again."""
        sizes = await self._connection.fetch(_SQL["sealed_bytes"])
        for first, last in _in_loads([(row["part"], row["bytes"]) for row in sizes]):
            rows = await self._connection.fetch(_SQL["sealed"], first, last)
            for part, of_part in groupby(rows, lambda row: row["part"]):
                sealed, fault = await in_thread(intact, list(of_part), self._log_size())
                if fault is not None:
                    end = sealed[-1].end_index if sealed else 0
                    log.error("sealed claims are made again", part=part, first_index=end, fault=fault)
                    await self._write(_SQL["unseal"], part, end)
                self._claims.seal(part, sealed)

    async def _read_recent(self) -> None:
        """Add the claims behind what is sealed. A part that ends long before is sealed up to here first."""
        claims, size = self._claims, self._log_size()
        claims.collect()
        ends = claims.ends()
        begin = min(end for end in ends if end >= max(ends) - claims.run_entries)
        async for window, claims_count, end in self._windows(begin, size):
            claims.add_prefixes(window, claims_count, end)
        claims.begin_recent(begin)

    async def _windows(self, begin: int, end: int) -> AsyncIterator[tuple[bytes, int, int]]:
        """The claims of entries, as their first bytes, with their number and the index at which they end."""
        for first in range(begin, end, WINDOW_ENTRIES):
            last = min(first + WINDOW_ENTRIES, end)
            row = await self._connection.fetchrow(_SQL["prefixes"], first, last)
            assert row is not None
            yield row["prefixes"] or b"", row["claims_count"], last

    async def _seal(self, part: int, run: range, prefixes: bytes) -> None:
        before = self._claims.sealed(part)
        sealed = await in_thread(_with_run, before, part, run, prefixes, self._claims.run_entries)
        last, merged_count = sealed[-1], len(before) + 1 - len(sealed)
        row = part, last.first_index, last.end_index, last.fingerprints.claims_count, last.sha256
        async with self._connection.transaction():
            await self._hold(self._connection)
            deleted = await self._connection.execute(_SQL["unseal"], part, last.first_index)
            if deleted != f"DELETE {merged_count}":
                raise SealedByAnother(SealedByAnother.__doc__)
            await self._connection.execute(_SQL["seal"], *row, last.fingerprints.data)
        self._claims.seal(part, sealed)

    async def _write(self, statement: str, *values: object) -> None:
        async with self._connection.transaction():
            await self._hold(self._connection)
            await self._connection.execute(statement, *values)


def next_run(ends: Sequence[int], recent_from: int, log_size: int, run_entries: int) -> range | None:
    """The next entries whose claims are sealed, in the parts that are sealed up to their first: those that recent
    claims reach first, then those of a part that must be sealed again. None if there are none.

    `ends`: for each part the index up to which it is sealed.
    """
    late = [end for end in ends if end < recent_from]
    first = min((end for end in ends if end >= recent_from), default=log_size)
    if first + run_entries > log_size:
        if not late:
            return None
        first = min(late)
    # Never across the end of another part: each part is sealed in ranges that follow one another.
    return range(first, min(first + run_entries, *(end for end in ends if end > first), log_size))


def intact(rows: Sequence[Mapping[str, Any]], log_size: int) -> tuple[list[Sealed], str | None]:
    """The ranges of one part that follow one another from index 0 and are as they were written, and what the next one
    is, if there is one."""
    found: list[Sealed] = []
    end = 0
    for row in rows:
        part, first_index, end_index, data = row["part"], row["first_index"], row["end_index"], row["fingerprints"]
        if first_index != end or end_index > log_size:
            return found, f"it is of entries {first_index} to {end_index} of {log_size}"
        if hash_of(part, first_index, end_index, data) != row["sha256"]:
            return found, "it has another hash"
        sealed = Sealed(part, first_index, end_index, Fingerprints(data))
        if sealed.fingerprints.claims_count != row["claims_count"]:
            return found, f"it has {sealed.fingerprints.claims_count} claims, not {row['claims_count']}"
        found.append(sealed)
        end = end_index
    return found, None


def _with_run(before: Sequence[Sealed], part: int, run: range, prefixes: bytes, run_entries: int) -> list[Sealed]:
    sealed = Sealed(part, run.start, run.stop, Fingerprints.of(prefixes))
    return merged_at_the_end([*before, sealed], run_entries)


def _in_loads(sizes: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """First and last part of each load."""
    first, total = None, 0
    for at, (part, size) in enumerate(sizes):
        first, total = part if first is None else first, total + size
        if total >= LOAD_BYTES or at == len(sizes) - 1:
            yield first, part
            first, total = None, 0
