"""An agency's teams: added, subscribed, with a webhook whose attempts are seen and repeated; in both languages."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.browser.console import PATIENCE_S, Story, require_both_directions

URL = "https://no-such-host.invalid/yesser"


def test_a_team_is_added_subscribed_and_closed_in_arabic(story: Story) -> None:
    with story.visit("agency", "ar") as visitor:
        page = visitor.open("/campaigns/teams")
        page.get_by_role("link", name="إضافة فريق").click()
        page.fill("#team", "NOT GOOD")
        page.fill("#name_ar", "مكتب <b>الإعلام</b>")
        page.fill("#name_en", "Press desk")
        page.fill("#contacts", "media@health.gov.example\nnot an address")
        send(page)
        expect(page.locator("#team-fault")).to_be_visible()
        expect(page.locator("#contacts-fault")).to_be_visible()
        assert page.input_value("#name_ar") == "مكتب <b>الإعلام</b>"
        page.fill("#team", "console-ar")
        page.fill("#contacts", "media@health.gov.example\nduty-desk@health.gov.example")
        send(page)
        page.wait_for_url("**/campaigns/teams/console-ar")
        expect(page.locator("h1")).to_have_text("مكتب <b>الإعلام</b>")
        text = page.locator("main").inner_text()
        assert "media@health" not in text, "addresses are not shown in full"
        assert "m…@health.gov.example" in text
        page.get_by_role("link", name="إضافة اشتراك").click()
        page.check("[name=rules][value=service-launched]")
        page.check("[name=channels][value=radio]")
        send(page)
        page.wait_for_url("**/campaigns/teams/console-ar")
        expect(page.locator("article.card")).to_contain_text("الإذاعة")
        page.get_by_role("button", name="إنشاء عنوان").click()
        address = page.locator("#calendar-address").inner_text()
        assert re.search(r"/calendars/due\.ics\?feed=[A-Za-z0-9_-]{43}$", address)
        visitor.open("/campaigns/teams/console-ar")
        expect(page.locator("#calendar-address"), "it is shown once").to_have_count(0)
        page.get_by_role("button", name="إنهاء الاشتراك").click()
        expect(page.locator("article.card")).to_have_count(0)
        page.get_by_role("link", name="إنهاء الفريق").click()
        send(page)
        page.wait_for_url("**/campaigns/teams")
        expect(page.locator("a[href$='/console-ar']")).to_have_count(0)


def add_team(story: Story, team: str) -> None:
    names = ("--name-ar", "فريق", "--name-en", "Desk")
    story.run("teams", "add", "health", team, *names, "--contact", "desk@health.gov.example")


def test_a_webhook_is_added_and_tried_in_english(story: Story) -> None:
    add_team(story, "console-en")
    with story.visit("team", "en") as visitor:
        visitor.open("/campaigns/teams/console-en", 403)
    with story.visit("agency", "en") as visitor:
        page = visitor.open("/campaigns/teams/console-en")
        page.get_by_role("link", name="Add a webhook").click()
        page.fill("#url", "ftp://nowhere")
        send(page)
        expect(page.locator("#url-fault")).to_be_visible()
        assert page.input_value("#url") == "ftp://nowhere"
        page.fill("#url", URL)
        send(page)
        first = page.locator("#secret").inner_text()
        assert first.startswith("whsec_")
        require_both_directions(page)
        page.get_by_role("link", name="I have copied them").click()
        page.wait_for_url("**/campaigns/webhooks/ep_*")
        address = page.url
        assert first not in page.content()

        page.get_by_role("button", name="Send an example").click()
        page.wait_for_url("**?message=*")
        until_shown(story, page, "Example")

        story.run("subscriptions", "add", "health", "console-en", "--route", "webhook", "--from", "0")
        page.goto(address)
        until_shown(story, page, "service-launched")

        page.fill("#since", "yesterday")
        page.locator("#since").press("Enter")
        expect(page.locator("#since-fault")).to_be_visible()
        assert page.input_value("#since") == "yesterday"
        page.fill("#since", "2020-01-01 08:00")
        page.fill("#until", "2020-01-02 08:00")
        page.locator("#until").press("Enter")
        expect(page.locator("[role=alert]"), "nothing was made then").to_contain_text("No message fits")

        page.get_by_role("button", name="Make new secrets").click()
        expect(page.locator("#secret")).not_to_have_text(first)
        page.goto(address)
        page.get_by_role("button", name="Make new secrets").click()
        expect(page.locator("[role=alert]")).to_contain_text("two active secrets")
        page.goto(address)
        require_both_directions(page)


def send(page: Page) -> None:
    page.locator("main form button").last.click()


def until_shown(story: Story, page: Page, text: str) -> None:
    """Ask for the page until its table has this text, since attempts are made by another process; then load it."""
    path = page.url.removeprefix(story.address)
    for _ in range(PATIENCE_S * 2):
        if text in story.get("agency", path).text.partition("<tbody")[2]:
            break
        page.wait_for_timeout(500)
    page.reload()
    expect(page.locator("tbody tr", has_text=text).first).to_be_visible()
