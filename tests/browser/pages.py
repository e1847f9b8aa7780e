"""Every page of the console, and a role that sees it. `test_every_page.py` opens each in both languages and schemes."""

from __future__ import annotations

from typing import Final

PAGES: Final[tuple[tuple[str, str | None], ...]] = (
    ("/sign-in", None),
    ("/account", "office"),
    ("/components", "office"),
    ("/plan", "office"),
    ("/plan?as_of_index=300", "auditor"),
    ("/plan?as_of_index=0", "agency"),
    ("/plan/services", "office"),
    ("/plan/services/health-01", "team"),
    ("/plan/projects", "agency"),
    ("/plan/projects/NATIONAL-PERSONNEL", "office"),
    ("/plan/training", "office"),
    ("/plan/awareness", "office"),
    ("/plan/awareness", "agency"),
)
