"""The plan: at a glance and live, as of another time, its lists and files, and what is not there."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path
from typing import Any

import orjson
import pytest
from playwright.sync_api import Page, expect

from tests.browser.console import NARROW, Language, Story, Visitor, require_accessible, require_no_sideways_scroll
from tests.scenarios.figures import tell

BYTES_MAX = 150 * 1024
PAGE_BYTES_MAX = 40 * 1024
PATIENCE_MS = 120_000
MARKUP = "<script>alert(1)</script><img src=x onerror=alert(2)>"
BIDI = "\u202ename\u2066 (reversed"


def publish(story: Story, folder: Path, agency: str, *events: dict[str, Any]) -> None:
    """Send events as an agency, from a process of its own, and wait until every read model has them."""
    file = folder / "events.ndjson"
    file.write_bytes(b"".join(orjson.dumps(event) + b"\n" for event in events))
    story.system.run("publish", str(file), "--agency", agency, "--wait")
    story.system.settle()


def registered(service_id: str, agency: str, arabic: str, english: str) -> dict[str, Any]:
    name = {"ar": arabic, "en": english}
    return {
        "specversion": "1.0",
        "id": f"plan-page-{service_id}",
        "source": f"urn:yesser:agency:{agency}",
        "type": "sa.gov.yesser.service.registered.v1",
        "subject": f"service/{service_id}",
        "time": "2006-12-03T09:00:00+03:00",
        "datacontenttype": "application/json",
        # Of another plan: the figures of the story's plan stay as other tests know them.
        "data": {"service_id": service_id, "plan_id": "PLAN-PAGE", "group": 3, "name": name},
    }


def size_of(page: Page) -> int:
    return int(page.locator("#slider").get_attribute("max") or "")


@pytest.mark.parametrize(
    ("language", "title", "complete", "of"),
    [("ar", "الخطة الخمسية", "مكتمل", "من"), ("en", "The five-year e-government plan", "Complete", "of")],
)
def test_the_plan_in_one_picture(story: Story, language: Language, title: str, complete: str, of: str) -> None:
    with story.visit("office", language) as visitor:
        page = visitor.open("/plan")
        assert title in page.locator("h1").inner_text()
        for key, done, target in (("infrastructure", 5, 6), ("applications", 1, 9), ("group-1", 50, 50)):
            line = page.locator(f"#line-{key}").inner_text()
            assert re.search(rf"{done}\W+{of} \W*{target}\b", line), line
        assert complete in page.locator("main").inner_text()
        assert page.locator("svg[role=img]").count() == page.locator("svg[role=img][aria-label]").count() > 15
        assert page.locator("#line-group-1 a.why").get_attribute("href") == "/explain/plan/services/1/launched"
        page.locator("#launches-table summary").click()
        months = page.locator("#launches-table tbody tr")
        assert months.count() >= 20
        require_accessible(page)


def test_the_slider_moves_through_the_log_and_back_to_the_present(story: Story) -> None:
    with story.visit("office", "en") as visitor:
        page = visitor.open("/plan")
        size = size_of(page)
        page.locator("#slider").fill("0")
        expect(page.locator("#plan-caption")).to_contain_text("the log is empty", timeout=PATIENCE_MS)
        page.wait_for_url("**/plan?as_of_index=0")
        page.locator("#slider").fill("200")
        expect(page.locator("#plan-caption")).to_contain_text("after 200 entries", timeout=PATIENCE_MS)
        why = page.locator("#line-group-1 a.why")
        expect(why).to_have_attribute("href", "/explain/plan/services/1/launched?before=200")
        # A range is one of the few fields that a keyboard moves by steps.
        page.locator("#slider").focus()
        page.keyboard.press("ArrowRight")
        expect(page.locator("#plan-caption")).to_contain_text("after 201 entries", timeout=PATIENCE_MS)
        page.keyboard.press("End")
        expect(page.locator("#plan-caption")).to_contain_text("Now, after", timeout=PATIENCE_MS)
        page.wait_for_url("**/plan")
        assert size_of(page) >= size


@pytest.mark.parametrize(
    ("language", "after", "empty"),
    [("ar", "كما كانت بعد 300", "السجل فارغ"), ("en", "As it was after 300", "the log is empty")],
)
def test_without_script_a_form_and_links_lead_through_time(
    story: Story, language: Language, after: str, empty: str
) -> None:
    with story.visit("auditor", language, java_script_enabled=False) as visitor:
        page = visitor.open("/plan")
        page.locator("#time-choice summary").click()
        page.fill("#as_of_index", "300")
        page.locator("#time-form button").click()
        assert after in page.locator("#plan-caption").inner_text()
        page.locator("#plan-steps a[rel=prev]").click()
        assert "as_of_index=" in page.url
        page.locator("#plan-steps a").first.click()
        assert empty in page.locator("#plan-caption").inner_text()
        visitor.open("/plan?as_of_recorded=2001-01-01")
        assert empty in page.locator("#plan-caption").inner_text()
        visitor.open("/plan?as_of_recorded=2999-01-01")
        assert page.locator("main .notice").count() == 1


@pytest.mark.parametrize(
    ("query", "said", "typed"),
    [
        ("as_of_index=99999999", "The plan has read", "99999999"),
        ("as_of_index=-4", "Write a number from 0 to", "-4"),
        ("as_of_index=%3Cb%3E", "Write a number from 0 to", "<b>"),
        ("as_of_recorded=yesterday", "Write a date such as", ""),
        ("as_of_index=3&as_of_recorded=2026-11-25", "not both", "3"),
    ],
)
def test_a_state_that_is_not_there_is_a_sentence_and_the_present(
    story: Story, query: str, said: str, typed: str
) -> None:
    with story.visit("office", "en") as visitor:
        page = visitor.open(f"/plan?{query}", status=422)
        assert said in page.locator("main [role=alert]").inner_text()
        assert "Now, after" in page.locator("#plan-caption").inner_text()
        assert page.input_value("#as_of_index") == typed
        require_accessible(page)


@pytest.mark.parametrize(("language", "all_of"), [("ar", "كل الخدمات"), ("en", "All services")])
def test_by_keyboard_from_a_group_to_the_entry_of_a_step(story: Story, language: Language, all_of: str) -> None:
    with story.visit("office", language) as visitor:
        page = visitor.open("/plan/services")
        page.locator("#group").focus()
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Tab")
        page.keyboard.press("ArrowDown")
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Tab")
        page.keyboard.type("health")
        page.keyboard.press("Enter")
        page.wait_for_url("**/plan/services?group=1&state=live&agency=health")
        rows = page.locator("tbody tr")
        assert rows.count() >= 1
        assert set(page.locator("tbody td:nth-of-type(1)").all_inner_texts()) == {"health"}
        service = page.locator("tbody a").first
        address = service.get_attribute("href") or ""
        assert address.startswith("/plan/services/")
        service.focus()
        page.keyboard.press("Enter")
        page.wait_for_url(f"**{address}")
        assert page.get_by_role("link", name=all_of).count() == 1
        entry = page.locator("tbody a").first.get_attribute("href") or ""
        assert re.fullmatch("/audit/entries/[0-9]+", entry)


def test_services_page_by_page_and_as_a_file(story: Story) -> None:
    with story.visit("office", "en") as visitor:
        page = visitor.open("/plan/services?state=live")
        seen = page.locator("tbody a").all_inner_texts()
        assert len(seen) == 50
        page.get_by_role("link", name="Next page").click()
        following = page.locator("tbody a").all_inner_texts()
        assert following
        assert page.get_by_role("link", name="First page").count() == 1
        rows = read_file(visitor, "/plan/services.csv?state=live&group=1")
        assert len(rows) >= 50
        assert {row["state"] for row in rows} == {"live"}
        page = visitor.open("/plan/services?agency=NOT%20A%20CODE%3Cb%3E", status=422)
        assert "There is no such filter" in page.locator("main").inner_text()
        page = visitor.open("/plan/services?agency=nobody-here")
        assert "There are no such services" in page.locator("main").inner_text()


def read_file(visitor: Visitor, address: str) -> list[dict[str, str]]:
    """A file that a page offers, by name of column."""
    answer = visitor.page.request.get(visitor.address + address)
    assert answer.status == 200, address
    assert "attachment" in answer.headers["content-disposition"]
    return list(csv.DictReader(io.StringIO(answer.body().decode("utf-8-sig"))))


@pytest.mark.parametrize("path", ["/plan", "/plan?as_of_index=700", "/plan/projects", "/plan/training"])
def test_every_table_of_a_page_is_a_file_that_opens(story: Story, path: str) -> None:
    with story.visit("auditor", "en") as visitor:
        page = visitor.open(path)
        files = [link.get_attribute("href") or "" for link in page.locator(".csv a").all()]
        assert files
        for address in files:
            assert read_file(visitor, address), address
            assert ("as_of_index=700" in address) == ("as_of_index" in path)


def test_projects_show_their_phases_and_history(story: Story) -> None:
    with story.visit("office", "en") as visitor:
        page = visitor.open("/plan/projects")
        assert page.locator("section tbody tr").count() >= 9
        page.get_by_role("link", name="Government human resources").click()
        page.wait_for_url("**/plan/projects/NATIONAL-PERSONNEL")
        text = page.locator("main").inner_text()
        assert "Phase completed, 1: First phase" in text
        assert "3 December 2006" in text
        rows = read_file(visitor, "/plan/projects/NATIONAL-PERSONNEL/history.csv")
        assert rows[0]["type"] == "project.registered"


def test_awareness_of_an_agency_is_its_own(story: Story) -> None:
    with story.visit("agency", "en") as visitor:
        page = visitor.open("/plan/awareness")
        assert "Your agency's launched services" in page.locator("main").inner_text()
        assert page.locator("[aria-labelledby=by-agency] tbody th").all_inner_texts() == ["health"]
        visitor.open("/plan/awareness?agency=labour", status=403)
        assert {row["agency"] for row in read_file(visitor, "/plan/awareness.csv")} == {"health"}


def test_an_agency_sees_the_money_of_its_own_partnerships_only(story: Story) -> None:
    with story.visit("agency", "en") as visitor, story.visit("office", "en") as office:
        assert "PPP-110-001" in office.open("/plan").locator("main").inner_text()
        assert "PPP-110-001" not in visitor.open("/plan").locator("main").inner_text()


@pytest.mark.parametrize("role", ["partner", "treasury", "administrator"])
def test_the_plan_is_not_for_every_role(story: Story, role: str) -> None:
    with story.visit(role, "en") as visitor:
        for path in ("/plan", "/plan/services", "/plan/figures.csv"):
            visitor.open(path, status=403)


@pytest.mark.parametrize(
    "path",
    [
        "/plan/services/NOT-THERE",
        "/plan/services/%3Cscript%3E",
        "/plan/projects/NOT-THERE",
        "/plan/projects/NOT-THERE/history.csv",
        "/plan/nothing.csv",
        "/plan/nothing",
    ],
)
def test_what_is_not_there_is_a_page_that_says_so(story: Story, path: str) -> None:
    with story.visit("office", "en") as visitor:
        page = visitor.open(path, status=404)
        assert page.locator("h1").count() == 1


def test_markup_and_direction_marks_in_names_are_text_and_change_nothing_around_them(
    story: Story, tmp_path: Path
) -> None:
    service = registered("PLAN-PAGE-HOSTILE", "labour", MARKUP, BIDI)
    publish(story, tmp_path, "labour", service)
    with story.visit("office", "ar") as visitor:
        page = visitor.open("/plan/services/PLAN-PAGE-HOSTILE")
        assert page.locator("h1").inner_text() == MARKUP
        assert page.locator("main script, main img").count() == 0
        page.set_viewport_size(NARROW)
        require_no_sideways_scroll(page)
        page = visitor.open("/plan/services?agency=labour&state=registered")
        assert MARKUP in page.locator("tbody").inner_text()
    with story.visit("office", "en") as visitor:
        page = visitor.open("/plan/services/PLAN-PAGE-HOSTILE")
        assert page.locator("h1 bdi").inner_text().startswith("\u202ename")
        (row,) = [
            row
            for row in read_file(visitor, "/plan/services.csv?agency=labour")
            if row["service_id"] == "PLAN-PAGE-HOSTILE"
        ]
        assert row["name_ar"] == MARKUP


def test_an_open_page_follows_the_log(story: Story, tmp_path: Path) -> None:
    with story.visit("office", "en") as visitor:
        page = visitor.open("/plan/services?agency=customs&state=registered")
        expect(page.locator("#live-state")).to_contain_text("Live", timeout=PATIENCE_MS)
        assert "A live service" not in page.locator("main").inner_text()
        publish(story, tmp_path, "customs", registered("PLAN-PAGE-LIVE", "customs", "خدمة حية", "A live service"))
        expect(page.locator("main")).to_contain_text("A live service", timeout=PATIENCE_MS)


def test_a_page_whose_news_were_answered_with_an_error_follows_the_log_again(story: Story) -> None:
    """Such an answer ends a connection for good: the browser opens none by itself."""
    with story.visit("office", "en") as visitor:
        visitor.page.route("**/live", lambda route: route.fulfill(status=503, body="Too many pages"))
        page = visitor.open("/plan")
        expect(page.locator("#live-state")).to_contain_text("The connection is lost", timeout=PATIENCE_MS)
        page.unroute("**/live")
        with page.expect_response(lambda answer: answer.request.headers.get("x-live") == "1", timeout=PATIENCE_MS):
            expect(page.locator("#live-state")).to_contain_text("Live", timeout=PATIENCE_MS)
        visitor.faults[:] = [fault for fault in visitor.faults if "status of 503" not in fault]


def test_the_plan_is_small_on_the_line(story: Story) -> None:
    """Every byte that a browser without a cache fetches for the page, font, style and script included."""
    with story.visit("office", "ar") as visitor:
        line = visitor.page.context.new_cdp_session(visitor.page)
        line.send("Network.enable")
        line.send("Network.setCacheDisabled", {"cacheDisabled": True})
        sizes: dict[str, int] = {}
        line.on("Network.loadingFinished", lambda done: sizes.update({done["requestId"]: done["encodedDataLength"]}))
        page = visitor.open("/plan")
        page.wait_for_function("document.fonts.status === 'loaded'")
        assert len(page.content().encode()) <= PAGE_BYTES_MAX + 8 * 1024, "what script has added counts too"
        assert len(sizes) >= 5, sizes
        assert sum(sizes.values()) <= BYTES_MAX, sizes


def test_a_printed_plan_has_its_figures_and_no_forms(story: Story) -> None:
    with story.visit("office", "ar") as visitor:
        page = visitor.open("/plan")
        page.emulate_media(media="print")
        assert page.locator("#line-infrastructure").is_visible()
        assert not page.locator("#time-form").is_visible()
        assert not page.locator(".top").is_visible()


# The page's policy refuses `wait_for_function`, which evaluates text in the page.
PAINTED = """() => new Promise(resolve => new PerformanceObserver(seen => {
    const [first] = seen.getEntriesByName("first-contentful-paint");
    if (first) resolve(first.startTime);
}).observe({ type: "paint", buffered: true }))"""


@pytest.mark.accept
@pytest.mark.alone
def test_how_soon_the_plan_is_painted(story: Story) -> None:
    seconds = []
    for _ in range(10):
        with story.visit("office", "ar") as visitor:
            seconds.append(round(visitor.open("/plan").evaluate(PAINTED)))
    tell(f"/plan in a new browser: first contentful paint {sorted(seconds)} ms")
