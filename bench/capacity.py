"""What an entry takes for good: in PostgreSQL by schema, in Kafka by kind of topic, in a mirror."""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path
from typing import Final

from bench import system
from bench.figures import Figures
from bench.throughput import together
from bench.topics import INDEPENDENT, OWN
from infra.postgres.connection import connected
from infra.settings import Settings

SCHEMAS: Final = """
    SELECT n.nspname AS schema, sum(pg_total_relation_size(c.oid))::bigint AS bytes
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'm') AND n.nspname !~ '^(pg_|information_schema|public)'
    GROUP BY n.nspname HAVING sum(pg_total_relation_size(c.oid)) > 1 << 20
"""


async def measure(events: int, figures: Figures) -> None:
    for kind in (OWN, INDEPENDENT):
        with system.stack() as settings:
            await together(settings, kind, events, Figures(""))
            async with connected(settings, "bench") as connection:
                entries = await connection.fetchval(system.SIZE)
                sizes = {f"PostgreSQL, {row['schema']}": row["bytes"] for row in await connection.fetch(SCHEMAS)}
            for what, size in (sizes | _topics(settings) | _mirror(settings)).items():
                figures.add(what, f"bytes/entry, {kind}", size / entries)


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
