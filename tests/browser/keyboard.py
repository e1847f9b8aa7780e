"""A page as somebody without a mouse uses it."""

from __future__ import annotations

from typing import Final

from playwright.sync_api import Page

TABS_MAX: Final = 120
_HAS_FOCUS: Final = "selector => document.activeElement.matches(selector)"


def tab_to(page: Page, selector: str) -> None:
    """Press Tab until an element that fits has the focus."""
    for _ in range(TABS_MAX):
        page.keyboard.press("Tab")
        if page.evaluate(_HAS_FOCUS, selector):
            return
    raise AssertionError(f"{selector} is not reached by the Tab key")


def type_into(page: Page, selector: str, text: str) -> None:
    """Reach a field, and type this in place of what stands there."""
    tab_to(page, selector)
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type(text)


def follow(page: Page, selector: str) -> None:
    """Reach a link or a button, press Enter, and wait for the page that it leads to."""
    tab_to(page, selector)
    with page.expect_navigation():
        page.keyboard.press("Enter")
