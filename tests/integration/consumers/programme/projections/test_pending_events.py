"""Facts that wait for `registered` on the real PostgreSQL: however many were sent, no consumer is held up."""

from __future__ import annotations

from typing import Any

import pytest

from consumers.models.registry import CONSUMERS
from consumers.programme.projections.handlers import pending_events
from consumers.replay.fold import apply
from consumers.replay.pipeline import writer
from consumers.replay.pipeline.pipeline import Pipeline
from infra.postgres.connection import Connection
from infra.settings import Settings
from tests.world.entries import TEXT, EventLog
from tests.world.logs import write_log
from tests.world.topics import make_topics
from tests.world.waits import running, until

MORE: dict[str, dict[str, Any]] = {"launched": {"channels": ["web"]}, "suspended": {"reason": TEXT}, "resumed": {}}
AGENCIES = 13
SERVICES = 3
FACTS_MAX, ROWS_MAX = 1_000, 2_400
"""A tenth of what the contract allows: `test_bounded_transactions.py` takes all of it."""
FACTS_EACH = FACTS_MAX + 50
PATIENCE_S = 60.0


def facts() -> EventLog:
    """Of each service a launch, then suspensions and resumptions by many agencies, and at the end all registrations."""
    log = EventLog()
    log.at = "2006-01-01T00:00:00.000000Z"
    for step in range(FACTS_EACH):
        verb = "launched" if step == 0 else "suspended" if step % 2 else "resumed"
        for service in range(SERVICES):
            about = {"service_id": f"S{service}", "on": "2006-01-01", **MORE[verb]}
            log.tell(f"agency-{step % AGENCIES}", f"service.{verb}", **about)
    for service in range(SERVICES):
        log.tell("agency-0", "service.registered", service_id=f"S{service}", plan_id="P", group=1, name=TEXT)
    return log


@pytest.mark.parametrize("name", ["projections", pytest.param("campaigns", marks=pytest.mark.accept)])
async def test_what_waited_for_several_services_is_applied_in_transactions_of_a_bounded_size(
    settings: Settings, connection: Connection, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pending_events, "FACTS_MAX", FACTS_MAX)
    monkeypatch.setattr(apply, "ROWS_MAX", ROWS_MAX)
    monkeypatch.setattr(apply, "ROWS_MIN", ROWS_MAX // 10)
    monkeypatch.setattr(writer, "RowLimit", lambda: apply.RowLimit(ROWS_MAX // 4))
    await make_topics(settings)
    raw = facts().raw
    await write_log(connection, raw)
    pipeline = Pipeline(CONSUMERS[name], settings)

    async def applied() -> bool:
        select = "SELECT position FROM platform.position WHERE consumer = $1"
        return bool(await connection.fetchval(select, name) == len(raw))

    async with running(pipeline):
        await until(applied, "all entries are applied", PATIENCE_S)
        assert pipeline.readiness().ready
    assert await connection.fetchval(f"SELECT count(*) FROM {name}.waiting_fact") == 0
    assert await connection.fetchval(f"SELECT count(*) FROM {name}.waiting_agency") == 0
    if name == "projections":
        beyond = await connection.fetchval(
            "SELECT count(*) FROM projections.anomaly WHERE rule = 'exceeds-waiting' AND found_index = index"
        )
        assert beyond == SERVICES * (FACTS_EACH - FACTS_MAX)
        at_once = await connection.fetch(
            "SELECT count(*) FROM projections.anomaly WHERE rule <> 'exceeds-waiting' GROUP BY xmin::text"
        )
        assert sum(count for (count,) in at_once) > ROWS_MAX
        assert max(count for (count,) in at_once) <= ROWS_MAX
