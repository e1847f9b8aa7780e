"""`/v1/pace`: the plan against the calendar after any number of entries, from the steps of projects and services;
and the filters of the service directory."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from consumers.documents.programme.projects import ProjectState
from consumers.plan.document import plan_at_a_glance
from consumers.plan.pace import elapsed_days, expected
from consumers.projections.consumer import CONSUMER as PROJECTIONS
from consumers.projections.read import projects, services
from infra.postgres.connection import Connection
from infra.settings import Settings
from tests.every import every
from tests.integration.consumers.read_api.read_api import Window, lay_down, read_window
from tests.oracle.entries import registrations
from tests.oracle.history import MIXED, entries_from, generate
from tests.oracle.log import EntryDict, make_entry, make_event
from tests.oracle.validation import Agency
from tests.world.documents import as_json


@pytest.fixture(scope="module")
def told() -> list[EntryDict]:
    return entries_from(generate(7, 900, MIXED))


async def tables_say(connection: Connection, plan_id: str) -> dict[str, tuple[int, int, int, int]]:
    """The same figures by agency from the tables of now: services, launched, phases, completed."""
    await connection.execute(f"SET search_path = {PROJECTIONS.schema}")
    counted: dict[str, Counter[str]] = {}
    for service in await services(connection):
        if service.plan_id == plan_id:
            found = counted.setdefault(service.agency, Counter())
            found["services"] += 1
            launched = "SELECT launched_index IS NOT NULL FROM service WHERE service_id = $1"
            found["launched"] += await connection.fetchval(launched, service.service_id)
    for project in await projects(connection):
        if project.plan_id == plan_id:
            found = counted.setdefault(project.agency, Counter())
            if project.state is not ProjectState.CANCELLED:
                found["phases"] += project.phases
                found["completed"] += project.completed
    await connection.execute("RESET search_path")
    names = ("services", "launched", "phases", "completed")
    return {agency: tuple(found[name] for name in names) for agency, found in counted.items()}  # type: ignore[misc]


def by_agency(document: dict[str, Any]) -> dict[str, tuple[int, int, int, int]]:
    return {
        row["agency"]: (row["services"], row["launched"], row["phases"], row["completed"])
        for row in document["agencies"]
    }


async def test_the_figures_by_agency_are_those_of_the_tables(
    window: Window, connection: Connection, told: list[EntryDict]
) -> None:
    document = await window.json("/v1/pace")
    assert document["log_index"] == len(told)
    assert document["recorded"] == told[-1]["recordedtime"]
    assert by_agency(document) == await tables_say(connection, document["plan"]["plan_id"])
    assert sum(row["launched"] for row in document["launches"]) == sum(row["launched"] for row in document["agencies"])
    for row in document["agencies"]:
        assert row["expected_launched"] == expected(row["services"], document["elapsed_days"], document["days"])


@every("end", [0, 1, 25, 300, 655, None])
async def test_the_past_is_what_the_plan_of_then_says(
    settings: Settings, window: Window, told: list[EntryDict], end: int | None
) -> None:
    index = len(told) if end is None else end
    document = await window.json(f"/v1/pace?as_of_index={index}")
    plan, name = await plan_at_a_glance(settings, index)
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


async def test_a_service_that_was_retired_before_it_was_launched_makes_nobody_late(
    settings: Settings, connection: Connection
) -> None:
    text: dict[str, Any] = {"ar": "نص", "en": "Text"}
    zeros = {"infrastructure_projects": 0, "national_applications": 0, "services": {"1": 2, "2": 0, "3": 0}}
    facts: list[tuple[str, str, str, dict[str, Any]]] = [
        *(("service.registered", "health", f"service/{one}", {"service_id": one, "group": 1}) for one in "ABC"),
        ("service.retired", "health", "service/A", {"service_id": "A", "on": "2006-03-01", "reason": text}),
        ("service.launched", "health", "service/B", {"service_id": "B", "on": "2006-03-01", "channels": ["web"]}),
        ("service.retired", "health", "service/B", {"service_id": "B", "on": "2006-04-01", "reason": text}),
        ("service.retired", "health", "service/C", {"service_id": "C", "on": "2006-05-01", "reason": text}),
    ]
    plan = {"starts_on": "2006-01-01", "ends_on": "2006-01-31", "targets": zeros, "plan_id": "P", "name": text}
    events = [*registrations([Agency("health")]), make_event("plan.adopted", "yesser", "plan/P", plan, "plan")]
    for fact, agency, subject, data in facts:
        named = {"plan_id": "P", "name": text} if fact == "service.registered" else {}
        events.append(make_event(fact, agency, subject, data | named, f"e{len(events)}"))
    log = [make_entry(index, event) for index, event in enumerate(events)]
    await lay_down(connection, log)
    async with read_window(settings, connection) as window:
        for end, services in ((len(log), 1), (len(log) - 1, 2), (len(log) - 3, 2), (len(log) - 4, 3)):
            for path in (f"/v1/pace?as_of_index={end}", *(["/v1/pace"] if end == len(log) else [])):
                (own,) = (await window.json(path))["agencies"]
                launched = 0 if end < len(log) - 2 else 1
                assert (own["services"], own["launched"]) == (services, launched), path


async def test_the_past_does_not_change_and_has_no_state_beyond_the_log(window: Window, told: list[EntryDict]) -> None:
    past = await window.get("/v1/pace?as_of_index=300")
    assert "immutable" in past.headers["cache-control"]
    again = await window.get("/v1/pace?as_of_index=300", if_none_match=past.headers["etag"])
    assert again.status_code == 304
    recorded = await window.json(f"/v1/pace?as_of_recorded={told[299]['recordedtime']}")
    assert recorded["log_index"] >= 300
    assert (await window.get(f"/v1/pace?as_of_index={len(told) + 1}")).status_code == 422
    assert (await window.get("/v1/pace?as_of_index=1&as_of_recorded=2030-01-01T00:00:00Z")).status_code == 422


async def test_a_read_model_behind_the_log_is_not_taken_for_the_past(
    settings: Settings, connection: Connection, told: list[EntryDict]
) -> None:
    await lay_down(connection, told[:100])
    await connection.execute("UPDATE log.state SET size = 101")
    async with read_window(settings, connection) as window:
        assert (await window.json("/v1/pace?as_of_index=100"))["log_index"] == 100
        answer = await window.get("/v1/pace?as_of_index=101")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")


@every("query", ["agency=health", "group=2", "state=live", "agency=health&group=1&state=registered"])
async def test_services_are_filtered_and_paged(window: Window, query: str) -> None:
    wanted = dict(part.split("=") for part in query.split("&"))
    everything = [row for page in await window.pages("/v1/services", 1_000) for row in page]
    expected_rows = [row for row in everything if all(str(row[name]) == value for name, value in wanted.items())]
    assert [row for page in await window.pages(f"/v1/services?{query}", 3) for row in page] == expected_rows
    assert query == "agency=health&group=1&state=registered" or expected_rows, "the log has none of these"
    for faulty in ("group=4", "state=asleep", "agency=%3Cb%3E"):
        assert (await window.get(f"/v1/services?{faulty}")).status_code == 422
