"""A browser at the console after `yesser demo`: an account for each role, and what every page must hold to.

The browser's library runs an event loop in the thread of its tests until the browser ends: commands, which run one of
their own, get another thread.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Literal, TypeVar

import httpx
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, ConsoleMessage, Error, Page, Response, ViewportSize, expect, sync_playwright

from tests.own_logging import own_logging
from tests.scenarios.demo import fresh_demo
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
_CSRF: Final = re.compile(r'name="csrf" value="([^"]+)"')
_NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_TAGS: Final = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
_CONTRAST: Final = (Path(__file__).parent / "contrast.js").read_text(encoding="utf-8")
_READING_ORDER: Final = (Path(__file__).parent / "reading_order.js").read_text(encoding="utf-8")
_WIDTHS: Final = """directions => {
    const root = document.documentElement, own = root.dir;
    return [own, own === "rtl" ? "ltr" : "rtl"].slice(0, directions).map((dir) => {
        root.dir = dir;
        const widths = [root.scrollWidth, root.clientWidth];
        root.dir = own;
        return widths;
    });
}"""
"""Of the page and of its window, in its own direction and in the other one. It is drawn in its own alone."""
_RUN_AXE: Final = "options => axe.run(options).then(found => found.violations)"
NARROW: Final = ViewportSize(width=360, height=780)
WIDE: Final = ViewportSize(width=1200, height=900)
PAPER: Final = ViewportSize(width=720, height=1000)
"""A4 without its margins."""
PATIENCE_S: Final = 120
PATIENCE_MS: Final = 1_000 * PATIENCE_S
"""A page waits for other processes, which a slow machine starts late."""
expect.set_options(timeout=PATIENCE_MS)
Found = TypeVar("Found")


def chromium() -> str | None:
    """The path of a Chromium of this machine: that of the variable CHROMIUM, or one in PATH."""
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, _NAMES)), None)


@contextmanager
def running_browser(path: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@dataclass
class Visitor:
    """Somebody at a page. `faults` are what the browser complained of."""

    page: Page
    address: str
    faults: list[str] = field(default_factory=list)

    def open(self, path: str, status: int = 200) -> Page:
        """Load a page, which must answer with this status."""
        self.answer(path, status)
        return self.page

    def answer(self, path: str, status: int = 200) -> Response:
        """Load a page, which must answer with this status; the answer."""
        answer = self.page.goto(self.address + path)
        assert answer is not None
        assert answer.status == status, f"{path}: {answer.status}"
        return answer

    def note_error(self, error: Error) -> None:
        self.faults.append(str(error))

    def note_message(self, said: ConsoleMessage) -> None:
        self.faults.extend([said.text] if said.type == "error" else [])


@dataclass
class Story:
    """The system after the story of `make demo`, with its console, and a browser."""

    system: System
    browser: Browser
    passwords: dict[str, str]
    _cookies: dict[str, dict[str, str]] = field(default_factory=dict)
    _windows: list[Page] = field(default_factory=list)
    """Those that nobody visits now."""

    @cached_property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.system.parts()['console']['port']}"

    def run(self, *arguments: str) -> Any:
        """The JSON document that a command prints."""
        return in_a_thread(lambda: self.system.ask(*arguments))

    def settle(self) -> None:
        """Wait for the fixed point."""
        self.run("wait", "--timeout", "300")

    def get(self, role: str | None, path: str, language: Language = "en", address: str = "") -> httpx.Response:
        """The answer to GET as this role, without a browser."""
        cookies = {**self.cookies(role), "yesser-language": language}
        return httpx.get(f"{address or self.address}{path}", cookies=cookies, timeout=PATIENCE_S, verify=False)

    def post(self, role: str, path: str, address: str = "", **given: str) -> httpx.Response:
        """The answer to a form as this role, without a browser."""
        form = _CSRF.search(self.get(role, "/account", address=address).text)
        assert form is not None
        data = {**given, "csrf": form[1]}
        cookies = {**self.cookies(role), "yesser-language": "en"}
        return httpx.post(
            f"{address or self.address}{path}", data=data, cookies=cookies, timeout=PATIENCE_S, verify=False
        )

    def cookies(self, role: str | None) -> dict[str, str]:
        """Of the role's session, which begins when they are first asked for."""
        if role is None:
            return {}
        if role not in self._cookies:
            self._cookies[role] = self._sign_in(role)
        return self._cookies[role]

    @contextmanager
    def visit(
        self,
        role: str | None,
        language: Language = "ar",
        scheme: Scheme = "light",
        viewport: ViewportSize = WIDE,
        *,
        own_window: bool = False,
        **options: Any,
    ) -> Iterator[Visitor]:
        """A window of somebody who is signed in as this role (None: of nobody). Its faults fail the test.

        A visit leaves no cookie and nothing stored, and the next one has its window. One with `options`, or that adds
        scripts to its pages, has a window of its own."""
        own_window |= bool(options)
        window = self._windows.pop() if self._windows and not own_window else self._window(**options)
        window.set_viewport_size(viewport)
        window.emulate_media(media="screen", color_scheme=scheme)
        cookies = {**self.cookies(role), "yesser-language": language}
        window.context.add_cookies(
            [{"name": name, "value": value, "url": self.address} for name, value in cookies.items()]
        )
        visitor = Visitor(window, self.address)
        window.on("pageerror", visitor.note_error)
        window.on("console", visitor.note_message)
        try:
            yield visitor
        except BaseException:
            window.context.close()
            raise
        if own_window or not window.url.startswith(self.address):
            window.context.close()
        else:
            self._windows.append(_emptied(window, visitor))
        faults = [fault for fault in visitor.faults if "status of 4" not in fault]
        assert not faults, faults

    def _window(self, **options: Any) -> Page:
        """A new one costs as much processor time as six pages."""
        page = self.browser.new_context(reduced_motion="reduce", **options).new_page()
        page.set_default_timeout(PATIENCE_MS)
        return page

    def _sign_in(self, role: str) -> dict[str, str]:
        """Sign in with the first password, and choose another."""
        first, own = self.passwords[role], f"the {role}'s own password"
        with httpx.Client(base_url=self.address, timeout=PATIENCE_S, verify=False) as client:
            client.post("/sign-in", data={"username": role, "password": first})
            form = _CSRF.search(client.get("/account/password").text)
            assert form is not None, f"{role} is not signed in"
            answer = client.post("/account/password", data={"csrf": form[1], "password": first, "new_password": own})
            assert answer.status_code == 303, f"{role} has chosen no password"
            self.passwords[role] = own
            return dict(client.cookies)


def _emptied(window: Page, visitor: Visitor) -> Page:
    """The window as a new one, but for its history."""
    for other in window.context.pages:
        if other != window:
            other.close()
    window.evaluate("localStorage.clear(); sessionStorage.clear()")
    window.goto("about:blank")  # no page goes on in the next visit
    window.unroute_all()
    window.remove_listener("pageerror", visitor.note_error)
    window.remove_listener("console", visitor.note_message)
    window.context.clear_cookies()
    return window


def in_a_thread(work: Callable[[], Found]) -> Found:
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(work).result()


@contextmanager
def told_story(path: str) -> Iterator[Story]:
    """The story on a system of its own, and the Chromium at this path."""
    with fresh_demo() as demo, at_console(demo.system, path) as story:
        yield story


@contextmanager
def at_console(system: System, path: str) -> Iterator[Story]:
    """The accounts, and the Chromium at this path, which starts after their commands."""
    with own_logging():
        passwords = dict(add_accounts(system))
    with running_browser(path) as browser:
        yield Story(system, browser, passwords)


def add_accounts(system: System) -> Iterator[tuple[str, str]]:
    """An account for each role, with its first password, and the team of the campaign team's account."""
    names = ("--name-ar", "المكتب الصحفي", "--name-en", "Press office")
    system.ask("teams", "add", "health", "press", *names, "--contact", "press@health.example")
    system.ask("subscriptions", "add", "health", "press", "--route", "email")
    for role, how in ACCOUNTS.items():
        yield role, system.ask("accounts", "add", role, "--role", *how)["password"]


def require_both_directions(page: Page) -> None:
    """Every look of a page that a journey leads to in one language, and that it fits in the other direction too."""
    require_every_look(page, directions=2)


def require_every_look(page: Page, directions: int = 1) -> None:
    """A page that is loaded is accessible in the light and in the dark, and fits. Afterwards it is as it was."""
    require_accessible(page)
    require_reading_order(page)
    page.emulate_media(color_scheme="dark")
    require_contrast(page)
    require_fitting(page, directions)


def require_fitting(page: Page, directions: int = 1) -> None:
    """A page that is loaded fits into a narrow window and on paper; with two directions, in the other one too."""
    page.set_viewport_size(NARROW)
    require_no_sideways_scroll(page, directions)
    page.emulate_media(media="print")
    page.set_viewport_size(PAPER)
    require_no_sideways_scroll(page, directions)
    page.emulate_media(media="screen", color_scheme="light")
    page.set_viewport_size(WIDE)


def require_accessible(page: Page) -> None:
    """No violation of WCAG 2.2 AA that axe finds, and contrast."""
    # Before its rules axe would load every style sheet again, for the rule about orientation alone, and that takes
    # longer than all rules: no style sheet asks for an orientation (`test_style.py`).
    rules = {"color-contrast": {"enabled": False}, "css-orientation-lock": {"enabled": False}}
    _require_none(page, {"runOnly": {"type": "tag", "values": _TAGS}, "rules": rules, "preload": False})
    require_contrast(page)


def require_contrast(page: Page) -> None:
    """Contrast in the present colours of texts and fields, by our own means: axe skips Arabic, whose joined letters it
    takes for an icon font, and takes twenty times as long."""
    faint: list[str] = page.evaluate(_CONTRAST)
    assert not faint, "\n".join(faint)


def require_reading_order(page: Page) -> None:
    """Every date, number and code of the page is drawn in the order in which it is typed."""
    turned: list[str] = page.evaluate(_READING_ORDER)
    assert not turned, "\n".join(turned)


def _require_none(page: Page, options: dict[str, Any]) -> None:
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    found = page.evaluate(_RUN_AXE, {**options, "resultTypes": ["violations"]})
    violations = [
        f"{violation['id']}: {node['html'][:200]} {node.get('failureSummary', '')}"
        for violation in found
        for node in violation["nodes"]
    ]
    assert not violations, "\n".join(violations)


def require_no_sideways_scroll(page: Page, directions: int = 1) -> None:
    """The page is no wider than its window; wide tables scroll in themselves."""
    for inside, window in page.evaluate(_WIDTHS, directions):
        assert inside <= window, f"the page is {inside} px wide in a window of {window} px"
