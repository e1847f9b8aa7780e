"""The agency's workspace: an event from its form to its entry, a file with its faults, and what goes wrong."""

from __future__ import annotations

import csv
import json
from pathlib import Path

from playwright.sync_api import FilePayload, Page, expect

from tests.browser.console import Story, Visitor, require_accessible, require_both_directions
from tests.browser.lines import initiative
from tests.world.consoles import TYPED, hidden

FORM = "/workspace/publish/awareness.initiative-announced"
CHECK = "تحقق وراجع"
MARKUP = "<img src=x onerror=alert(1)> \u202eabc\u202c <b>"


def fill(page: Page, initiative: str, name: str = "Open data") -> None:
    """An initiative's form, filled in."""
    texts = {"initiative_id": initiative, "on": "2006-03-01", "name.ar": "البيانات المفتوحة", "name.en": name}
    for field, text in {**texts, "aim.ar": "تعريف المستفيدين بها.", "aim.en": "To make it known."}.items():
        page.fill(f"[id='data.{field}']", text)


def press(page: Page, name: str) -> None:
    """Press a button, and wait for the page that it leads to."""
    with page.expect_navigation():
        page.locator("main").get_by_role("button", name=name, exact=True).click()


def upload(page: Page, name: str, content: bytes) -> None:
    page.set_input_files("#file", FilePayload(name=name, mimeType="text/plain", buffer=content))
    press(page, "Check the file")


def test_an_event_goes_from_its_form_to_its_entry_without_script(story: Story) -> None:
    with story.visit("agency", "ar", java_script_enabled=False) as visitor:
        page = visitor.open(FORM)
        press(page, CHECK)
        assert page.locator(".field-bad").count() == 6, "each empty field says so"
        fill(page, "FORM-AR", MARKUP)
        press(page, CHECK)
        assert MARKUP in page.locator("main").inner_text(), "markup is shown as it was typed"
        assert "صفر 1427" in page.content(), "the day in both calendars"
        press(page, "أرسل")
        expect(page.locator("h1")).to_have_text("سُجّل الحدث")
        entry = page.locator("main .notice a").get_attribute("href")
        assert entry is not None
        assert entry.startswith("/audit/entries/")
        found = story.run("log", "show", entry.rpartition("/")[2])
        assert found["event"]["data"]["name"]["en"] == MARKUP


def test_the_page_to_confirm_and_the_faults_are_accessible_and_narrow(story: Story) -> None:
    with story.visit("agency", "ar") as visitor:
        page = visitor.open("/workspace/publish/revenue.collected")
        page.fill("[id='data.amount_halalas']", "12.345")
        press(page, CHECK)
        assert page.input_value("[id='data.amount_halalas']") == "12.345", "what was typed is kept"
        require_accessible(page)
        for field in ("receipt_id", "partnership_id", "service_id"):
            page.fill(f"[id='data.{field}']", "R-1")
        page.fill("[id='data.amount_halalas']", "١٬٢٥٠٫٥")
        page.fill("[id='data.collected_on']", "2006-03-01")
        page.fill("[id='data.receipts']", "1")
        press(page, CHECK)
        expect(page.locator(".money")).to_contain_text("1,250.50")
        require_both_directions(page)


def test_the_same_form_sent_twice_is_one_event(story: Story) -> None:
    page = story.post("agency", FORM, **{**TYPED, "id": "twice-1"}).text
    for title in ("The event is registered", "The event was registered before"):
        sent = story.post("agency", "/workspace/send", event=hidden(page, "event"))
        story.settle()
        assert title in story.get("agency", sent.headers["location"]).text


def test_two_tabs_propose_two_ids_and_an_id_of_another_event_is_a_fault_of_the_form(story: Story) -> None:
    with story.visit("agency", "en") as visitor:
        page = visitor.open(FORM)
        mine = page.input_value("#id")
        other = page.context.new_page()
        other.goto(visitor.address + FORM)
        assert other.input_value("#id") != mine
        fill(page, "TAB-1")
        press(page, "Check and review")
        press(page, "Send")
        expect(page.locator("h1")).to_have_text("The event is registered")
        require_both_directions(page)
        fill(other, "TAB-2")
        other.fill("#id", mine)
        press(other, "Check and review")
        assert "Another event in the log has this id" in other.locator("#id-fault").inner_text()
        assert other.input_value("[id='data.initiative_id']") == "TAB-2"


def sign_in(page: Page, story: Story, role: str) -> None:
    page.fill("#username", role)
    page.fill("#password", story.passwords[role])
    press(page, "Sign in")


def lose_a_form(visitor: Visitor, story: Story, form_id: str, name: str = "") -> Page:
    """Fill in a form as the agency, and send it when the session has ended: the page to sign in."""
    page = visitor.open("/sign-in")
    sign_in(page, story, "agency")
    visitor.open(FORM)
    fill(page, form_id, name)
    page.context.clear_cookies(name="yesser-session")
    press(page, "Check and review")
    assert "Your session has ended" in page.locator(".notice").inner_text()
    return page


def test_a_session_that_ends_in_a_form_loses_nothing(story: Story) -> None:
    with story.visit(None, "en") as visitor:
        page = lose_a_form(visitor, story, "EXPIRED", MARKUP)
        page.fill("#username", "agency")
        page.fill("#password", "not the password")
        press(page, "Sign in")
        sign_in(page, story, "agency")
        expect(page.locator(".notice h2")).to_have_text("Your form was not sent")
        page.locator(".notice summary").click()
        assert MARKUP in page.locator(".notice").inner_text()
        require_accessible(page)
        page.get_by_role("button", name="Send it now").click()
        expect(page.locator("h1")).to_have_text("Review before sending")
        assert MARKUP in page.locator("main").inner_text()
        assert page.evaluate("sessionStorage.length") == 0, "it has arrived"


def test_what_one_account_typed_is_not_shown_to_another(story: Story) -> None:
    with story.visit(None, "en") as visitor:
        page = lose_a_form(visitor, story, "NOT-YOURS")
        sign_in(page, story, "office")
        expect(page.locator("h1")).to_be_visible()
        assert "NOT-YOURS" not in page.content() + page.evaluate("JSON.stringify(sessionStorage)")


def test_a_form_from_before_another_tab_signed_in_is_sent_with_one_click(story: Story) -> None:
    with story.visit(None, "en") as visitor:
        page = visitor.open("/sign-in")
        sign_in(page, story, "agency")
        visitor.open(FORM)
        fill(page, "SECOND-TAB")
        other = page.context.new_page()
        page.context.clear_cookies(name="yesser-session")
        other.goto(f"{story.address}/sign-in")
        sign_in(other, story, "agency")
        expect(other.locator("h1")).not_to_have_text("Sign in")
        press(page, "Check and review")
        expect(page.locator("h1")).to_have_text("The form was not sent")
        require_both_directions(page)
        page.get_by_role("button", name="Send it now").click()
        expect(page.locator("h1")).to_have_text("Review before sending")


def test_a_file_of_a_lost_form_is_chosen_again(story: Story) -> None:
    with story.visit(None, "en") as visitor:
        page = visitor.open("/sign-in")
        sign_in(page, story, "agency")
        visitor.open("/workspace/files")
        page.context.clear_cookies(name="yesser-session")
        upload(page, "lost.ndjson", b"{}")
        sign_in(page, story, "agency")
        assert "Files and passwords are not kept" in page.locator(".notice").inner_text()
        page.get_by_role("link", name="Go to the form").click()
        expect(page).to_have_url(f"{story.address}/workspace/files")
        page.get_by_role("button", name="Discard it").click()
        assert page.evaluate("sessionStorage.length") == 0


def test_a_file_is_checked_sent_and_followed_and_its_refusals_are_corrected(story: Story) -> None:
    lines = [initiative(f"FILE-{number}") for number in range(250)]
    lines += [initiative("FILE-BAD", on="2006-02-30"), {**initiative("FILE-OTHER"), "id": "FILE-0"}]
    first = [initiative("FILE-TAKEN")]
    later = [initiative("FILE-TAKEN", on="2006-03-02"), initiative("FILE-LATER")]
    with story.visit("agency", "en") as visitor:
        page = visitor.open("/workspace/files")
        upload(page, "initiatives.ndjson", "\n".join(json.dumps(line) for line in lines).encode())
        expect(page.locator("h1")).to_have_text("Result of the check")
        assert "2006-02-30" in page.locator("main").inner_text()
        assert "This id belongs to a different event" in page.locator("main").inner_text()
        require_both_directions(page)
        page.locator("main").get_by_role("button", name="Send").click()
        expect(page.locator("h1")).to_have_text("The file is done")
        assert "Sent 250 of 250; verdicts on 250." in page.locator("main").inner_text()
        with page.expect_download() as download:
            page.get_by_role("link", name="Download the refused lines").click()
        again = Path(download.value.path()).read_text(encoding="utf-8").splitlines()
        assert [json.loads(line) for line in again] == lines[250:]
        with page.expect_download() as download:
            page.get_by_role("link", name="Download the faults").click()
        rows = list(csv.DictReader(Path(download.value.path()).read_text(encoding="utf-8-sig").splitlines()))
        assert [row["line"] for row in rows] == ["251", "252"]
        for sent in (first, later):
            visitor.open("/workspace/files")
            upload(page, "taken.ndjson", "\n".join(json.dumps(line) for line in sent).encode())
            page.locator("main").get_by_role("button", name="Send").click()
            expect(page.locator("h1")).to_have_text("The file is done")
        story.settle()
        page.locator("main tbody a").first.click()
        expect(page.locator("h1")).to_contain_text("Refusal")
        assert "Send the event under a new id" in page.locator("main").inner_text()
        require_both_directions(page)
        visitor.open("/workspace/refusals")
        assert "FILE-TAKEN" in page.locator("main").inner_text()


def test_an_agency_sees_its_own_files_types_and_tokens_only(story: Story) -> None:
    for path in ("publish/plan.adopted", "publish/campaign.triggered", "files/unknown"):
        assert story.get("agency", f"/workspace/{path}").status_code == 404, path
    made = story.run("tokens", "create", "health")
    tokens = story.get("agency", "/workspace/tokens", "ar").text
    assert (made["key_id"] in tokens, made["token"] in tokens) == (True, False)
