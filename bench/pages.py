"""How long pages of lists take over tables of any size: `python -m bench.pages --rows 10000000 [--plans]`.

The rows (`tests/volume.py`) are made by PostgreSQL, in a stack of their own in a temporary folder, on a disk. Each
page is read `READS` times; the goal is 50 ms for the slowest but the first, which finds nothing in memory. With
`--plans` the plan of each query is printed. Ten million rows in each table take about ten minutes and 20 GB.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
import time
from pathlib import Path
from typing import Final

from asyncpg.connection import LoggedQuery
from rich.console import Console

from consumers.models.migrate_command import migrate_database
from infra.embedded.stack import running_stack
from infra.postgres.connection import Connection, connect
from infra.principals import SUPERUSER
from infra.settings import Settings
from tests.volume import Page, fill, pages

READS: Final = 20
GOAL_MS: Final = 50.0
console: Final = Console(width=160)


async def measured(settings: Settings, rows: int, *, with_plans: bool) -> bool:
    """Whether every page is within the goal."""
    connection = await connect(settings, "bench", batch=True)
    try:
        started = time.perf_counter()
        await fill(connection, rows)
        await connection.execute("VACUUM ANALYZE")
        console.print(f"{rows:,} rows in each table: {time.perf_counter() - started:.0f} s")
        return all([await show(connection, page, with_plans=with_plans) for page in pages(rows)])
    finally:
        await connection.close()


async def show(connection: Connection, page: Page, *, with_plans: bool) -> bool:
    await connection.execute(f"SET search_path = {page.schema}")
    took = []
    for _ in range(READS):
        started = time.perf_counter()
        await page.read(connection)
        took.append(1_000 * (time.perf_counter() - started))
    slowest = max(took[1:])
    ok = slowest <= GOAL_MS
    median = statistics.median(took)
    console.print(
        f"{page.name:32} median {median:8.1f} ms, slowest {slowest:8.1f}, first {took[0]:8.1f} {'' if ok else '✗'}"
    )
    if with_plans:
        asked: list[LoggedQuery] = []
        with connection.query_logger(asked.append):
            await page.read(connection)
        await asyncio.sleep(0)  # the logger is called by the event loop
        for query in asked:
            for (line,) in await connection.fetch(f"EXPLAIN (ANALYZE, COSTS OFF) {query.query}", *query.args):
                console.print(f"    {line}", markup=False)
    return ok


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=10_000_000, help="rows in each table (default 10,000,000)")
    parser.add_argument("--plans", action="store_true", help="also print the plan of each query")
    arguments = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="yesser-bench-") as folder,
        running_stack(Path(folder) / "home", only=("postgres",)) as settings,
    ):
        asyncio.run(migrate_database(settings))
        ok = asyncio.run(measured(settings.acting_as(SUPERUSER), arguments.rows, with_plans=arguments.plans))
    return 0 if ok else 1


if __name__ == "__main__":
    raise SystemExit(main())
