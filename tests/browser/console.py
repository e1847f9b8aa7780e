"""A browser at the console: the story of `make demo`, an account for each role, and what every page must hold to."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Literal

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, sync_playwright

from tests.scenarios.system import System

Language = Literal["ar", "en"]
Scheme = Literal["light", "dark"]
ACCOUNTS: Final = {
    "office": ("office",),
    "agency": ("agency", "--agency", "health"),
    "team": ("team", "--agency", "health", "--team", "press"),
    "partner": ("partner", "--partner", "commerce/DIGITAL-TRANSACTIONS"),
    "treasury": ("treasury",),
    "auditor": ("auditor",),
    "administrator": ("administrator",),
}
"""Role → how its account is added. The account's name is the role's."""
_NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_TAGS: Final = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
_CONTRAST: Final = (Path(__file__).parent / "contrast.js").read_text(encoding="utf-8")
NARROW: Final = ViewportSize(width=360, height=780)
WIDE: Final = ViewportSize(width=1200, height=900)
PAPER: Final = ViewportSize(width=720, height=1000)
"""A4 without its margins."""


def chromium() -> str | None:
    """The path of a Chromium of this machine: that of the variable CHROMIUM, or one in PATH."""
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, _NAMES)), None)


@contextmanager
def running_browser(path: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@dataclass(slots=True)
class Visitor:
    """Somebody at a page. `faults` are what the browser complained of."""

    page: Page
    address: str
    faults: list[str] = field(default_factory=list)

    def open(self, path: str, status: int = 200) -> Page:
        """Load a page, which must answer with this status."""
        answer = self.page.goto(self.address + path)
        assert answer is not None
        assert answer.status == status, f"{path}: {answer.status}"
        return self.page


@dataclass
class Story:
    """The system after the story of `make demo`, with its console, and a browser.

    The browser's library runs an event loop in this thread, so commands run as processes: `system.run`, not `ask`.
    """

    system: System
    browser: Browser
    passwords: dict[str, str] = field(default_factory=dict)
    _signed_in: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.system.parts()['console']['port']}"

    def add_accounts(self) -> None:
        """An account for each role, and the team of the campaign team's account."""
        names = ("--name-ar", "المكتب الصحفي", "--name-en", "Press office")
        self.system.run("teams", "add", "health", "press", *names, "--contact", "press@health.example")
        self.system.run("subscriptions", "add", "health", "press", "--route", "email")
        for role, how in ACCOUNTS.items():
            added = self.system.run("accounts", "add", role, "--role", *how)
            self.passwords[role] = added["password"]
            self._signed_in[role] = self._sign_in(role)

    @contextmanager
    def visit(
        self,
        role: str | None,
        language: Language = "ar",
        scheme: Scheme = "light",
        viewport: ViewportSize = WIDE,
        **options: Any,
    ) -> Iterator[Visitor]:
        """A new window of somebody who is signed in as this role (None: of nobody). Its faults fail the test."""
        context = self.browser.new_context(
            viewport=viewport,
            color_scheme=scheme,
            storage_state=None if role is None else self._signed_in[role],
            reduced_motion="reduce",
            **options,
        )
        context.add_cookies([{"name": "yesser-language", "value": language, "url": self.address}])
        visitor = Visitor(context.new_page(), self.address)
        visitor.page.set_default_timeout(30_000)
        visitor.page.on("pageerror", lambda error: visitor.faults.append(str(error)))
        visitor.page.on("console", lambda said: visitor.faults.extend([said.text] if said.type == "error" else []))
        try:
            yield visitor
        finally:
            context.close()
        faults = [fault for fault in visitor.faults if "status of 4" not in fault]
        assert not faults, faults

    def _sign_in(self, role: str) -> Any:
        context: BrowserContext = self.browser.new_context()
        page = context.new_page()
        page.goto(f"{self.address}/sign-in")
        page.fill("#username", role)
        page.fill("#password", self.passwords[role])
        page.click("main button")
        assert page.url.endswith("/account/password"), f"{role} is not signed in"
        first, self.passwords[role] = self.passwords[role], f"the {role}'s own password"
        page.fill("#password", first)
        page.fill("#new_password", self.passwords[role])
        page.click("main button")
        assert "/account/password" not in page.url, f"{role} has chosen no password"
        state = context.storage_state()
        context.close()
        return state


def require_every_look(page: Page) -> None:
    """A page that is loaded is accessible in the light and in the dark, and fits into a narrow window and on paper.
    Afterwards it is as it was: only its colours differ in the dark, only its width in the window."""
    assert page.locator("h1").count() == 1
    require_accessible(page)
    page.emulate_media(color_scheme="dark")
    require_contrast(page)
    page.emulate_media(color_scheme="light")
    page.set_viewport_size(NARROW)
    require_no_sideways_scroll(page)
    page.emulate_media(media="print")
    page.set_viewport_size(PAPER)
    require_no_sideways_scroll(page)
    page.emulate_media(media="screen")
    page.set_viewport_size(WIDE)


def require_accessible(page: Page) -> None:
    """No violation of WCAG 2.2 AA that axe finds, and contrast."""
    _require_none(page, {"runOnly": {"type": "tag", "values": _TAGS}})
    _require_own_contrast(page)


def require_contrast(page: Page) -> None:
    """Contrast in the present colours, by axe and by our own means: axe skips Arabic, whose joined letters it takes for
    an icon font."""
    _require_none(page, {"runOnly": {"type": "rule", "values": ["color-contrast"]}})
    _require_own_contrast(page)


def _require_own_contrast(page: Page) -> None:
    faint: list[str] = page.evaluate(_CONTRAST)
    assert not faint, "\n".join(faint)


def _require_none(page: Page, options: dict[str, Any]) -> None:
    found = Axe().run(page, options=options)
    violations = [
        f"{violation['id']}: {node['html'][:200]} {node.get('failureSummary', '')}"
        for violation in found.response["violations"]
        for node in violation["nodes"]
    ]
    assert not violations, "\n".join(violations)


def require_no_sideways_scroll(page: Page) -> None:
    """The page is no wider than its window; wide tables scroll in themselves."""
    widths = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
    assert widths[0] <= widths[1], f"the page is {widths[0]} px wide in a window of {widths[1]} px"
