"""Every page of the console, and a role that sees it. `test_every_page.py` opens each in both languages and schemes."""

from __future__ import annotations

from typing import Final

PAGES: Final[tuple[tuple[str, str | None], ...]] = (
    ("/sign-in", None),
    ("/account", "office"),
    ("/components", "office"),
    ("/audit", "office"),
    ("/audit", "agency"),
    ("/audit/log", "auditor"),
    ("/audit/log?type=service.launched", "agency"),
    ("/audit/entries/5", "office"),
    ("/audit/anomalies", "auditor"),
    ("/audit/completeness", "office"),
    ("/audit/commitments", "auditor"),
    ("/audit/keys", "office"),
    ("/explain/plan/services/1/launched", "office"),
    ("/explain/plan/awareness", "auditor"),
    ("/explain/partnerships/PPP-110-001/net_halalas", "treasury"),
)
