"""How long pages of lists take over tables of any size.

The rows (`tests/volume.py`) are made by PostgreSQL, on a disk: ten million in each table take about ten minutes and
20 GB. Each page is read `READS` times; the first time finds nothing in memory.
"""

from __future__ import annotations

import statistics
import time
from typing import Final

from bench.figures import Figures, console
from bench.system import stack
from consumers.models.migrate_command import migrate_database
from infra.postgres.connection import Connection, connected
from tests.volume import Page, fill, pages

READS: Final = 20


async def measure(rows: int, figures: Figures) -> None:
    """One run."""
    with stack("postgres") as settings:
        await migrate_database(settings)
        async with connected(settings, "bench", batch=True) as connection:
            with console.status(f"writing {rows:,} rows in each table"):
                await fill(connection, rows)
                await connection.execute("VACUUM ANALYZE")
            for page in pages(rows):
                await _read(connection, page, figures)


async def _read(connection: Connection, page: Page, figures: Figures) -> None:
    await connection.execute(f"SET search_path = {page.schema}")
    took_ms = []
    for _ in range(READS):
        started = time.perf_counter()
        await page.read(connection)
        took_ms.append(1e3 * (time.perf_counter() - started))
    figures.add(page.name, "median ms", statistics.median(took_ms))
    figures.add(page.name, "slowest ms", max(took_ms[1:]))
    figures.add(page.name, "first ms", took_ms[0])
