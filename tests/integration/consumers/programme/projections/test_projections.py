"""The plan, the anomalies, history and activity on a real PostgreSQL: the oracle's figures, now and as of an index."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from consumers.documents.document import documents_of
from consumers.documents.log.entries import Anomaly
from consumers.programme.plan.document import PLAN_CONSUMERS, all_anomalies, plan_at_a_glance
from consumers.programme.projections.consumer import CONSUMER as PROJECTIONS
from consumers.programme.projections.read import activity, history
from consumers.replay.as_of.view import NoSuchIndex, NotStarted, view
from infra.postgres.connection import Connection
from infra.settings import Settings
from tests.oracle.fold import fold
from tests.oracle.history import MIXED, entries_from, generate
from tests.oracle.log import EntryDict
from tests.world.commands import Yesser
from tests.world.documents import as_json
from tests.world.logs import apply_live, raw_entries, write_log

ANOMALY_KEYS = ["index", "found_index", "rule", "type", "subject", "agency", "claimed", "known"]


@pytest.fixture(scope="module")
def log() -> list[EntryDict]:
    return entries_from(generate(21, 700, MIXED))


@pytest.fixture
async def applied(connection: Connection, log: list[EntryDict]) -> list[EntryDict]:
    """The log as written and applied by every consumer that the plan shows."""
    raw = raw_entries(log)
    await write_log(connection, raw)
    for consumer in PLAN_CONSUMERS:
        await apply_live(connection, consumer, raw)
    return log


def compared(rows: Sequence[Anomaly]) -> list[dict[str, Any]]:
    return [{key: getattr(row, key) for key in ANOMALY_KEYS[:6]} for row in rows]


async def test_the_plan_and_the_anomalies_are_those_of_the_oracle_now_and_as_of_an_index(
    settings: Settings, connection: Connection, applied: list[EntryDict], yesser: Yesser
) -> None:
    expected = fold(applied)
    found, name = await plan_at_a_glance(settings)
    document = as_json(found)
    assert document == expected.plan
    assert list(document) == list(expected.plan)
    assert name is not None
    rows = await all_anomalies(settings)
    assert compared(rows) == expected.anomaly_rows()
    assert all(list(as_json(row)) == ANOMALY_KEYS for row in rows)
    assert await yesser.document("plan") == expected.plan
    assert "مشاريع البنى التحتية" in await yesser.output("plan")
    assert compared(documents_of(Anomaly, await yesser.document("anomalies"))) == expected.anomaly_rows()
    assert "not-owner" in await yesser.output("anomalies")
    assert await yesser.document("anomalies", "--as-of-index", "0") == []

    for index in (0, 1, 255, 256, len(applied)):
        past = fold(applied[:index])
        found, _ = await plan_at_a_glance(settings, index)
        assert as_json(found) == {**past.plan, "log_index": index}
        assert compared(await all_anomalies(settings, index)) == past.anomaly_rows(), index
    schemas = "SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'as_of%'"
    assert await connection.fetchval(schemas) == 0, "nothing is left behind"
    assert await connection.fetchval("SELECT count(*) FROM platform.outbox") == 0
    with pytest.raises(NoSuchIndex, match=f"has {len(applied)} entries"):
        await plan_at_a_glance(settings, len(applied) + 1)


async def test_before_anything_was_said_the_plan_is_empty_and_then_as_old_as_the_slowest_read_model(
    settings: Settings, connection: Connection, log: list[EntryDict]
) -> None:
    document, name = await plan_at_a_glance(settings)
    assert as_json(document) == fold([]).plan
    assert name is None
    raw = raw_entries(log)
    await write_log(connection, raw)
    for consumer, end in zip(PLAN_CONSUMERS, (300, 200, 250), strict=True):
        await apply_live(connection, consumer, raw[:end])
    document, _ = await plan_at_a_glance(settings)
    assert document.log_index == 200
    await connection.execute("DROP SCHEMA projections CASCADE")
    with pytest.raises(NotStarted, match="yesser up"):
        await plan_at_a_glance(settings)


async def test_history_and_activity_lead_to_entries(settings: Settings, applied: list[EntryDict]) -> None:
    subject = next(e["event"]["subject"] for e in applied if e["event"]["subject"].startswith("service/"))
    async with view(settings, [PROJECTIONS]) as looked_at:
        reader = await looked_at.use(PROJECTIONS)
        for step in await history(reader, subject):
            assert applied[step.index]["event"]["data"] == step.data
        sent = await activity(reader)
    counted = sum(kind.count for agency in sent for kind in agency.events.values())
    assert counted == len(applied)
