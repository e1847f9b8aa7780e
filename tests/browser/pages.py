"""Every page of the console, and a role that sees it. `test_every_page.py` opens each in both languages and schemes."""

from __future__ import annotations

from typing import Final

PAGES: Final[tuple[tuple[str, str | None], ...]] = (
    ("/sign-in", None),
    ("/account", "office"),
    ("/components", "office"),
    ("/operations", "administrator"),
    ("/operations/trail", "office"),
    ("/operations/accounts", "administrator"),
    ("/operations", "administrator"),
    ("/operations/trail", "office"),
    ("/operations/accounts", "administrator"),
)
