"""How long a live consumer stands while its rows are rebuilt beside it and swapped: one run, one machine.

    python -m bench.swap [--entries N] [--rate N] [--consumer NAME] [--faults]

The log is written as the registrar would write it, and the consumer applies it from PostgreSQL. Then the log grows by
`--rate` entries a second, and `yesser rebuild NAME --swap` runs in a process of its own. What the consumer stands is
the longest time between two of its transactions. With `--faults` a rebuild is killed in its middle first, and one is
suspended at its swap. A million entries take some minutes.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from rich.console import Console

from bench.past import entries, write
from consumers.models.migrate_command import migrate_database
from consumers.models.registry import CONSUMERS
from consumers.replay.pipeline.writer import Writer
from infra.embedded.stack import running_stack
from infra.log.layout import TILE
from infra.log.merkle import leaf_hash
from infra.postgres.connection import Connection, connected
from infra.principals import SUPERUSER
from infra.process.subprocess_command import subprocess_command
from infra.settings import Settings

SEGMENT_ENTRIES = 64
QUIET_S = 10.0
"""Seconds of traffic without a rebuild, to compare with."""
AT_SWAP_S = 2.0
"""The swap is the last thing that the command does."""
AT_SWAP = (
    "SELECT EXISTS (SELECT FROM pg_locks l JOIN pg_stat_activity a USING (pid)"
    " WHERE NOT l.granted AND l.mode = 'AccessExclusiveLock' AND a.application_name LIKE 'yesser rebuild %')"
)

console = Console()


@dataclass
class Live:
    """The live consumer: its times between two transactions since `begin`, each with that of its end, in seconds."""

    began: float = field(default_factory=time.monotonic)
    moved_at: float = field(default_factory=time.monotonic)
    stands: list[tuple[float, float]] = field(default_factory=list)
    applied: int = 0

    def begin(self) -> None:
        self.began = self.moved_at = time.monotonic()
        self.stands, self.applied = [], 0

    def moved(self, entries: int) -> None:
        now = time.monotonic()
        self.stands.append((now - self.moved_at, now - self.began))
        self.moved_at = now
        self.applied += entries

    def said(self, phase: str) -> None:
        self.moved(0)
        seconds = self.moved_at - self.began
        longest = ", ".join(f"{1000 * stand:,.0f} ms (at {at:.1f} s)" for stand, at in sorted(self.stands)[:-4:-1])
        console.print(
            f"{phase}: {seconds:.1f} s, {self.applied / seconds:,.0f} entries/s applied; longest stands {longest}"
        )


async def grow(connection: Connection, source: Iterator[bytes], first: int, rate: int) -> None:
    """Append segments at `rate` entries a second."""
    due = time.monotonic()
    while part := list(islice(source, SEGMENT_ENTRIES)):
        bundle = b"".join(len(entry).to_bytes(2, "big") + entry for entry in part)
        leaves = b"".join(map(leaf_hash, part))
        async with connection.transaction():
            await connection.execute(
                "INSERT INTO log.segment VALUES ($1, $2, $3, $4)", first, len(part), bundle, leaves
            )
            first += len(part)
            await connection.execute("UPDATE log.state SET size = $1", first)
        due += len(part) / rate
        await asyncio.sleep(max(0.0, due - time.monotonic()))


async def apply(connection: Connection, writer: Writer, live: Live) -> None:
    """Apply what the log has, as soon as it has it."""
    while True:
        before = writer.position
        await writer.fill(await connection.fetchval("SELECT size FROM log.state"), is_gap=False)
        if writer.position > before:
            live.moved(writer.position - before)
        else:
            await asyncio.sleep(0.005)


@asynccontextmanager
async def traffic(settings: Settings, writer: Writer, source: Iterator[bytes], rate: int) -> AsyncIterator[Live]:
    """The log grows and the consumer applies it during the block."""
    live = Live()
    async with connected(settings, "bench", batch=True) as registrar:
        tasks = [
            asyncio.create_task(grow(registrar, source, writer.position, rate)),
            asyncio.create_task(apply(writer.connection, writer, live)),
        ]
        try:
            yield live
            for task in tasks:
                assert not task.done(), task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def start_rebuild(settings: Settings, name: str) -> asyncio.subprocess.Process:
    environment = {**os.environ, "YESSER_HOME": str(settings.home)}
    return await asyncio.create_subprocess_exec(
        *subprocess_command(), "rebuild", name, "--swap", env=environment, stdout=asyncio.subprocess.DEVNULL
    )


async def killed_in_its_middle(settings: Settings, schema: str, name: str, half: int) -> None:
    stored = f"SELECT position FROM rebuild_{schema}_next.replayed"
    async with connected(settings, "bench") as looking:
        child = await start_rebuild(settings, name)
        position = 0
        while position < half:
            await asyncio.sleep(0.2)
            if await looking.fetchval("SELECT to_regclass($1) IS NOT NULL", f"rebuild_{schema}_next.replayed"):
                position = await looking.fetchval(stored)
        child.kill()
        await child.wait()
        console.print(f"killed after {await looking.fetchval(stored):,} entries were folded")


async def suspended_at_its_swap(settings: Settings, table: str, name: str, live: Live) -> None:
    """A reader keeps an old table, so that the swap is tried; it is suspended in such a try."""
    async with connected(settings, "bench", batch=True) as reader, connected(settings, "bench") as looking:
        transaction = reader.transaction()
        await transaction.start()
        await reader.execute(f"LOCK TABLE {table} IN ACCESS SHARE MODE")
        child = await start_rebuild(settings, name)
        while not await looking.fetchval(AT_SWAP):  # noqa: ASYNC110
            await asyncio.sleep(0.002)
        live.begin()
        child.send_signal(signal.SIGSTOP)
        await asyncio.sleep(QUIET_S)
        live.said("suspended at its swap")
        child.send_signal(signal.SIGCONT)
        await transaction.rollback()
        console.print(f"    the command then ended with {await child.wait()}")


async def measured(settings: Settings, given: argparse.Namespace) -> None:
    consumer = CONSUMERS[given.consumer]
    size = given.entries // TILE * TILE
    source = entries(given.traffic, size + given.rate * 3_600, 0)
    async with connected(settings, "bench", batch=True) as connection:
        await write(connection, source, 0, size)
        await connection.execute(f"SET search_path = {consumer.schema}")
        writer = Writer(consumer, connection, 1)
        assert await writer.open()
        await writer.fill(size, is_gap=False)
        console.print(f"{consumer.name} has applied {size:,} entries")
        async with traffic(settings, writer, source, given.rate) as live:
            live.begin()
            await asyncio.sleep(QUIET_S)
            live.said("without a rebuild")
            if given.faults:
                await killed_in_its_middle(settings, consumer.schema, consumer.name, size // 2)
                table = f"{consumer.schema}.{consumer.tables[0].name}"
                await suspended_at_its_swap(settings, table, consumer.name, live)
            live.begin()
            child = await start_rebuild(settings, consumer.name)
            assert await child.wait() == 0
            ended = time.monotonic() - live.began
            await asyncio.sleep(1.0)
            live.said("rebuilt and swapped")
            at_swap = max(stand for stand, at in live.stands if at > ended - AT_SWAP_S)
            console.print(
                f"    the command ended after {ended:.1f} s; longest stand at its swap {1000 * at_swap:,.0f} ms"
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--entries", type=int, default=1_000_000, help="entries of the log (default 1,000,000)")
    parser.add_argument("--rate", type=int, default=1_000, help="entries a second meanwhile (default 1,000)")
    parser.add_argument("--consumer", choices=sorted(CONSUMERS), default="revenue")
    parser.add_argument("--traffic", choices=("programme", "mixed", "uniform"), default="programme")
    parser.add_argument("--faults", action="store_true", help="also kill a rebuild, and suspend one at its swap")
    given = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="yesser-bench-") as folder,
        running_stack(Path(folder) / "home", only=("postgres",)) as settings,
    ):
        asyncio.run(migrate_database(settings))
        asyncio.run(measured(settings.acting_as(SUPERUSER), given))


if __name__ == "__main__":
    main()
