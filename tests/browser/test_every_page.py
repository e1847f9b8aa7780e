"""What holds for every page: both languages, light and dark, a narrow window, and paper."""

from __future__ import annotations

import pytest

from tests.browser.console import Language, Story, require_every_look
from tests.browser.pages import PAGES


@pytest.mark.parametrize(("path", "role"), PAGES)
@pytest.mark.parametrize("language", ["ar", "en"])
def test_a_page_is_accessible(story: Story, path: str, role: str | None, language: Language) -> None:
    with story.visit(role, language) as visitor:
        page = visitor.open(path)
        assert page.locator("html").get_attribute("lang") == language
        assert page.locator("html").get_attribute("dir") == ("rtl" if language == "ar" else "ltr")
        require_every_look(page)


@pytest.mark.parametrize(("path", "role"), PAGES)
def test_a_page_reads_without_script(story: Story, path: str, role: str | None) -> None:
    with story.visit(role, java_script_enabled=False) as visitor:
        page = visitor.open(path)
        assert len(page.locator("main").inner_text()) > 40
