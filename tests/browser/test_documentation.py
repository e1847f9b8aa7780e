"""The documentation's pages: both languages, light and dark, a narrow window, and the switch."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from markupsafe import escape
from playwright.sync_api import Browser, Page

from consumers.delivery.mail.message import build
from consumers.revenue.statements.formats import to_html
from consumers.revenue.statements.paper import statement_paper
from events.faults.details import DETAILS, PHRASES
from events.values.bilingual import LANGUAGES
from events.values.reading_order import in_reading_order
from producers.docs_pages.pages import START
from producers.docs_pages.site import STYLE, Site
from producers.gateway.docs_command import described, write_site
from tests.browser.console import (
    NARROW,
    PATIENCE_MS,
    WIDE,
    Language,
    Visitor,
    chromium,
    require_every_look,
    require_fitting,
    require_no_sideways_scroll,
    require_reading_order,
    running_browser,
)
from tests.contract.product_texts import pairs
from tests.unit.consumers.revenue.statements.workings import parts_of, told
from tests.world.files import served
from tests.world.letters import CONTEXT, MESSAGE, NOW, SENDER, bodies, every_letter


@dataclass(frozen=True, slots=True)
class Documentation:
    """The pages, and a browser."""

    address: str
    browser: Browser

    @contextmanager
    def visit(self, **options: Any) -> Iterator[Visitor]:
        """A window of its own. Anything that the browser reports fails the test."""
        context = self.browser.new_context(viewport=WIDE, **options)
        visitor = Visitor(context.new_page(), self.address)
        visitor.page.set_default_timeout(PATIENCE_MS)
        visitor.page.on("console", lambda said: visitor.faults.extend([said.text] if said.type == "error" else []))
        try:
            yield visitor
        finally:
            context.close()
        assert not visitor.faults, visitor.faults

    @contextmanager
    def without_script(self, file: str) -> Iterator[Page]:
        with self.visit(java_script_enabled=False) as visitor:
            yield visitor.open(file)


pytestmark = pytest.mark.timeout(300)

PAGES = (
    "",
    "/events",
    "/events/partnership.signed",
    "/refusals",
    "/problems/date-out-of-range",
    "/asyncapi",
    "/api",
    "/api/post-v1-events",
    "/schemas",
    "/runbook",
)
"""A page of each template; the text has wide tables."""
VISITED = ("/problems/conflict", "/events/service.launched", "/api/post-v1-events-validate", "/campaigns")
"""Pages to which links lead here, and one with what commands print."""


@pytest.fixture(scope="module")
def documentation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Documentation]:
    """The browser ends with this file: its library runs an event loop in this thread."""
    path = chromium()
    if path is None:
        pytest.skip("no Chromium: install one, or name it in CHROMIUM")
    folder = tmp_path_factory.mktemp("documentation")
    written = (START, STYLE, *(f"/docs/{language}{path}" for language in LANGUAGES for path in (*PAGES, *VISITED)))
    write_site(Site(described), folder, written)
    with served(folder) as address, running_browser(path) as browser:
        yield Documentation(address, browser)


@pytest.mark.parametrize("language", ["ar", pytest.param("en", marks=pytest.mark.accept)])
def test_each_page_is_accessible(documentation: Documentation, language: Language) -> None:
    """In Arabic; of English, which has the same elements, what is left is how wide its texts are."""
    with documentation.visit() as visitor:
        for path in PAGES:
            page = visitor.open(f"docs/{language}{path}.html")
            assert page.locator("html").get_attribute("lang") == language
            require_no_sideways_scroll(page)
            (require_every_look if language == "ar" else require_fitting)(page)


_OUT_OF_REACH = """() => [...document.querySelectorAll("pre")].flatMap(pre => {
  const text = document.createRange(), box = pre.getBoundingClientRect()
  text.selectNodeContents(pre)
  return [...text.getClientRects()].filter(line => line.width && line.left < box.left - 1)
}).length"""
"""Lines that begin left of their box, to which nobody can scroll."""


def test_an_arabic_line_of_an_example_is_read_whole_on_a_phone(documentation: Documentation) -> None:
    with documentation.visit() as visitor:
        visitor.page.set_viewport_size(NARROW)
        assert visitor.open("docs/ar/campaigns.html").evaluate(_OUT_OF_REACH) == 0


def _arabic_papers() -> Iterator[str]:
    """What leaves us in Arabic beside the site: a statement, letters, and the sentences of the catalogues."""
    (parts,) = parts_of(told([[1_000]]))
    yield to_html(statement_paper(parts))
    lines: list[str] = []
    for letter in every_letter(CONTEXT):
        plain, html = bodies(build(letter, MESSAGE, SENDER, "a@b.example", NOW))
        yield html
        lines += plain.splitlines()
    sentences = (*(arabic for _, arabic, _ in pairs()), *DETAILS.values(), *PHRASES.values())
    yield _paragraphs([*lines, *map(in_reading_order, sentences)])


def _arabic_site() -> Iterator[str]:
    site = Site(described)
    style = f"<style>{site.page(STYLE).body.decode()}</style></head>"
    for path in site.paths:
        if path.startswith(f"{START}/ar") and "." not in path:
            yield site.page(path).body.decode().replace("</head>", style)


def _paragraphs(texts: Iterable[str]) -> str:
    return "".join(f'<p dir="rtl">{escape(text)}</p>' for text in texts)


@pytest.mark.parametrize("pages", [_arabic_papers, pytest.param(_arabic_site, marks=pytest.mark.accept)])
def test_all_arabic_is_drawn_in_the_order_in_which_it_is_typed(
    documentation: Documentation, pages: Callable[[], Iterator[str]]
) -> None:
    """A page of each template of the site: above."""
    with documentation.visit() as visitor:
        visitor.page.set_content('<p dir="rtl">مثل 2026-11-25</p>')
        with pytest.raises(AssertionError, match="2026-11-25"):
            require_reading_order(visitor.page)
        for html in pages():
            visitor.page.set_content(html)
            require_reading_order(visitor.page)


def test_the_switch_leads_to_the_same_page_in_the_other_language(documentation: Documentation) -> None:
    with documentation.without_script("docs/ar/problems/conflict.html") as page:
        page.get_by_role("link", name="English").click()
        page.wait_for_url("**/docs/en/problems/conflict.html")
        page.get_by_role("link", name="العربية").click()
        page.wait_for_url("**/docs/ar/problems/conflict.html")


def test_the_start_page_of_a_folder_leads_into_the_pages(documentation: Documentation) -> None:
    with documentation.without_script("index.html") as page:
        page.get_by_role("link", name="دليل الأحداث").first.click()
        page.wait_for_url("**/docs/ar/events.html")
        page.get_by_role("link", name="service.launched").click()
        page.wait_for_url("**/docs/ar/events/service.launched.html")


def test_an_operation_is_one_click_from_the_list(documentation: Documentation) -> None:
    with documentation.without_script("docs/en/api.html") as page:
        page.get_by_role("link", name="POST /v1/events:validate").click()
        page.wait_for_url("**/docs/en/api/post-v1-events-validate.html")
        assert page.locator("#main code").get_by_text("POST /v1/events:validate").first.is_visible()
