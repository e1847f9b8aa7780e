"""As of a recorded time and of an occurred date: the oracle's figures from exactly those entries."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from io import StringIO
from typing import Any

import orjson
import pytest
from rich.console import Console, RenderableType

from consumers.programme.campaigns.read import campaigns_at as read
from consumers.programme.plan.commands import anomalies_view, plan_view
from consumers.programme.plan.document import NOT_JUDGED, all_anomalies, plan_at_a_glance
from consumers.programme.projections.consumer import CONSUMER as PROJECTIONS
from consumers.replay.as_of.point_in_time import PointInTime, occurred_on
from consumers.replay.as_of.view import view
from events.wire.entry import parse_entry, recorded_time
from infra.log.reader import entries_recorded_by
from infra.postgres.connection import Connection
from infra.settings import Settings
from tests.oracle.fold import fold
from tests.oracle.history import MIXED, entries_from, generate
from tests.oracle.log import EntryDict
from tests.world.commands import yesser
from tests.world.documents import as_json
from tests.world.logs import raw_entries, write_log

STEP = timedelta(microseconds=1)


@pytest.fixture(scope="module")
def log() -> list[EntryDict]:
    return entries_from(generate(61, 700, MIXED))


@pytest.fixture
async def written(connection: Connection, log: list[EntryDict]) -> list[EntryDict]:
    await write_log(connection, raw_entries(log))
    return log


async def test_as_of_a_recorded_time_is_as_of_the_entries_recorded_by_then(
    settings: Settings, connection: Connection, written: list[EntryDict]
) -> None:
    times = sorted({entry["recordedtime"] for entry in written})
    assert len(times) > 3
    for text in (times[0], times[len(times) // 2], times[-1]):
        recorded = datetime.fromisoformat(text)
        for instant in (recorded - STEP, recorded, recorded + timedelta(days=365)):
            expected = sum(entry["recordedtime"] <= recorded_time(instant) for entry in written)
            assert await entries_recorded_by(connection, instant) == expected, instant
    index = sum(entry["recordedtime"] <= times[len(times) // 2] for entry in written)
    assert 0 < index < len(written)
    moment = PointInTime(recorded=datetime.fromisoformat(times[len(times) // 2]))
    assert await plan_at_a_glance(settings, moment) == await plan_at_a_glance(settings, index)


async def test_a_command_may_read_longer_than_processes_stand(settings: Settings, connection: Connection) -> None:
    hasty = settings.model_copy(update={"idle_in_transaction_timeout_ms": 50})
    async with view(hasty, [PROJECTIONS]) as state:
        await asyncio.sleep(0.3)
        assert await state.connection.fetchval("SELECT 1") == 1


def occurred_by(log: Sequence[EntryDict], raw: Sequence[bytes], last_date: str) -> list[EntryDict]:
    return [e for e, text in zip(log, raw, strict=True) if occurred_on(parse_entry(e["index"], text)) <= last_date]


async def test_as_of_a_date_shows_what_had_occurred_but_no_ledger(settings: Settings, written: list[EntryDict]) -> None:
    raw = raw_entries(written)
    dates = sorted(occurred_on(parse_entry(index, text)) for index, text in enumerate(raw))
    for last_date in (dates[0], dates[len(dates) // 3], dates[-1]):
        taken = occurred_by(written, raw, last_date)
        expected = fold(taken)
        anomalies = [row for row in expected.anomaly_rows() if not of_the_ledger(row)]
        moment = PointInTime(occurred=last_date)
        document = as_json((await plan_at_a_glance(settings, moment))[0])
        changed = {"log_index": len(raw), "partnerships": [], "anomalies": len(anomalies)}
        assert set(document.pop("not_judged")) == set(NOT_JUDGED)
        assert document == {**expected.plan, **changed}
        listed = await all_anomalies(settings, moment)
        assert [{key: getattr(row, key) for key in anomalies[0]} for row in listed] == anomalies
        assert all(row.judged is False for row in listed)
        # What the rules would trigger on these entries alone, the log never said.
        logged = [row for row in expected.campaigns if row["campaign_id"] not in expected.untriggered]
        assert as_json(await read(settings, moment)) == logged
    assert 0 < len(occurred_by(written, raw, dates[len(dates) // 3])) < len(raw)


def of_the_ledger(row: dict[str, Any]) -> bool:
    """What the ledger judges: everything about contracts and money."""
    kind = row["type"].removeprefix("sa.gov.yesser.").removesuffix(".v1")
    contracts = {f"partnership.{verb}" for verb in ("signed", "amended", "terminated", "reassigned")}
    return kind.startswith("revenue.") or kind in contracts


async def test_people_see_that_it_is_the_past_and_what_it_cannot_judge_and_machines_the_same_shape(
    settings: Settings, written: list[EntryDict]
) -> None:
    async def run(*arguments: str) -> str:
        result = await yesser(settings, *arguments, catch_exceptions=False)
        assert result.exit_code == 0
        return result.stdout

    date = ("--as-of-occurred", "2026-11-10")
    assert "Events that occurred by 2026-11-10" in await run("plan", *date)
    assert "Events that occurred by 2026-11-10" in await run("campaigns", "list", *date)
    assert "2026-11-01T06:00:00.000000Z" in await run("plan", "--as-of-recorded", "2026-11-01T09:00:00+03:00")
    now, then = orjson.loads(await run("plan", "--json")), orjson.loads(await run("plan", *date, "--json"))
    assert [*now, "not_judged"] == list(then)

    moment = PointInTime(occurred="2026-11-10")
    document, name = await plan_at_a_glance(settings, moment)
    rows = await all_anomalies(settings, moment)
    assert document.anomalies == len(rows) > 0
    text = shown(plan_view(document, name))
    assert "Anomalies not judged, refusals" in text
    assert "التناقضات غير مقيّمة" in text
    listed = shown(anomalies_view(rows))
    assert f"{len(rows)} that do not fit" in listed
    assert f"لا تتفق مع ما وقع حتى هذا التاريخ: {len(rows)}" in listed


def shown(view: RenderableType) -> str:
    """The text on a wide screen."""
    console = Console(width=300, file=StringIO())
    console.print(view)
    text = console.file
    assert isinstance(text, StringIO)
    return text.getvalue()
