"""A page reads the rows that it shows and few more, however many there are: `bench/pages.py` takes the times."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import orjson
from asyncpg.connection import LoggedQuery

from infra.postgres.connection import Connection
from tests.volume import fill, pages

ROWS: Final = 20_000
READ_MAX: Final = 4_000
"""A page of 101 rows, or 1,000 postings of a period, with what they are joined with; webhooks count to 1,001 twice."""


def scans(plan: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The nodes that read tables."""
    if "Relation Name" in plan or plan["Node Type"].endswith("Index Scan"):
        yield plan
    for part in plan.get("Plans", ()):
        yield from scans(part)


async def rows_read(connection: Connection, sql: str, arguments: Sequence[Any]) -> float:
    """How many rows a query looks at in tables, those that it drops included."""
    text = await connection.fetchval(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}", *arguments)
    read: float = sum(
        (scan["Actual Rows"] + scan.get("Rows Removed by Filter", 0)) * scan["Actual Loops"]
        for scan in scans(orjson.loads(text)[0]["Plan"])
    )
    return read


async def test_a_page_reads_few_rows_of_a_large_table(connection: Connection) -> None:
    await fill(connection, ROWS)
    read: dict[str, float] = {}
    for page in pages(ROWS):
        await connection.execute(f"SET search_path = {page.schema}")
        asked: list[LoggedQuery] = []
        with connection.query_logger(asked.append):
            assert await page.read(connection)
        await asyncio.sleep(0)  # the logger is called by the event loop
        assert asked
        read[page.name] = sum([await rows_read(connection, query.query, query.args) for query in asked])
    assert {name: rows for name, rows in read.items() if rows > READ_MAX} == {}
