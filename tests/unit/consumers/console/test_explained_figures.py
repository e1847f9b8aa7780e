"""The plan's figures lead to their explanations: of the state that is shown, and for those who may see them."""

from __future__ import annotations

import asyncio
import html
import re
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final
from urllib.parse import unquote

from consumers.console.accounts.accounts import Role
from consumers.documents.document import document_of
from consumers.documents.log.explanations import Explanation
from consumers.explain.derivations import Derivation
from consumers.explain.explain import Explained, KnownSource, Reach, Request, explain
from consumers.explain.figures import Scope
from infra.http.problems import Problem
from tests.every import every
from tests.world.pages import Documents, Positions, account_of, browser
from tests.world.partnership import History
from tests.world.plan import PACE, pace_of, plan_of

ENTRIES: Final = 900
HALTED_AT: Final = 300
AHEAD: Final = 1_000
DAYS: Final = {"starts_on": "2003-09-06", "ends_on": "2006-06-01"}
COUNTS: Final = ("/explain/plan/anomalies/count", "/explain/plan/refusals/count")


class Plan(Documents):
    """It remembers what it was asked to explain."""

    def __init__(self, plan: Mapping[str, Any] = {}, pace: Mapping[str, Any] = {}) -> None:
        super().__init__(self.document)
        self.explained: list[tuple[str, Any]] = []
        self._plan = plan
        self._pace = pace

    def document(self, path: str, parameters: Mapping[str, Any]) -> Any:
        index = parameters["as_of_index"]
        if path == "plan_for":
            return plan_of(**self._plan, log_index=ENTRIES if index is None else index)
        if path == "pace_for":
            if index is not None and index > ENTRIES:
                raise Problem("database-away")
            return pace_of(**self._pace, plan=PACE["plan"] | DAYS, recorded=None)
        assert (path, parameters["model"]) == ("explained_for", "plan")
        self.explained.append((parameters["key"], index))
        key, _, field = parameters["key"].rpartition("/")
        about = {"index": 7, "recordedtime": "2026-11-01T06:00:00.000000Z", "type": "service.launched"}
        about |= {"agency": "health", "subject": "service/S-1", "id": "E-1"}
        step = {**about, "data": None, "waited": [], "changes": {field: {"before": 0, "after": 1}}}
        figures = {"figures": {field: 1}, "start": {field: 0}, "total": {field: 1}}
        asked = {"model": "plan", "key": key, "field": field, "log_index": index or ENTRIES}
        rest = {"is_complete": True, "ok": True, "steps_count": 1, "earlier": None, "steps": [step]}
        return Explained(document_of(Explanation, {**asked, **figures, **rest}), Derivation())


def shown_to(role: Role, plan: Plan, language: str | None = None) -> Any:
    """One of the read models is halted."""
    positions = Positions(deliveries=AHEAD, projections=ENTRIES, revenue=HALTED_AT)
    return browser(account_of(role), language, read_api=plan, live=positions)


def addresses(page: str) -> list[str]:
    return [html.unescape(address) for address in re.findall(r'class="why" href="([^"]*)"', page)]


async def test_each_amount_of_a_sum_keeps_its_currency_in_arabic() -> None:
    async with shown_to("office", Plan(), "ar") as client:
        page = (await client.get("/explain/plan/partnerships/P-1/net_halalas")).text
    amounts = re.findall(r"<bdi>(.*?ر\.س</span>)</bdi>", page.partition('class="sum">')[2].partition("</p>")[0])
    assert [re.sub("<.*?>", "", amount) for amount in amounts] == ["0.00 ر.س", "0.01 ر.س", "0.01 ر.س"]


@every(("asked", "index"), [("", None), ("?as_of_index=400", 400)])
async def test_a_figure_is_explained_as_of_the_state_that_the_page_shows(asked: str, index: int | None) -> None:
    plan = Plan()
    async with shown_to("office", plan) as client:
        found = addresses((await client.get(f"/plan{asked}")).text)
        assert {address.partition("?")[0] for address in found} >= {*COUNTS, "/explain/plan/services/1/launched"}
        for address in (found[0], "/explain/plan/infrastructure/registered", *COUNTS):
            chosen = next(one for one in found if one.startswith(address))
            assert (await client.get(chosen)).status_code == 200
            assert plan.explained[-1] == (unquote(chosen.partition("?")[0]).removeprefix("/explain/plan/"), index)
        assert len({address.partition("?")[2] for address in found}) == 1


@every(("index", "status"), [(HALTED_AT + 1, 200), (ENTRIES, 200), (ENTRIES + 1, 422), (AHEAD, 422), (AHEAD + 1, 422)])
async def test_another_read_model_hides_no_state_of_the_past_and_shows_none_too_early(index: int, status: int) -> None:
    async with shown_to("office", Plan()) as client:
        page = await client.get(f"/plan?as_of_index={index}")
        assert page.status_code == status, "with the plan of now where there is no such state yet"
        assert f'max="{ENTRIES}"' in page.text


async def test_no_target_decides_how_long_a_page_is_and_the_file_of_agencies_has_all_of_them() -> None:
    figures = dict.fromkeys(("services", "launched", "expected_launched", "phases", "completed"), 1)
    agencies = [{"agency": f"agency-{n:02}", **figures, "expected_completed": 0} for n in range(55)]
    target = {"target": 2**53 - 1, "registered": 6, "completed": 4, "cancelled": 2}
    async with shown_to("office", Plan({"infrastructure": target}, pace={"agencies": agencies})) as client:
        assert len((await client.get("/plan/agencies.csv")).text.splitlines()) == 1 + 55
        page = (await client.get("/plan")).text
    assert "agency-54" not in page
    assert len(page) < 100_000


async def test_a_cancelled_project_is_not_drawn_as_begun() -> None:
    one_left = {"target": 6, "registered": 6, "completed": 3, "cancelled": 2}
    async with shown_to("office", Plan({"infrastructure": one_left}), "en") as client:
        page = (await client.get("/plan")).text
    segments = page.partition("Infrastructure projects: 3 of 6 completed, 4 registered and not cancelled")[2]
    drawn = re.findall(r'class="(bar-\w+)"', segments.partition("</svg>")[0])
    assert drawn == ["bar-done"] * 3 + ["bar-begun"] + ["bar-whole"] * 2


async def test_no_link_leads_to_a_state_that_is_not_there_yet() -> None:
    async with shown_to("office", Plan()) as client:
        for asked, has_next in (("", False), (f"?as_of_index={ENTRIES}", False), (f"?as_of_index={ENTRIES - 1}", True)):
            assert ('rel="next"' in (await client.get(f"/plan{asked}")).text) is has_next, asked


@every(
    ("role", "has_links", "has_proofs"),
    [("office", True, True), ("auditor", True, True), ("agency", False, True), ("team", False, False)],
)
async def test_counts_of_the_whole_log_and_proofs_are_promised_to_those_who_see_them(
    role: Role, has_links: bool, has_proofs: bool
) -> None:
    async with shown_to(role, Plan()) as client:
        found = addresses((await client.get("/plan")).text)
        assert "/explain/plan/services/1/launched" in found
        assert {*COUNTS}.isdisjoint(found) is not has_links
        page = (await client.get("/explain/plan/services/1/launched")).text
        assert "كل قيد أدناه غيّر الرقم" in page
        assert ("إثبات" in page) is has_proofs


class Statement(Documents):
    """It explains a statement from its entries alone."""

    def __init__(self, history: History) -> None:
        super().__init__(self.document)
        raw = history.raw()
        self._log = KnownSource(Reach(len(raw)), {Scope("partnership/P1"): raw}, None, {})

    def document(self, path: str, parameters: Mapping[str, Any]) -> Any:
        assert (path, parameters["model"], parameters["derives"]) == ("explained_for", "statements", True)
        key, _, field = parameters["key"].rpartition("/")
        with ThreadPoolExecutor(1) as thread:
            request = Request("statements", key, field, parameters["limit"], derives=True)
            return thread.submit(asyncio.run, explain(self._log, request)).result()


@every("address", ["/partnerships/P1/statements/2005-01/explain/{}", "/explain/statements/P1/2005-01/{}"])
async def test_a_line_of_a_statement_is_shown_with_its_formula_its_bands_and_its_transfers(address: str) -> None:
    history = History((40_000, "2005-01-10"))
    history.close("2005-01")
    async with browser(account_of("office"), "en", read_api=Statement(history)) as client:
        base = (await client.get(address.format("partner_base_halalas"))).text
        total = (await client.get(address.format("partner_total_halalas"))).text
    for words in (
        "The table agrees with the log",
        "the sum of the partner",
        "Version in force",
        "Band of the",
        "Receipt",
    ):
        assert words in base, words
    assert 'class="formula"' in total
    assert "Band of the" not in total
    assert 'href="/partnerships/P1/statements/2005-01"' in total
