"""The documentation in a browser: its files, as `yesser docs` writes them, served by this process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Browser, Page

from tests.browser.console import PATIENCE_MS, WIDE, Scheme


@dataclass(frozen=True, slots=True)
class Documentation:
    """The pages, and a browser."""

    address: str
    browser: Browser

    @contextmanager
    def open(self, file: str, scheme: Scheme = "light", **options: Any) -> Iterator[Page]:
        """A page in a window of its own. A file that is missing, and anything the browser reports, fail the test."""
        context = self.browser.new_context(viewport=WIDE, color_scheme=scheme, **options)
        page = context.new_page()
        faults: list[str] = []
        page.set_default_timeout(PATIENCE_MS)
        page.on("console", lambda said: faults.extend([said.text] if said.type == "error" else []))
        try:
            answer = page.goto(f"{self.address}{file}")
            assert answer is not None
            assert answer.status == 200, f"{file}: {answer.status}"
            yield page
        finally:
            context.close()
        assert not faults, faults
