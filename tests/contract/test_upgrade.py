"""From the database of the previous release to this one: migrated, started, and the same figures as from the log alone.

`database-0.1.sql.gz` is a dump of that release's database with its log (`log-0.1`), whose consumers stand at different
positions. It is never changed; the next release adds one of its own.
"""

from __future__ import annotations

import gzip
from contextlib import AsyncExitStack

import orjson
import pytest

from consumers.models.migrate_command import migrate_database
from consumers.models.registry import CONSUMERS
from consumers.replay.pipeline.pipeline import Pipeline
from consumers.replay.rebuild.rebuild import rebuild
from infra.log.reader import log_size
from infra.postgres.connection import Connection
from infra.principals import OWNER_ROLE
from infra.settings import Settings
from tests.contract.released_figures import require_figures
from tests.paths import DATA
from tests.world.topics import make_topics
from tests.world.waits import running, until

DUMPS = sorted(DATA.glob("database-*.sql.gz"))
POSITIONS = {"projections": 200, "campaigns": 150, "event-index": 120, "revenue": 289}
"""Of the consumers in the dump; a consumer of a later release begins at 0."""


@pytest.fixture
async def old(connection: Connection) -> Connection:
    """The database is that of the previous release, whose only role gave everything to the owner (`create_roles`)."""
    schemas = await connection.fetch(
        "SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname NOT IN ('public', 'information_schema')"
    )
    for row in schemas:
        await connection.execute(f"DROP SCHEMA {row['nspname']} CASCADE")
    await connection.execute("DROP TABLE public.migration")
    await connection.execute(f"SET ROLE {OWNER_ROLE}")
    await connection.execute(gzip.decompress(DUMPS[-1].read_bytes()).decode())
    await connection.execute("RESET ALL; RESET ROLE")
    return connection


async def positions(connection: Connection) -> dict[str, int]:
    rows = await connection.fetch("SELECT consumer, position FROM platform.position")
    return {row["consumer"]: row["position"] for row in rows}


async def test_a_database_of_the_last_release_is_migrated_and_goes_on(settings: Settings, old: Connection) -> None:
    assert await positions(old) == POSITIONS
    numbers = await old.fetch("SELECT consumer, rules_version FROM platform.position")
    # A process of the previous release compares this number alone: it exits with 78 once the rows are rebuilt.
    assert all(row["rules_version"] < CONSUMERS[row["consumer"]].version.number for row in numbers)
    applied, made, _ = await migrate_database(settings)
    assert "0016_fold_versions.sql" in applied
    assert set(made) == CONSUMERS.keys() - POSITIONS
    await make_topics(settings)
    async with AsyncExitStack() as stack:
        for consumer in CONSUMERS.values():
            await stack.enter_async_context(running(Pipeline(consumer, settings)))

        size = await log_size(old)

        async def all_applied() -> bool:
            return set((await positions(old)).values()) == {size}

        await until(all_applied, "every consumer has applied the log")
    rows = await old.fetch("SELECT consumer, rules_version, fold_sha256, folds_from FROM platform.position")
    assert {row["consumer"]: (row["rules_version"], row["fold_sha256"], row["folds_from"]) for row in rows} == {
        name: (consumer.version.number, consumer.version.sha256, POSITIONS.get(name, 0))
        for name, consumer in CONSUMERS.items()
    }
    for consumer in CONSUMERS.values():
        assert (await rebuild(settings, consumer)).ok, consumer.name
    await require_figures(settings, orjson.loads((DATA / "log-0.1" / "figures.json").read_bytes()))
