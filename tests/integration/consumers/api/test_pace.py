"""`/v1/pace`: the plan against the calendar after any number of entries, from the steps of projects and services;
and the filters of the service directory."""

from __future__ import annotations

from collections import Counter, defaultdict
from pathlib import Path

import pytest

from consumers.programme.plan.document import plan_at_a_glance
from consumers.programme.plan.pace import elapsed_days, expected
from tests.every import every
from tests.integration.consumers.api.read_api import Window, window_on
from tests.oracle.entries import registrations
from tests.oracle.history import MIXED, entries_from, generate
from tests.oracle.log import EntryDict, JsonObject
from tests.oracle.validation import Agency
from tests.stack import TestStack
from tests.world.documents import as_json
from tests.world.entries import TEXT, EventLog

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture(scope="module")
def told() -> list[EntryDict]:
    return entries_from(generate(7, 900, MIXED))


async def test_the_figures_by_agency_are_those_of_the_lists(window: Window, told: list[EntryDict]) -> None:
    document = await window.json("/v1/pace")
    assert (document["log_index"], document["recorded"]) == (len(told), told[-1]["recordedtime"])
    counted: dict[str, Counter[str]] = defaultdict(Counter)
    for row in await window.json("/v1/services?limit=1000"):
        if row["plan_id"] == document["plan"]["plan_id"]:
            counted[row["agency"]].update(services=1, launched=row["launched_on"] is not None)
    for row in await window.json("/v1/projects?limit=1000"):
        if row["plan_id"] == document["plan"]["plan_id"]:
            own = counted[row["agency"]]
            if row["state"] != "cancelled":
                own.update(phases=row["phases"], completed=row["completed"])
    names = ("services", "launched", "phases", "completed")
    found = {row["agency"]: [row[name] for name in names] for row in document["agencies"]}
    assert found == {agency: [of_it[name] for name in names] for agency, of_it in counted.items()}
    assert sum(row["launched"] for row in document["launches"]) == sum(row["launched"] for row in document["agencies"])
    for row in document["agencies"]:
        assert row["expected_launched"] == expected(row["services"], document["elapsed_days"], document["days"])


@every("end", [0, 1, 25, 300, 655, None])
async def test_the_past_is_what_the_plan_of_then_says(window: Window, told: list[EntryDict], end: int | None) -> None:
    index = len(told) if end is None else end
    document = await window.json(f"/v1/pace?as_of_index={index}")
    plan, name = await plan_at_a_glance(window.settings, index)
    assert document["log_index"] == index
    assert document["recorded"] == (told[index - 1]["recordedtime"] if index else None)
    if name is None:
        assert (document["plan"], document["agencies"]) == (None, [])
        return
    assert document["plan"] == as_json(name)
    assert document["elapsed_days"] == elapsed_days(name.starts_on, name.ends_on, document["measured_on"])
    groups = plan.services.groups.values()
    assert sum(row["services"] for row in document["agencies"]) == sum(group.registered for group in groups)
    assert sum(row["launched"] for row in document["agencies"]) == sum(group.launched for group in groups)


def steps_of_three_services() -> list[EntryDict]:
    """Of `A`, `B` and `C`: all are retired in the end, and only `B` was launched."""
    zeros = {"infrastructure_projects": 0, "national_applications": 0, "services": {"1": 2, "2": 0, "3": 0}}
    log = EventLog()
    for event in registrations([Agency("health")]):
        log.add(event)
    dates = {"starts_on": "2006-01-01", "ends_on": "2006-01-31"}
    log.tell("yesser", "plan.adopted", plan_id="P", name=TEXT, targets=zeros, **dates)
    for one in "ABC":
        log.tell("health", "service.registered", service_id=one, group=1, plan_id="P", name=TEXT)
    for step, one, on in (("retired", "A", 3), ("launched", "B", 3), ("retired", "B", 4), ("retired", "C", 5)):
        more: JsonObject = {"channels": ["web"]} if step == "launched" else {"reason": TEXT}
        log.tell("health", f"service.{step}", service_id=one, on=f"2006-0{on}-01", **more)
    return log.log


async def test_a_service_retired_before_its_launch_makes_nobody_late(stack: TestStack, tmp_path: Path) -> None:
    log = steps_of_three_services()
    end = len(log)
    async with window_on(stack, tmp_path / "home", log) as window:
        for index, expected_counts in ((end, (1, 1)), (end - 1, (2, 1)), (end - 3, (2, 0)), (end - 4, (3, 0))):
            (own,) = (await window.json(f"/v1/pace?as_of_index={index}"))["agencies"]
            assert (own["services"], own["launched"]) == expected_counts, index
        (own,) = (await window.json("/v1/pace"))["agencies"]
        assert (own["services"], own["launched"]) == (1, 1)
        await window.connection.execute("UPDATE log.state SET size = $1", end + 1)
        answer = await window.get(f"/v1/pace?as_of_index={end + 1}")
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1"), "a read model is behind the log"
        assert (await window.json(f"/v1/pace?as_of_index={end}"))["log_index"] == end


@every("query", ["agency=health", "group=2", "state=live", "agency=health&group=1&state=registered"])
async def test_services_are_filtered_and_paged(window: Window, query: str) -> None:
    wanted = dict(part.split("=") for part in query.split("&"))
    everything = await window.json("/v1/services?limit=1000")
    expected_rows = [row for row in everything if all(str(row[name]) == value for name, value in wanted.items())]
    assert await window.rows(f"/v1/services?{query}", 3) == expected_rows
    assert query == "agency=health&group=1&state=registered" or expected_rows, "the log has none of these"
    for faulty in ("group=4", "state=asleep", "agency=%3Cb%3E"):
        assert (await window.get(f"/v1/services?{faulty}")).status_code == 422
