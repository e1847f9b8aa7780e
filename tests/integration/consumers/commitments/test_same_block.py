"""A log that does not leave its block, committed again and again, and under other rules, by a real registrar."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from consumers.campaigns.consumer import CONSUMER as CAMPAIGNS
from consumers.campaigns.rules import in_force
from consumers.fold import past_rows
from consumers.rebuild.rebuild import RebuildOptions, rebuild
from consumers.registry import CONSUMERS
from infra.log.reader import log_size, read_entries
from infra.postgres.connection import Connection
from infra.settings import Settings
from tests.paths import ROOT
from tests.world.logs import apply_everywhere
from tests.world.records import said
from tests.world.registrars import found, registrar, until_size
from tests.world.topics import HEALTH_TOPIC, PLATFORM_TOPIC, send
from tests.world.waits import running, until

BLOCK_ENTRIES = 256
FIRST = 303
TABLES_COUNT = sum(len(consumer.tables) for consumer in CONSUMERS.values())


@pytest.fixture
def raised(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The release's rules in a folder of the deployment; the version of one was raised, and it says something else."""
    for file in (ROOT / "consumers/campaigns/rules").glob("*.yaml"):
        text = file.read_text(encoding="utf-8")
        if file.stem == "initiative-announced":
            text = text.replace("version: 1", "version: 2").replace("due_working_days: 10", "due_working_days: 3")
            assert text != file.read_text(encoding="utf-8")
        (tmp_path / file.name).write_text(text, encoding="utf-8")
    yield tmp_path
    monkeypatch.undo()
    in_force.rules_in_force.cache_clear()


async def committed(settings: Settings, connection: Connection, run: Any) -> list[dict[str, Any]]:
    """`yesser commit`; what it put into the outbox is relayed, registered and applied."""
    code, document = await run("commit")
    assert code == 0
    rows = await connection.fetch("DELETE FROM platform.outbox RETURNING row_id, value")
    size = await log_size(connection)
    await send(settings, PLATFORM_TOPIC, *(value for _, value in sorted(rows)))
    await until_size(connection, size + len(rows))
    await applied(connection)
    commitments: list[dict[str, Any]] = document["commitments"]
    assert len(commitments) == len(rows)
    return commitments


async def applied(connection: Connection) -> None:
    raw = await read_entries(connection, 0, await log_size(connection))
    await apply_everywhere(connection, raw)


async def test_each_commitment_of_a_log_that_does_not_leave_its_block_is_a_new_one_and_rules_may_change(
    settings: Settings, connection: Connection, run: Any, raised: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(past_rows, "BLOCK_ENTRIES", BLOCK_ENTRIES)
    await found(settings, "health")
    await send(settings, HEALTH_TOPIC, *(said(f"e{number}") for number in range(FIRST - 3)))
    one = registrar(settings)
    async with running(one):
        await until_size(connection, FIRST)
        await applied(connection)
        made = [await committed(settings, connection, run) for _ in range(3)]
        indexes = [{row["log_index"] for row in commitments} for commitments in made]
        assert indexes == [{BLOCK_ENTRIES}, {FIRST + TABLES_COUNT}, {FIRST + 2 * TABLES_COUNT}], (
            "each is as of another index"
        )
        assert [len(commitments) for commitments in made] == [TABLES_COUNT] * 3

        monkeypatch.setenv("YESSER_CAMPAIGN_RULES", str(raised))
        in_force.rules_in_force.cache_clear()
        assert (await rebuild(settings, CAMPAIGNS, RebuildOptions(compare=False, swap=True))).swapped
        under_new_rules = [await committed(settings, connection, run) for _ in range(2)]
        before, after = [
            {
                row["fold_version"]
                for commitments in passes
                for row in commitments
                if row["name"].startswith("campaigns.")
            }
            for passes in (made, under_new_rules)
        ]
        assert (len(before), len(after), len(before | after)) == (1, 1, 2)

        for table in ("refusal", "duplicate"):
            assert await connection.fetchval(f"SELECT count(*) FROM log.{table}") == 0, table
        await until(lambda: one.readiness().ready, "the registrar has no alarm")
    code, checked = await run("audit", "commitments")
    assert (code, checked["ok"]) == (0, True)
    earlier = [row for row in checked["commitments"] if row["status"] == "earlier-version"]
    assert earlier, "what other rules decided is other rows"
    assert {row["name"].partition(".")[0] for row in earlier} == {"campaigns"}
    assert {row["fold_version"] for row in earlier} == before
