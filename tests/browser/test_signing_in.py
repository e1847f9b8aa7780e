"""Signing in and out, and what the console refuses."""

from __future__ import annotations

import re

import httpx
import pytest

from consumers.console.accounts.accounts import ROLES, Role
from consumers.console.navigation import ITEMS, home_of
from tests.browser.console import PATIENCE_S, Language, Story, require_every_look
from tests.every import every


@every("role", ROLES)
def test_each_role_sees_its_pages_and_no_others(story: Story, role: Role) -> None:
    (navigation,) = re.findall('<nav class="main-nav".*?</nav>', story.get(role, "/account").text, re.DOTALL)
    shown = re.findall('href="([^"]*)"', navigation)
    assert shown == [item.path for item in ITEMS if role in item.roles]
    assert shown[0] == home_of(role)


def test_a_page_without_a_session_leads_to_sign_in_and_back(story: Story) -> None:
    answer = httpx.get(f"{story.address}/account?changed=true", timeout=PATIENCE_S)
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?next=/account%3Fchanged%3Dtrue")


def test_what_signs_nobody_in(story: Story) -> None:
    story.cookies("office")
    given = {"username": "office", "password": story.passwords["office"]}
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://elsewhere.example"}, {"Origin": "null"}):
        assert (
            httpx.post(f"{story.address}/sign-in", data=given, headers=headers, timeout=PATIENCE_S).status_code == 403
        )
    for elsewhere in ("//elsewhere.example", "https://elsewhere.example/", "/\\elsewhere.example"):
        answer = httpx.post(f"{story.address}/sign-in", data={**given, "next": elsewhere}, timeout=PATIENCE_S)
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
    changed = {"password": story.passwords["office"], "new_password": "a new password of mine"}
    for csrf in ({}, {"csrf": ""}, {"csrf": "guess"}):
        address = f"{story.address}/account/password"
        assert (
            httpx.post(address, data=changed | csrf, cookies=story.cookies("office"), timeout=PATIENCE_S).status_code
            == 403
        )


@pytest.mark.parametrize(("language", "title"), [("ar", "اختر كلمة مرور"), ("en", "Choose a password")])
def test_a_first_password_opens_the_page_to_choose_another(story: Story, language: Language, title: str) -> None:
    username = f"newcomer-{language}"
    first = story.run("accounts", "add", username, "--role", "auditor")["password"]
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
