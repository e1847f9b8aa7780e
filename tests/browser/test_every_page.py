"""What holds for every page: the HTML of each, and each template in light and dark, a narrow window and on paper."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import product

import pytest

from tests.browser.console import Language, Story, require_both_directions, require_every_look, require_fitting
from tests.browser.pages import CAMPAIGN, OPENED_BY, OTHER_DATA, PAGES, TEMPLATES
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
    named = TEMPLATES.keys() - of_the_plan | OPENED_BY.keys()
    assert pages - {"plan/page"} == named, "each template has an address in tests/browser/pages.py"


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


def _by_role(pages: Sequence[tuple[str, str | None]]) -> Iterator[tuple[str | None, list[str]]]:
    """The roles, and what each opens in one window."""
    for role in dict.fromkeys(role for _, role in pages):
        yield role, [path for path, of in pages if of == role]


@pytest.mark.parametrize("room", ["", "plan", "audit", "campaigns", "workspace", "partnerships", "operations"])
def test_each_template_is_accessible_in_every_look(story: Story, place: Place, room: str) -> None:
    """In Arabic, from right to left and from left to right. Of English, whose HTML has been read above, what is left is
    how wide its texts are (`make accept`)."""
    for role, paths in _by_role([page for name, page in TEMPLATES.items() if name.rpartition("/")[0] == room]):
        with story.visit(role, "ar") as visitor:
            for path in paths:
                require_both_directions(visitor.open(place(path), 404 if path == "/no-such-page" else 200))


@pytest.mark.accept
@every("role, paths", lambda: _by_role([*TEMPLATES.values()]))
def test_each_template_fits_in_english(story: Story, place: Place, role: str | None, paths: list[str]) -> None:
    with story.visit(role, "en") as visitor:
        for path in paths:
            require_fitting(visitor.open(place(path), 404 if path == "/no-such-page" else 200))


LAUNCHED = "/explain/plan/services/1/launched"
NOT_THERE = (
    "/plan/services/NOT-THERE",
    "/plan/projects/NOT-THERE",
    "/plan/projects/NOT-THERE/history.csv",
    "/plan/nothing.csv",
    "/plan/nothing",
    "/audit/entries/99999999",
    "/audit/entries/99999999/proof",
    "/explain/no-such-model/key",
    "/explain/plan/%3Cscript%3E",
    "/explain/services/%E2%80%AEevil",
    f"{LAUNCHED}?before=99999999",
    "/campaigns/service-launched.i999999",
    "/campaigns/service-launched.i999999/air",
    "/campaigns/teams/nobody",
    "/campaigns/teams/nobody/subscribe",
    "/campaigns/webhooks/ep_aaaaaaaaaaaaaaaa",
    "/workspace/refusals/0",
    "/partnerships/PPP-110-001/statements/1427-02",
)


@every(
    "role, path, status",
    [
        *(("office", path, 404) for path in NOT_THERE),
        ("partner", "/explain/statements/PPP-110-001/NOT-A-PERIOD", 404),
        ("partner", "/explain/partnerships/PPP-110-001/net_halalas", 200),
        ("partner", "/explain/partnerships/PPP-110-002/net_halalas", 404),
        ("partner", "/partnerships/PPP-110-002", 404),
        ("partner", LAUNCHED, 404),
        ("treasury", "/explain/partnerships/PPP-110-001/treasury_halalas", 200),
        ("agency", LAUNCHED, 200),
        ("agency", "/explain/partnerships/PPP-110-001/net_halalas", 404),
        ("agency", "/audit/log", 200),
        ("agency", "/audit/log?agency=commerce", 422),
        ("office", f"{LAUNCHED}?before=1", 200),
    ],
)
def test_who_may_see_what_and_what_is_not_there(story: Story, role: str, path: str, status: int) -> None:
    answer = story.get(role, path)
    assert (answer.status_code, answer.text.count("<h1")) == (status, 1)


@pytest.mark.accept
@every("page, language", lambda: product(OTHER_DATA, LANGUAGES))
def test_other_data_is_accessible_too(story: Story, page: tuple[str, str | None], language: Language) -> None:
    path, role = page
    with story.visit(role, language) as visitor:
        require_every_look(visitor.open(path))
