"""The campaign inbox: from a trigger to completion, and what stands in the way."""

from __future__ import annotations

import csv
import io

from playwright.sync_api import expect

from tests.browser.campaigns import Names, launched, shown
from tests.browser.console import NARROW, PAPER, Story, require_accessible, require_no_sideways_scroll


def test_faults_stand_beside_the_fields_and_what_was_typed_stays(story: Story) -> None:
    campaign_id = launched(story, "INBOX-FAULTS")
    with story.visit("agency", "en") as visitor:
        page = visitor.open(f"/campaigns/{campaign_id}/air")
        typed = {"outlet_ar": f"<b>{'قناة' * 50}</b>", "outlet_en": "Channel\u0007One", "on": "soon", "reach": "many"}
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
        page.set_viewport_size(NARROW)
        page.goto(f"{story.address}/campaigns/{campaign_id}/correct")
        require_no_sideways_scroll(page)
        page.goto(f"{story.address}/campaigns/{campaign_id}")
        page.emulate_media(media="print")
        page.set_viewport_size(PAPER)
        require_no_sideways_scroll(page)
    assert [row["reach"] for row in shown(story, campaign_id)["airings"]] == [5]


def test_a_list_is_filtered_and_downloaded_as_it_is_shown(story: Story) -> None:
    campaign_id = launched(story, "INBOX-CSV")
    chosen = "whose=all&state=triggered&rule=service-launched&agency=health"
    text = opened(story, "office", f"/campaigns?{chosen}")
    assert f'id="row-{campaign_id}"' in text
    assert 'data-live="/campaigns' in text, "an open inbox follows the log"
    assert f'href="/campaigns/campaigns.csv?{chosen.replace("&", "&amp;")}"' in text
    file = opened(story, "office", f"/campaigns/campaigns.csv?{chosen}").removeprefix("\ufeff")
    rows = list(csv.DictReader(io.StringIO(file)))
    assert campaign_id in {row["campaign_id"] for row in rows}
    assert {(row["owner"], row["rule"], row["state"]) for row in rows} == {("health", "service-launched", "triggered")}
    assert "INBOX-CSV" in opened(story, "agency", "/campaigns/coverage.csv")


def test_a_brief_is_copied_and_printed(story: Story) -> None:
    campaign_id = launched(story, "INBOX-PRINT", Names("فحص", "Check \u202eup <i>now</i>"))
    with story.visit("agency", "en", permissions=["clipboard-read", "clipboard-write"]) as visitor:
        page = visitor.open(f"/campaigns/{campaign_id}")
        page.bring_to_front()  # a page that has not the focus may not copy
        page.locator("[data-copy=brief-en]").click()
        expect(page.locator("[data-copy=brief-en]")).to_have_text("Copied")
        assert page.evaluate("getSelection().toString()") == ""
        page.evaluate("refresh()")  # news of the log: the page replaces its main part
        expect(page.locator("[data-copy=brief-en]")).to_have_text("Copied", timeout=1)
        copied = page.evaluate("navigator.clipboard.readText()")
        assert "<i>now</i>" in copied
        assert "\u202e" not in copied
        page.evaluate("navigator.clipboard.writeText('')")
        page.add_init_script("Object.defineProperty(navigator, 'clipboard', { get: () => undefined })")
        without_https = visitor.open(f"/campaigns/{campaign_id}")
        without_https.bring_to_front()
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


def opened(story: Story, role: str, path: str) -> str:
    answer = story.get(role, path)
    assert answer.status_code == 200, answer.text
    return answer.text
