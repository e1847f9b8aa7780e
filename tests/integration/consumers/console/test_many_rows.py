"""Pages of the plan stay small however much a plan has."""

from __future__ import annotations

import gzip
import re

from infra.postgres.connection import Connection
from infra.settings import Settings
from tests.integration.consumers.read_api.read_api import lay_down
from tests.oracle.log import EntryDict, JsonObject, make_entry, make_event, registration
from tests.world.consoles import add_account, console

PROJECTS = 230
PAGE_BYTES_MAX = 150 * 1024
PLAN: JsonObject = {
    "plan_id": "P",
    "name": {"ar": "خطة", "en": "Plan"},
    "starts_on": "2026-01-01",
    "ends_on": "2030-12-31",
    "targets": {
        "infrastructure_projects": 1,
        "national_applications": PROJECTS,
        "services": {"1": 1, "2": 1, "3": 1},
    },
}


def registered(project_id: str) -> JsonObject:
    name = {"ar": "تطبيق", "en": f"Application {project_id}"}
    data = {"project_id": project_id, "plan_id": "P", "kind": "national-application", "name": name}
    phases = [{"phase": 1, "name": {"ar": "الأولى", "en": "First"}}]
    return make_event("project.registered", "health", f"project/{project_id}", {**data, "phases": phases}, project_id)


def log() -> list[EntryDict]:
    adopted = make_event("plan.adopted", "yesser", "plan/P", PLAN, "plan")
    agencies = [registration("yesser", "office"), registration("health", "agency")]
    events = [*agencies, adopted, *(registered(f"APP-{number:03}") for number in range(PROJECTS))]
    return [make_entry(index, event) for index, event in enumerate(events)]


def linked(page: str) -> list[str]:
    return re.findall(r'href="/plan/projects/(APP-\d+)"', page)


async def test_many_applications_are_counted_on_the_plan_and_listed_page_by_page(
    settings: Settings, connection: Connection
) -> None:
    await lay_down(connection, log())
    await add_account(connection, "reader", "office")
    async with console(settings) as served, served.signed_in("reader") as client:
        plan = (await client.get("/plan")).text
        assert len(gzip.compress(plan.encode())) < PAGE_BYTES_MAX
        shown = linked(plan)
        assert 0 < len(shown) < PROJECTS
        more = re.search(r'href="/plan/projects#national-application">More: <[^>]*>(\d+)', plan)
        assert more is not None
        assert len(shown) + int(more[1]) == PROJECTS
        address, pages = "/plan/projects", []
        while address:
            page = (await client.get(address)).text
            pages.append(linked(page))
            following = re.search(r'rel="next" href="([^"]+)"', page)
            address = following[1] if following else ""
        assert [name for own in pages for name in own] == [f"APP-{number:03}" for number in range(PROJECTS)]
        assert len(pages) > 1
