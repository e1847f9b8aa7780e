"""Signing in and out, and what the console refuses."""

from __future__ import annotations

import httpx
import pytest

from consumers.console.accounts.accounts import ROLES, Role
from consumers.console.navigation import ITEMS, home_of
from tests.browser.console import Language, Story, require_every_look


@pytest.mark.parametrize("role", ROLES)
def test_each_role_sees_its_pages_and_no_others(story: Story, role: Role) -> None:
    with story.visit(role, "en") as visitor:
        page = visitor.open("/account")
        shown = [link.get_attribute("href") for link in page.locator(".main-nav a").all()]
        assert shown == [item.path for item in ITEMS if role in item.roles]
        assert shown[0] == home_of(role)


def test_a_wrong_password_says_so_and_keeps_the_name(story: Story) -> None:
    with story.visit(None, "en") as visitor:
        page = visitor.open("/sign-in?next=/account")
        page.fill("#username", "office")
        page.fill("#password", "not the password")
        page.keyboard.press("Enter")
        assert "The account or the password is wrong" in page.locator("[role=alert]").inner_text()
        assert page.input_value("#username") == "office"
        page.fill("#password", story.passwords["office"])
        page.keyboard.press("Enter")
        page.wait_for_url("**/account")
        page.get_by_role("button", name="Sign out").click()
        page.wait_for_url("**/sign-in")
        visitor.open("/account")
        assert "/sign-in" in page.url, "the session has ended"


def test_a_page_without_a_session_leads_to_sign_in_and_back(story: Story) -> None:
    answer = httpx.get(f"{story.address}/account?changed=true")
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?next=/account%3Fchanged%3Dtrue")


@pytest.mark.parametrize(
    "headers", [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://elsewhere.example"}, {"Origin": "null"}]
)
def test_a_form_of_another_site_is_refused(story: Story, headers: dict[str, str]) -> None:
    given = {"username": "office", "password": story.passwords["office"]}
    assert httpx.post(f"{story.address}/sign-in", data=given, headers=headers).status_code == 403


def test_a_form_without_the_sessions_secret_is_refused(story: Story) -> None:
    with story.visit("office", "en") as visitor:
        cookies = {found["name"]: found["value"] for found in visitor.page.context.cookies()}
    given = {"password": story.passwords["office"], "new_password": "a new password of mine"}
    for csrf in ({}, {"csrf": ""}, {"csrf": "guess"}):
        answer = httpx.post(f"{story.address}/account/password", data=given | csrf, cookies=cookies)
        assert answer.status_code == 403


@pytest.mark.parametrize("next_address", ["//elsewhere.example", "https://elsewhere.example/", "/\\elsewhere.example"])
def test_sign_in_leads_nowhere_else(story: Story, next_address: str) -> None:
    given = {"username": "office", "password": story.passwords["office"], "next": next_address}
    answer = httpx.post(f"{story.address}/sign-in", data=given)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")


def test_guessing_is_slowed_down(story: Story) -> None:
    given = {"username": "nobody", "password": "guess"}
    statuses = [httpx.post(f"{story.address}/sign-in", data=given).status_code for _ in range(13)]
    assert 429 in statuses
    assert statuses[-1] == 429


@pytest.mark.parametrize(("language", "title"), [("ar", "اختر كلمة مرور"), ("en", "Choose a password")])
def test_a_first_password_opens_the_page_to_choose_another(story: Story, language: Language, title: str) -> None:
    username = f"newcomer-{language}"
    first = story.system.run("accounts", "add", username, "--role", "auditor")["password"]
    with story.visit(None, language) as visitor:
        page = visitor.open("/sign-in")
        page.fill("#username", username)
        page.fill("#password", first)
        page.keyboard.press("Enter")
        page.wait_for_url("**/account/password")
        assert page.locator("h1").inner_text() == title
        require_every_look(page)
        page.fill("#password", first)
        page.fill("#new_password", "a password of my own")
        page.keyboard.press("Enter")
        page.wait_for_url(f"**{home_of('auditor')}")
