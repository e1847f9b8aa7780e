"""What holds for every page: the HTML of each, and each template in light and dark, a narrow window and on paper."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import product

import pytest

from tests.browser.console import Language, Story, require_every_look
from tests.browser.pages import CAMPAIGN, OPENED_BY, PAGES, TEMPLATES
from tests.every import every
from tests.page_rules import faults_of
from tests.paths import ROOT

LANGUAGES: tuple[Language, ...] = ("ar", "en")
FOLDER = ROOT / "consumers" / "console" / "templates"
Place = Callable[[str], str]


@pytest.fixture(scope="session")
def place(story: Story) -> Place:
    """The address of a page: the campaign that the story shows is in it."""
    (campaign, *_) = story.run("campaigns", "list", "--owner", "health")
    return lambda path: path.replace(CAMPAIGN, f"/campaigns/{campaign['campaign_id']}")


def test_each_template_of_a_page_is_opened() -> None:
    pages = {
        str(path.relative_to(FOLDER).with_suffix(""))
        for path in FOLDER.rglob("*.html")
        if path.read_text(encoding="utf-8").startswith('{% extends "layout.html" %}')
    }
    of_the_plan = {name for name in TEMPLATES if name.startswith("plan/")}  # each is a part of plan/page.html
    assert pages - {"plan/page"} == TEMPLATES.keys() - of_the_plan | OPENED_BY.keys()


@every("page, language", lambda: product(sorted({*PAGES, *TEMPLATES.values()}, key=str), LANGUAGES))
def test_the_html_of_each_page_keeps_the_rules(
    story: Story, place: Place, page: tuple[str, str | None], language: Language
) -> None:
    path, role = page
    answer = story.get(role, place(path), language)
    assert answer.status_code == (404 if path == "/no-such-page" else 200)
    assert f'<html lang="{language}"' in answer.text
    assert answer.headers["content-language"] == language
    other = "ar" if language == "en" else "en"
    assert re.search(f'name="language" value="{other}" lang="{other}"', answer.text), "no switch to the other language"
    assert faults_of(answer.text) == []


def _templates(room: str) -> Iterator[tuple[str, str | None]]:
    yield from (page for name, page in TEMPLATES.items() if name.rpartition("/")[0] == room)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("room", ["", "plan", "audit", "campaigns", "workspace", "partnerships", "operations"])
def test_each_template_is_accessible_in_every_look(story: Story, place: Place, room: str, language: Language) -> None:
    for path, role in _templates(room):
        with story.visit(role, language) as visitor:
            page = visitor.open(place(path), 404 if path == "/no-such-page" else 200)
            require_every_look(page)


@pytest.mark.accept
@every("page, language", lambda: product(sorted({*PAGES} - {*TEMPLATES.values()}, key=str), LANGUAGES))
def test_a_template_with_other_data_is_accessible_too(
    story: Story, page: tuple[str, str | None], language: Language
) -> None:
    path, role = page
    with story.visit(role, language) as visitor:
        require_every_look(visitor.open(path))
