"""The memory of the processes that read the log, on the history that is worst for it: small entries, then large ones.

    python -m bench.worst_reads [--large N]

256 entries of some 400 bytes, then 4,000 of the largest that the contract allows, in PostgreSQL. Each path reads them
in a process of its own, which prints its peak above what it had after its imports. 240 MB are written, in a minute.
"""

from __future__ import annotations

import argparse
import asyncio
import subprocess
import sys
import tempfile
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

from rich.console import Console

from consumers.models.migrate_command import migrate_database
from consumers.registrar.batch import segments
from consumers.registrar.shipper import Shipper
from consumers.replay.event_index.consumer import CONSUMER as EVENT_INDEX
from consumers.replay.pipeline.writer import Writer
from infra.embedded.stack import running_stack
from infra.log.merkle import TileTree, leaf_hash
from infra.log.ports.postgres_port import PostgresPort
from infra.log.ports.read_ahead import parsed_entries
from infra.log.ports.tree import require_tree
from infra.log.reader import chosen_entries, log_size
from infra.log.signed_note import LogKey
from infra.postgres.connection import Connection, connect
from infra.postgres.migrate import create_tables
from infra.principals import SUPERUSER
from infra.settings import Settings
from tests.oracle.log import make_entry, make_event
from tests.world.logs import raw_entries

SMALL: Final = 256
LARGE_BYTES: Final = 59_000
KEY: Final = LogKey("log.example/bench", bytes(32))


async def write(connection: Connection, size: int) -> None:
    tree = TileTree()
    nodes: list[tuple[int, int, bytes]] = []
    for first in range(0, size, SMALL):
        own = raw_entries(_entry(index) for index in range(first, min(size, first + SMALL)))
        leaves = [*map(leaf_hash, own)]
        nodes += tree.append(leaves)
        rows = segments(first, own, leaves)
        await connection.executemany("INSERT INTO log.segment VALUES ($1, $2, $3, $4)", rows)
    await connection.executemany("INSERT INTO log.node VALUES ($1, $2, $3)", nodes)
    await connection.execute("UPDATE log.state SET size = $1", size)
    note = KEY.sign_checkpoint(size, tree.root())
    await connection.execute("INSERT INTO log.checkpoint (size, note) VALUES ($1, $2)", size, note)


def _entry(index: int) -> Any:
    name = {"ar": "نص", "en": "a" if index < SMALL else "x" * LARGE_BYTES}
    data = {"service_id": "S", "name": name}
    event = make_event("service.registered", "agency-0", "service/S", data, f"e{index}")
    return make_entry(index, event, "2026-01-01T00:00:00.000000Z")


async def consumer(settings: Settings, connection: Connection, size: int) -> None:
    await create_tables(connection, EVENT_INDEX.schema, EVENT_INDEX.create_sql())
    await connection.execute(f"SET search_path = {EVENT_INDEX.schema}")
    writer = Writer(EVENT_INDEX, connection, 1)
    assert await writer.open()
    await writer.fill(size, is_gap=False)
    assert writer.position == size


async def shipper(settings: Settings, connection: Connection, size: int) -> None:
    journal: Any = SimpleNamespace(size=size)
    one = Shipper(journal, settings)
    one._reader = connection
    while one.next_index < size:
        one.next_index = (await one._next()).end


async def replay(settings: Settings, connection: Connection, size: int) -> None:
    async with aclosing(parsed_entries(connection, 0, size)) as batches:
        assert sum([len(entries) async for entries in batches]) == size


async def chosen(settings: Settings, connection: Connection, size: int) -> None:
    async for index, _ in chosen_entries(connection, range(0, size, 2)):
        assert index < size


async def audit(settings: Settings, connection: Connection, size: int) -> None:
    port = PostgresPort(connection, KEY.verifier)
    await require_tree(port, size, (await port.checkpoint()).root)


PATHS: Final[dict[str, Callable[[Settings, Connection, int], Awaitable[None]]]] = {
    path.__name__: path for path in (consumer, shipper, replay, chosen, audit)
}


async def read(name: str, settings: Settings) -> None:
    before = _peak_mib()
    connection = await connect(settings, "bench", batch=True)
    try:
        await PATHS[name](settings, connection, await log_size(connection))
    finally:
        await connection.close()
    print(f"{name}: {_peak_mib() - before:.0f} MiB above {before:.0f}")  # noqa: T201 - the parent shows it


def _peak_mib() -> float:
    """Of this program: `getrusage` counts what its parent had when it was started."""
    (line,) = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM:")]
    return int(line.split()[1]) / 1024


async def prepare(settings: Settings, size: int) -> None:
    await migrate_database(settings)
    connection = await connect(settings.acting_as(SUPERUSER), "bench", batch=True)
    try:
        await write(connection, size)
    finally:
        await connection.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--large", type=int, default=4_000, help="large entries (default 4,000)")
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        asyncio.run(read(given.child[0], Settings(home=Path(given.child[1])).acting_as(SUPERUSER)))
        return
    with (
        tempfile.TemporaryDirectory(prefix="yesser bench ") as folder,
        running_stack(Path(folder) / "home", only=("postgres",)) as settings,
    ):
        asyncio.run(prepare(settings, SMALL + given.large))
        for name in PATHS:
            command = [sys.executable, "-m", "bench.worst_reads", "--child", name, str(Path(folder) / "home")]
            Console().print(subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip())


if __name__ == "__main__":
    main()
