"""What an entry takes for good: in PostgreSQL by schema, in Kafka by kind of topic, in a mirror.

And what it writes of WAL when few events come between two checkpoints of the database: the first change of a page after
one writes the whole page, and ids and subjects are found by hashes, so that each event changes pages of its own.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path
from typing import Final

from bench import system
from bench.figures import Figures
from bench.throughput import CODES, together
from bench.topics import INDEPENDENT, OWN, publish
from infra.postgres.connection import Connection, connected
from infra.settings import Settings

SCHEMAS: Final = """
    SELECT n.nspname AS schema, sum(pg_total_relation_size(c.oid))::bigint AS bytes
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'm') AND n.nspname !~ '^(pg_|information_schema|public)'
    GROUP BY n.nspname HAVING sum(pg_total_relation_size(c.oid)) > 1 << 20
"""
BETWEEN_CHECKPOINTS: Final = (1_000, 10_000)
"""A quarter of an hour of 100,000 events a day, and of a million."""


async def measure(events: int, figures: Figures) -> None:
    for kind in (OWN, INDEPENDENT):
        with system.stack() as settings:
            await together(settings, kind, events, Figures(""))
            async with connected(settings, "bench") as connection:
                entries = await connection.fetchval(system.SIZE)
                sizes = {f"PostgreSQL, {row['schema']}": row["bytes"] for row in await connection.fetch(SCHEMAS)}
            for what, size in (sizes | _topics(settings) | _mirror(settings)).items():
                figures.add(what, f"bytes/entry, {kind}", size / entries)
            if kind == OWN:
                async with connected(settings, "bench") as connection:
                    await _add_wal(settings, connection, events, figures)


async def _add_wal(settings: Settings, connection: Connection, first: int, figures: Figures) -> None:
    """WAL after a checkpoint, in a log of about `first` entries."""
    await connection.execute("VACUUM ANALYZE")  # it writes pages of earlier entries
    for events in BETWEEN_CHECKPOINTS:
        await connection.execute("CHECKPOINT")
        before = await connection.fetchval(system.WAL_BYTES)
        result, _ = await publish(settings, OWN, first + events, CODES, first=first)
        with system.running(settings, (*system.BESIDE, "registrar")) as children:
            await system.everything(settings, connection, children, result)
        written = await connection.fetchval(system.WAL_BYTES) - before
        figures.add(f"WAL, {events:,} events after a checkpoint", f"bytes/entry, {OWN}", written / result.entries)
        first += events


def _topics(settings: Settings) -> dict[str, int]:
    """Bytes of the records in Kafka; its indexes are made full size in advance."""
    sizes: Counter[str] = Counter()
    for segment in (Path(settings.home) / "kafka").rglob("*.log"):
        topic = segment.parent.name.rpartition("-")[0]
        if topic.startswith("agency.") or topic == settings.log_topic:
            sizes["Kafka, agencies' topics" if topic.startswith("agency.") else f"Kafka, {topic}"] += (
                segment.stat().st_size
            )
    return dict(sizes)


def _mirror(settings: Settings) -> dict[str, int]:
    with tempfile.TemporaryDirectory() as folder:
        system.command_output(settings, "audit", "mirror", folder)
        return {"a mirror": sum(file.stat().st_size for file in Path(folder).rglob("*") if file.is_file())}
