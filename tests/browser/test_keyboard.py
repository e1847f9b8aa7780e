"""Each journey by the keyboard alone, in one language or the other: nothing is clicked, no test sets the focus."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

from playwright.sync_api import Page, expect

from consumers.console.page_request import home_of
from tests.browser.campaigns import launched, shown
from tests.browser.console import Story, require_accessible, require_both_directions
from tests.browser.lines import initiative

TABS_MAX: Final = 120
_HAS_FOCUS: Final = "selector => document.activeElement.matches(selector)"


def tab_to(page: Page, selector: str) -> None:
    """Press Tab until an element that fits has the focus."""
    for _ in range(TABS_MAX):
        page.keyboard.press("Tab")
        if page.evaluate(_HAS_FOCUS, selector):
            return
    raise AssertionError(f"{selector} is not reached by the Tab key")


def type_into(page: Page, selector: str, text: str) -> None:
    """Reach a field, and type this in place of what stands there."""
    tab_to(page, selector)
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type(text)


def follow(page: Page, selector: str) -> None:
    """Reach a link or a button, press Enter, and wait for the page that it leads to."""
    tab_to(page, selector)
    with page.expect_navigation():
        page.keyboard.press("Enter")


PARTNERSHIP = "/partnerships/PPP-110-001"
FORM = "/workspace/publish/awareness.initiative-announced"
CHECK_MS = 240_000


def test_signing_in_and_out(story: Story) -> None:
    with story.visit(None, "ar") as visitor:
        page = visitor.open("/sign-in")
        type_into(page, "#username", "agency")
        type_into(page, "#password", "not the password")
        with page.expect_navigation():
            page.keyboard.press("Enter")
        expect(page.locator("[role=alert]")).to_contain_text("اسم الحساب أو كلمة المرور غير صحيح")
        assert page.input_value("#username") == "agency"
        story.cookies("agency")
        type_into(page, "#password", story.passwords["agency"])
        with page.expect_navigation():
            page.keyboard.press("Enter")
        assert page.url == f"{story.address}/plan"
        follow(page, "form[action='/sign-out'] button")
        assert "/sign-in" in page.url
        visitor.open("/account")
        assert "/sign-in" in page.url, "the session has ended"


def test_choosing_a_password_after_the_first(story: Story) -> None:
    first = story.run("accounts", "add", "newcomer", "--role", "auditor")["password"]
    with story.visit(None, "en") as visitor:
        page = visitor.open("/sign-in")
        type_into(page, "#username", "newcomer")
        type_into(page, "#password", first)
        page.keyboard.press("Enter")
        page.wait_for_url("**/account/password")
        assert page.locator("h1").inner_text() == "Choose a password"
        require_both_directions(page)
        type_into(page, "#password", first)
        type_into(page, "#new_password", "a password of my own")
        page.keyboard.press("Enter")
        page.wait_for_url(f"**{home_of('auditor')}")


def test_publishing_from_a_form(story: Story) -> None:
    typed = {"initiative_id": "KEYS-en", "name.ar": "اسم", "name.en": "Name", "aim.ar": "هدف", "aim.en": "Aim"}
    with story.visit("agency", "en") as visitor:
        page = visitor.open(FORM)
        for field, text in typed.items():
            type_into(page, f"[id='data.{field}']", text)
        type_into(page, "[id='data.on']", "2006-03-01")
        page.keyboard.press("Enter")
        expect(page.locator("h1")).to_have_text("Review before sending")
        assert "1 March 2006 (1 Safar 1427 AH)" in page.locator("main").inner_text()
        follow(page, "form[action='/workspace/send'] button")
        expect(page.locator("h1")).to_have_text("The event is registered")


def test_uploading_a_file(story: Story, tmp_path: Path) -> None:
    file = tmp_path / "initiative.ndjson"
    file.write_text(json.dumps(initiative("KEYS-FILE-ar")), encoding="utf-8")
    with story.visit("agency", "ar") as visitor:
        page = visitor.open("/workspace/files")
        page.on("filechooser", lambda chooser: None)  # from now on the browser opens no window of its own
        tab_to(page, "#file")
        with page.expect_file_chooser() as chooser:
            page.keyboard.press("Enter")
        chooser.value.set_files(file)
        follow(page, "form[enctype] button")
        expect(page.locator("h1")).to_have_text("نتيجة الفحص")
        follow(page, "form[action$='/send'] button")
        expect(page.locator("h1")).to_have_text("اكتمل الملف")


def test_a_campaign_from_its_trigger_to_its_completion(story: Story) -> None:
    campaign_id = launched(story, "KEYS-CAMPAIGN")
    airing = {"outlet_ar": "القناة الأولى", "outlet_en": "Channel One", "on": "2026-11-26", "reach": "250,000"}
    with story.visit("team", "ar") as visitor:
        page = visitor.open(f"/campaigns/{campaign_id}")
        follow(page, "main a[href$='/acknowledge']")
        type_into(page, "#by", "مكتب الإعلام")
        page.keyboard.press("Enter")
        expect(page.locator("#by-fault")).to_contain_text("حروف لاتينية")
        assert page.input_value("#by") == "مكتب الإعلام"
        type_into(page, "#by", "news-desk")
        page.keyboard.press("Enter")
        page.wait_for_url(f"**/campaigns/{campaign_id}?**")
        expect(page.locator("#acknowledged")).to_contain_text("news-desk")
        follow(page, "main a[href$='/air']")
        tab_to(page, "[name=channel][value=tv]")
        page.keyboard.press("ArrowDown")
        for name, text in airing.items():
            type_into(page, f"#{name}", text)
        page.keyboard.press("Enter")
        page.wait_for_url(f"**/campaigns/{campaign_id}?**")
        expect(page.locator(".notice-good")).to_be_visible()
        follow(page, "main a[href$='/complete']")
        follow(page, "main form button")
        page.wait_for_url(f"**/campaigns/{campaign_id}?**")
        expect(page.locator("#state")).to_contain_text("اكتملت")
    found = shown(story, campaign_id)
    assert (found["state"], found["acknowledged_by"]) == ("completed", "news-desk")
    assert [(row["channel"], row["reach"]) for row in found["airings"]] == [("radio", 250_000)]
    trail = {row["command"] for row in story.run("trail") if row["account"] == "team"}
    assert {f"campaigns {what} {campaign_id}" for what in ("ack", "air", "complete")} <= trail


def test_downloading_a_statement(story: Story) -> None:
    with story.visit("partner", "ar") as visitor:
        page = visitor.open("/partnerships")
        follow(page, f"tbody a[href='{PARTNERSHIP}']")
        follow(page, f"a[href='{PARTNERSHIP}/statements/1426-09']")
        tab_to(page, "a[href$='/files/pdf']")
        with page.expect_download() as download:
            page.keyboard.press("Enter")
        assert download.value.suggested_filename == "PPP-110-001-1426-09.pdf"
        assert Path(download.value.path()).read_bytes().startswith(b"%PDF-")


def test_asking_what_if(story: Story) -> None:
    with story.visit("office", "en") as visitor:
        page = visitor.open(f"{PARTNERSHIP}/what-if")
        type_into(page, "#rate0", "65")
        page.keyboard.press("Enter")
        page.wait_for_url("**rate0=65**")
        page.locator("#result table").wait_for()
        assert page.locator('[data-for="rate0"]').input_value() == "6500"
        first = page.locator("#result tbody tr").first.inner_text()
        assert "82,915.00" in first
        assert "-5,922.50" in first, "5 % of 118,450.00"


def test_verifying_the_whole_log(story: Story) -> None:
    with story.visit("office", "ar") as visitor:
        page = visitor.open("/audit")
        tab_to(page, "#check-log")
        page.keyboard.press("Enter")
        page.wait_for_selector("#checks .notice-good:has(code)", timeout=CHECK_MS)
        require_accessible(page)
    assert "check log" in json.dumps(story.run("trail"))


def test_finding_an_entry(story: Story) -> None:
    with story.visit("auditor", "en") as visitor:
        page = visitor.open("/audit/log")
        tab_to(page, "#search summary")
        page.keyboard.press("Enter")
        type_into(page, "#subject", "service/commerce-01")
        page.keyboard.press("Enter")
        page.wait_for_url("**subject=service**")
        assert "service/commerce-01" in set(page.locator("tbody small").all_inner_texts())
        follow(page, "tbody th a")
        page.wait_for_selector("#verification[data-state=allGood]")


def test_explaining_a_figure_that_the_browser_verifies(story: Story) -> None:
    with story.visit("office", "ar") as visitor:
        page = visitor.open("/plan")
        follow(page, "#line-group-1 a.why")
        page.wait_for_selector("#rows-state[data-state=allGood]")
        follow(page, "tbody th a")
        page.wait_for_selector("#verification[data-state=allGood]")
