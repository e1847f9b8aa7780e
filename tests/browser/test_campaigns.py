"""The campaign inbox: from a trigger to completion, and what stands in the way."""

from __future__ import annotations

import csv
import io
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import httpx
from playwright.sync_api import Locator, Page, expect

from tests.browser.campaigns import Names, launched, shown
from tests.browser.console import Story, require_accessible
from tests.scenarios.system import until

AIRING = {"outlet_ar": "القناة الأولى", "outlet_en": "Channel One", "on": "2026-11-26", "reach": "250,000"}


def test_a_campaign_is_acknowledged_aired_and_completed_in_arabic(story: Story) -> None:
    campaign_id = launched(story, "INBOX-AR")
    with story.visit("agency", "ar") as visitor:
        page = visitor.open("/campaigns")
        row_of(page, campaign_id).get_by_role("link", name="حجز العيادات").click()
        page.get_by_role("link", name="استلام الحملة").click()
        page.fill("#by", "مكتب الإعلام")
        page.get_by_role("button", name="استلام الحملة").click()
        expect(page.locator("#by-fault")).to_contain_text("حروف لاتينية")
        assert page.input_value("#by") == "مكتب الإعلام"
        page.fill("#by", "press-desk")
        page.get_by_role("button", name="استلام الحملة").click()
        page.wait_for_url(f"**/campaigns/{campaign_id}?**")
        expect(page.locator("#acknowledged")).to_contain_text("press-desk")
        for channel in ("tv", "radio", "print"):
            page.locator(".actions").get_by_role("link", name="تسجيل بث").click()
            report_airing(page, channel)
            page.wait_for_url(f"**/campaigns/{campaign_id}?**")
        expect(page.get_by_text("لم تُبث")).to_have_count(0)
        page.locator(".actions").get_by_role("link", name="إكمال الحملة").click()
        page.get_by_role("button", name="إكمال الحملة").click()
        page.wait_for_url(f"**/campaigns/{campaign_id}?**")
        expect(page.locator("#state")).to_contain_text("اكتملت")
    found = shown(story, campaign_id)
    assert (found["state"], found["acknowledged_by"]) == ("completed", "press-desk")
    assert [(row["channel"], row["reach"]) for row in found["airings"]] == [
        ("tv", 250_000),
        ("radio", 250_000),
        ("print", 250_000),
    ]
    trail = [row["command"] for row in story.run("trail") if row["account"] == "agency"]
    assert {f"campaigns {what} {campaign_id}" for what in ("ack", "air", "complete")} <= set(trail)


def test_faults_stand_beside_the_fields_and_what_was_typed_stays(story: Story) -> None:
    campaign_id = launched(story, "INBOX-FAULTS")
    with story.visit("agency", "en") as visitor:
        page = visitor.open(f"/campaigns/{campaign_id}/air")
        typed = {"outlet_ar": "<b>قناة</b>", "outlet_en": "Channel\u0007One", "on": "soon", "reach": "many"}
        for name, text in typed.items():
            page.fill(f"#{name}", text)
        page.locator("main form button").click()
        expect(page.locator("[role=alert] li")).to_have_count(2)
        for name in ("on", "reach"):
            expect(page.locator(f"#{name}-fault")).to_be_visible()
            assert page.get_attribute(f"#{name}", "aria-invalid") == "true"
        assert page.input_value("#outlet_ar") == typed["outlet_ar"]
        require_accessible(page)
        page.fill("#on", "2026-11-26")
        page.fill("#reach", "5")
        page.locator("main form button").click()
        expect(page.locator("#outlet_en-fault"), "the gateway's own fault").to_be_visible()
        page.fill("#outlet_en", "\u202eChannel <script>window.stolen = 1</script>")
        page.locator("main form button").click()
        page.wait_for_url(f"**/campaigns/{campaign_id}?**")
        expect(page.get_by_role("cell", name="<script>window.stolen")).to_be_visible()
        assert page.evaluate("window.stolen") is None
        page.goto(f"{story.address}/campaigns/{campaign_id}/air")
        page.check("[name=channel][value=tv]")
        for name, text in (typed | {"on": "2026-11-26", "reach": "6"}).items():
            page.fill(f"#{name}", text if name != "outlet_en" else "\u202eChannel <script>window.stolen = 1</script>")
        page.locator("main form button").click()
        expect(page.locator("#airing_id-fault"), "a second airing needs an id").to_contain_text("other figures")
    assert [row["reach"] for row in shown(story, campaign_id)["airings"]] == [5]


def test_of_two_people_the_second_sees_who_was_first(story: Story) -> None:
    campaign_id = launched(story, "INBOX-TWO")
    with story.visit("agency", "en") as first, story.visit("team", "ar") as second:
        for visitor, desk in ((first, "first-desk"), (second, "second-desk")):
            visitor.open(f"/campaigns/{campaign_id}/acknowledge").fill("#by", desk)
        for visitor in (first, second):
            visitor.page.locator("main form button").click()
            visitor.page.wait_for_url(f"**/campaigns/{campaign_id}?**")
        notice = second.page.locator(".notice").first
        expect(notice).to_contain_text("ولم يتغير شيء")
        expect(notice).to_contain_text("first-desk")
    assert shown(story, campaign_id)["acknowledged_by"] == "first-desk"


def test_of_two_reports_at_the_same_moment_one_counts_and_both_people_know_which(story: Story) -> None:
    campaign_id = launched(story, "INBOX-RACE")
    with ThreadPoolExecutor(2) as pool:
        desks = {"agency": "desk-1", "team": "desk-2"}
        answers = list(pool.map(lambda one: send(story, one, campaign_id, "acknowledge", by=desks[one]), desks))
    assert [answer.status_code for answer in answers] == [303, 303]
    first = shown(story, campaign_id)["acknowledged_by"]
    for (role, desk), answer in zip(desks.items(), answers, strict=True):
        text = opened(story, role, answer.headers["location"])
        assert ("Recorded</h2>" in text) is (desk == first)
        assert ("Acknowledged already. Nothing changed</h2>" in text) is (desk != first)
        assert first in text


def test_a_form_that_is_sent_twice_is_one_report(story: Story) -> None:
    campaign_id = launched(story, "INBOX-TWICE")
    given = {**AIRING, "channel": "tv"}
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda _: send(story, "agency", campaign_id, "air", **given), range(2)))
    assert [answer.status_code for answer in answers] == [303, 303]
    found = shown(story, campaign_id)
    assert len(found["airings"]) == 1
    assert [step["anomaly"] for step in found["history"]] == [None, None]
    texts = [opened(story, "agency", answer.headers["location"]) for answer in answers]
    assert all(re.search("(Recorded|Nothing was counted twice|Nothing changed)</h2>", text) for text in texts)


def test_a_new_campaign_appears_in_an_open_inbox(story: Story) -> None:
    with story.visit("agency", "en") as visitor:
        page = visitor.open("/campaigns")
        expect(page.locator("#live-state")).to_contain_text("Live")
        campaign_id = launched(story, "INBOX-LIVE", Names("خدمة جديدة", "A new service"))
        expect(row_of(page, campaign_id)).to_contain_text("A new service")


def test_a_campaign_of_another_agency_is_read_only(story: Story) -> None:
    (other, *_) = story.run("campaigns", "list", "--owner", "labour")
    path = f"/campaigns/{other['campaign_id']}"
    for role, sees_history in (("agency", False), ("office", True)):
        text = opened(story, role, path)
        assert f'href="{path}/air"' not in text
        assert ("History" in text) is sees_history
        assert story.get(role, f"{path}/acknowledge").status_code == 403
        assert send(story, role, other["campaign_id"], "complete", on="2026-11-26").status_code == 403


def test_what_an_address_claims_about_a_report_is_not_believed(story: Story) -> None:
    campaign_id = launched(story, "INBOX-CLAIM")
    for claim in (
        f"ack.{campaign_id}",
        f"ack.{campaign_id}&address=agency.health.events/0/999999",
        f"ack.{campaign_id}&address=%3Cb%3E",
        "%3Cscript%3E",
        "ack.other.i1&address=agency.health.events/0/0",
    ):
        text = opened(story, "agency", f"/campaigns/{campaign_id}?report={claim}")
        assert "Recorded</h2>" not in text
        assert "Nothing changed" not in text


def test_a_list_is_filtered_and_downloaded_as_it_is_shown(story: Story) -> None:
    campaign_id = launched(story, "INBOX-CSV")
    with story.visit("office", "en") as visitor:
        page = visitor.open("/campaigns?whose=all")
        page.locator("#filters summary").click()
        page.fill("#agency", "health")
        page.select_option("#rule", "service-launched")
        page.select_option("#state", "triggered")
        page.get_by_role("button", name="Apply").click()
        expect(row_of(page, campaign_id)).to_be_visible()
        with page.expect_download() as download:
            page.get_by_role("link", name="Download CSV").click()
        text = download.value.path().read_text(encoding="utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert campaign_id in {row["campaign_id"] for row in rows}
    assert {(row["owner"], row["rule"], row["state"]) for row in rows} == {("health", "service-launched", "triggered")}
    coverage = story.get("agency", "/campaigns/coverage.csv")
    assert coverage.headers["content-disposition"] == 'attachment; filename="coverage.csv"'
    assert "INBOX-CSV" in coverage.text


def test_a_brief_is_copied_and_printed(story: Story) -> None:
    campaign_id = launched(story, "INBOX-PRINT", Names("فحص", "Check \u202eup <i>now</i>"))
    with story.visit("agency", "en", permissions=["clipboard-read", "clipboard-write"]) as visitor:
        page = visitor.open(f"/campaigns/{campaign_id}")
        page.locator("[data-copy=brief-en]").click()
        expect(page.locator("[data-copy=brief-en]")).to_have_text("Copied")
        assert page.evaluate("getSelection().toString()") == ""
        copied = page.evaluate("navigator.clipboard.readText()")
        assert "<i>now</i>" in copied
        assert "\u202e" not in copied
        page.evaluate("navigator.clipboard.writeText('')")
        page.add_init_script("Object.defineProperty(navigator, 'clipboard', { get: () => undefined })")
        without_https = visitor.open(f"/campaigns/{campaign_id}")
        without_https.locator("[data-copy=brief-en]").click()
        expect(without_https.locator("[data-copy=brief-en]")).to_have_text("Copied")
        reader = page.context.new_page()
        reader.goto(visitor.address)
        assert reader.evaluate("navigator.clipboard.readText()") == copied
        reader.close()
        page.get_by_role("link", name="Page to print").click()
        expect(page.locator(".sheet")).to_have_count(2)
        page.emulate_media(media="print")
        assert not page.locator(".top").is_visible()


def test_without_a_gateway_nothing_typed_is_lost(story: Story) -> None:
    campaign_id = launched(story, "INBOX-AWAY")
    with console_without_gateway(story) as address:
        path = f"/campaigns/{campaign_id}/air"
        given = {**AIRING, "channel": "radio"}
        answer = send(story, "agency", campaign_id, "air", address=address, **given)
        assert answer.status_code == 503
        assert "The gateway does not answer. Nothing was sent." in answer.text
        for text in AIRING.values():
            assert f'value="{text}"' in answer.text
        assert story.get("agency", path, address=address).status_code == 200, "forms are read without the gateway"
        assert story.get("agency", "/campaigns/teams", address=address).status_code == 503


@contextmanager
def console_without_gateway(story: Story) -> Iterator[str]:
    """The address of another console of this system, whose gateway is away."""
    with socket.socket() as free, socket.socket() as closed:
        for one in (free, closed):
            one.bind(("127.0.0.1", 0))
        port, away = free.getsockname()[1], f"http://127.0.0.1:{closed.getsockname()[1]}"
        free.close()
        given = {"YESSER_CONSOLE_PORT": str(port), "YESSER_CONSOLE_GATEWAY": away, "YESSER_HEALTH_PORT": "0"}
        environment = story.system.environment() | given
        command = [sys.executable, "-m", "infra.cli", "run", "console"]
        with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL, cwd=os.getcwd()) as process:
            try:
                address = f"http://127.0.0.1:{port}"
                until(lambda: _answers(address), 300, "the console does not answer")
                yield address
            finally:
                process.terminate()
                process.wait(30)


def _answers(address: str) -> bool:
    try:
        return httpx.get(f"{address}/sign-in").status_code == 200
    except httpx.TransportError:
        return False


def opened(story: Story, role: str, path: str) -> str:
    answer = story.get(role, path)
    assert answer.status_code == 200, answer.text
    return answer.text


def send(story: Story, role: str, campaign_id: str, what: str, *, address: str = "", **given: str) -> httpx.Response:
    """The answer to a report's form, as this role."""
    return story.post(role, f"/campaigns/{campaign_id}/{what}", address, **given)


def row_of(page: Page, campaign_id: str) -> Locator:
    """A campaign in the inbox; its id is no selector."""
    return page.locator(f'[id="row-{campaign_id}"]')


def report_airing(page: Page, channel: str) -> None:
    page.check(f"[name=channel][value={channel}]")
    for name, text in AIRING.items():
        page.fill(f"#{name}", text)
    page.locator("main form button").click()
