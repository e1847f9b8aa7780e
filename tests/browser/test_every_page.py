"""What holds for every page: both languages, light and dark, a narrow window, and a keyboard."""

from __future__ import annotations

import pytest

from tests.browser.console import (
    NARROW,
    Language,
    Story,
    require_accessible,
    require_contrast,
    require_no_sideways_scroll,
)
from tests.browser.pages import PAGES


@pytest.mark.parametrize(("path", "role"), PAGES)
@pytest.mark.parametrize("language", ["ar", "en"])
def test_a_page_is_accessible(story: Story, path: str, role: str | None, language: Language) -> None:
    """The page is loaded once: only its colours differ in the dark, only its width in a narrow window."""
    with story.visit(role, language) as visitor:
        page = visitor.open(path)
        assert page.locator("html").get_attribute("lang") == language
        assert page.locator("html").get_attribute("dir") == ("rtl" if language == "ar" else "ltr")
        assert page.locator("h1").count() == 1
        require_accessible(page)
        page.emulate_media(color_scheme="dark")
        require_contrast(page)
        page.set_viewport_size(NARROW)
        require_no_sideways_scroll(page)


@pytest.mark.parametrize(("path", "role"), PAGES)
def test_a_page_reads_without_script(story: Story, path: str, role: str | None) -> None:
    with story.visit(role, java_script_enabled=False) as visitor:
        page = visitor.open(path)
        assert len(page.locator("main").inner_text()) > 40
