"""The plan: at a glance and live, as of another time, its lists and files, and what is not there."""

from __future__ import annotations

import csv
import io
import re
from html import escape, unescape

from playwright.sync_api import Page, expect

from tests.browser.console import NARROW, PATIENCE_MS, WIDE, Story, require_no_sideways_scroll
from tests.browser.lines import publish, registered
from tests.every import every
from tests.page_rules import faults_of

BYTES_MAX = 150 * 1024
PAGE_BYTES_MAX = 40 * 1024


def size_of(page: Page) -> int:
    return int(page.locator("#slider").get_attribute("max") or "")


def test_the_plan_in_one_picture(story: Story) -> None:
    with story.visit("office", "ar") as visitor:
        page = visitor.open("/plan")
        assert "الخطة الخمسية" in page.locator("h1").inner_text()
        for key, done, target in (("infrastructure", 5, 6), ("applications", 0, 3), ("group-1", 50, 50)):
            line = page.locator(f"#line-{key}").inner_text()
            assert re.search(rf"{done}\W+من \W*{target}\b", line), line
        assert "مكتمل" in page.locator("main").inner_text()
        assert page.locator("svg[role=img]").count() == page.locator("svg[role=img][aria-label]").count() > 15
        assert page.locator("#line-group-1 a.why").get_attribute("href") == "/explain/plan/services/1/launched"
        page.locator("#launches-table summary").click()
        months = page.locator("#launches-table tbody tr")
        assert months.count() >= 20


def test_the_slider_moves_through_the_log_and_back_to_the_present(story: Story) -> None:
    with story.visit("office", "en") as visitor:
        page = visitor.open("/plan")
        size = size_of(page)
        page.locator("#slider").fill("0")
        expect(page.locator("#plan-caption")).to_contain_text("the log is empty")
        page.wait_for_url("**/plan?as_of_index=0")
        page.locator("#slider").fill("200")
        expect(page.locator("#plan-caption")).to_contain_text("after 200 entries")
        why = page.locator("#line-group-1 a.why")
        expect(why).to_have_attribute("href", "/explain/plan/services/1/launched?before=200")
        # A range is one of the few fields that a keyboard moves by steps.
        page.locator("#slider").focus()
        page.keyboard.press("ArrowRight")
        expect(page.locator("#plan-caption")).to_contain_text("after 201 entries")
        page.keyboard.press("End")
        expect(page.locator("#plan-caption")).to_contain_text("Now, after")
        page.wait_for_url("**/plan")
        assert size_of(page) >= size


def test_without_script_a_form_and_links_lead_through_time(story: Story) -> None:
    with story.visit("auditor", "en", java_script_enabled=False) as visitor:
        page = visitor.open("/plan")
        page.locator("#time-choice summary").click()
        page.fill("#as_of_index", "300")
        page.locator("#time-form button").click()
        expect(page.locator("#plan-caption")).to_contain_text("As it was after 300")
        page.locator("#plan-steps a[rel=prev]").click()
        expect(page.locator("#plan-caption")).not_to_contain_text("after 300")
        page.locator("#plan-steps a").first.click()
        expect(page.locator("#plan-caption")).to_contain_text("the log is empty")
        visitor.open("/plan?as_of_recorded=2001-01-01")
        expect(page.locator("#plan-caption")).to_contain_text("the log is empty")
        visitor.open("/plan?as_of_recorded=2999-01-01")
        assert page.locator("main .notice").count() == 1


@every(
    "query, said, typed",
    [
        ("as_of_index=99999999", "The plan has read", "99999999"),
        ("as_of_index=-4", "Write a number from 0 to", "-4"),
        ("as_of_index=%3Cb%3E", "Write a number from 0 to", "<b>"),
        ("as_of_recorded=yesterday", "Write a date such as", ""),
        ("as_of_index=3&as_of_recorded=2026-11-25", "not both", "3"),
    ],
)
def test_a_missing_state_is_a_sentence_and_the_present(story: Story, query: str, said: str, typed: str) -> None:
    answer = story.get("office", f"/plan?{query}")
    assert answer.status_code == 422
    assert said in answer.text.partition('role="alert"')[2].partition("</div>")[0]
    assert "Now, after" in answer.text
    assert f'id="as_of_index" name="as_of_index" type="text" value="{escape(typed)}"' in answer.text
    assert faults_of(answer.text) == []


def test_services_page_by_page_and_as_a_file(story: Story) -> None:
    with story.visit("office", "en") as visitor:
        page = visitor.open("/plan/services?state=live")
        seen = page.locator("tbody a").all_inner_texts()
        assert len(seen) == 50
        page.get_by_role("link", name="Next page").click()
        expect(page.get_by_role("link", name="First page")).to_have_count(1)
        following = page.locator("tbody a").all_inner_texts()
        assert following
        rows = read_file(story, "office", "/plan/services.csv?state=live&group=1")
        assert len(rows) >= 50
        assert {row["state"] for row in rows} == {"live"}
    wrong = story.get("office", "/plan/services?agency=NOT%20A%20CODE%3Cb%3E")
    assert (wrong.status_code, "There is no such filter" in wrong.text) == (422, True)
    assert "There are no such services" in story.get("office", "/plan/services?agency=nobody-here").text


def read_file(story: Story, role: str, address: str) -> list[dict[str, str]]:
    """A file that a page offers, by name of column."""
    answer = story.get(role, address)
    assert answer.status_code == 200, address
    assert "attachment" in answer.headers["content-disposition"]
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))


@every("path", ["/plan", "/plan?as_of_index=700", "/plan/projects", "/plan/training"])
def test_every_table_of_a_page_is_a_file_that_opens(story: Story, path: str) -> None:
    files = [unescape(found) for found in re.findall('href="([^"]+[.]csv[^"]*)"', story.get("auditor", path).text)]
    assert files
    for address in files:
        assert read_file(story, "auditor", address), address
        assert ("as_of_index=700" in address) == ("as_of_index" in path)


def test_a_name_of_200_letters_without_a_space_stays_within_its_place(story: Story) -> None:
    name = ("\u202e" + "خدمة\u200f\u202bطويلة\u202c" * 20)[:200]
    publish(story, "labour", registered("PLAN-PAGE-LONG", "PLAN-PAGE", {"ar": name, "en": "Long"}))
    for window in (NARROW, WIDE):
        with story.visit("office", "ar", viewport=window) as visitor:
            require_no_sideways_scroll(visitor.open("/plan/services/PLAN-PAGE-LONG"))
            page = visitor.open("/plan/services?agency=labour&state=registered")
            cell = page.locator("th", has=page.locator("a[href$=PLAN-PAGE-LONG]"))
            assert cell.evaluate("one => one.scrollWidth <= one.clientWidth"), "it covers the cell beside it"
            assert cell.evaluate("one => one.clientWidth < 0.7 * innerWidth"), "it hides the other columns"


def test_an_open_page_follows_the_log(story: Story) -> None:
    with story.visit("office", "en") as visitor:
        page = visitor.open("/plan/services?agency=customs&state=registered")
        expect(page.locator("#live-state")).to_contain_text("Live")
        assert "A live service" not in page.locator("main").inner_text()
        name = {"ar": "خدمة حية", "en": "A live service"}
        publish(story, "customs", registered("PLAN-PAGE-LIVE", "PLAN-PAGE", name))
        expect(page.locator("main")).to_contain_text("A live service")


def test_a_page_whose_news_were_answered_with_an_error_follows_the_log_again(story: Story) -> None:
    """Such an answer ends a connection for good: the browser opens none by itself."""
    with story.visit("office", "en") as visitor:
        visitor.page.route("**/live", lambda route: route.fulfill(status=503, body="Too many pages"))
        page = visitor.open("/plan")
        expect(page.locator("#live-state")).to_contain_text("The connection is lost")
        page.unroute("**/live")
        with page.expect_response(lambda answer: answer.request.headers.get("x-live") == "1", timeout=PATIENCE_MS):
            expect(page.locator("#live-state")).to_contain_text("Live")
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


def test_the_plan_as_it_occurred_has_the_figures_of_the_terminal(story: Story) -> None:
    on = "2006-12-31"
    told = story.run("plan", "--as-of-occurred", on)
    file = story.get("office", f"/plan/figures.csv?as_of_recorded={on}&by=occurred").text.lstrip("\ufeff")
    done = {row["figure_en"]: int(row["done"]) for row in csv.DictReader(io.StringIO(file))}
    assert done["Infrastructure projects"] == told["infrastructure"]["completed"]
    launched = sum(group["launched"] for group in told["services"]["groups"].values())
    assert (done["Services launched"], launched > 0, "Awareness, radio" in done) == (launched, True, False)
    page = story.get("office", f"/plan?as_of_recorded={on}&by=occurred").text
    assert "Not judged" in page
    assert 'class="why"' not in page
    assert 'class="why"' in story.get("office", "/plan").text
