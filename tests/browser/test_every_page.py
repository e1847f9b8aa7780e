"""What holds for every page: the HTML of each, and each template in light and dark, a narrow window and on paper."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import product

import pytest

from tests.browser.console import Language, Story, require_both_directions, require_every_look, require_fitting
from tests.browser.pages import CAMPAIGN, OPENED_BY, OTHER_DATA, TEMPLATES
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


@every("page, language", lambda: [*product(OTHER_DATA, LANGUAGES), *((page, "en") for page in TEMPLATES.values())])
def test_the_html_of_each_page_keeps_the_rules(
    story: Story, place: Place, page: tuple[str, str | None], language: Language
) -> None:
    """That of a template in Arabic is read where it is opened."""
    path, role = page
    answer = story.get(role, place(path), language)
    assert answer.status_code == _status(path)
    require_rules(answer.text, answer.headers, language)


def require_rules(html: str, headers: Mapping[str, str], language: Language) -> None:
    assert f'<html lang="{language}"' in html
    assert headers["content-language"] == language
    other = "ar" if language == "en" else "en"
    assert re.search(f'name="language" value="{other}" lang="{other}"', html), "no switch to the other language"
    assert faults_of(html) == []


def _status(path: str) -> int:
    return 404 if path == "/no-such-page" else 200


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
                answer = visitor.answer(place(path), _status(path))
                require_rules(answer.text(), answer.headers, "ar")
                require_both_directions(visitor.page)


@pytest.mark.accept
@every("role, paths", lambda: _by_role([*TEMPLATES.values()]))
def test_each_template_fits_in_english(story: Story, place: Place, role: str | None, paths: list[str]) -> None:
    with story.visit(role, "en") as visitor:
        for path in paths:
            require_fitting(visitor.open(place(path), _status(path)))


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


@every("path", NOT_THERE)
def test_what_is_not_there_is_a_page_that_says_so(story: Story, path: str) -> None:
    """Who may see what is there: `tests/integration/consumers/console/test_routes.py`."""
    answer = story.get("office", path)
    assert (answer.status_code, answer.text.count("<h1")) == (404, 1)


@pytest.mark.accept
@every("page, language", lambda: product(OTHER_DATA, LANGUAGES))
def test_other_data_is_accessible_too(story: Story, page: tuple[str, str | None], language: Language) -> None:
    path, role = page
    with story.visit(role, language) as visitor:
        require_every_look(visitor.open(path))
