"""Every page of the console, and a role that sees it. `test_every_page.py` opens each in both languages and schemes."""

from __future__ import annotations

from typing import Final

PAGES: Final[tuple[tuple[str, str | None], ...]] = (
    ("/sign-in", None),
    ("/account", "office"),
    ("/components", "office"),
    ("/campaigns", "team"),
    ("/campaigns?state=any", "office"),
    ("/campaigns/coverage", "office"),
    ("/campaigns/teams", "agency"),
    ("/campaigns/new-team", "agency"),
    ("/workspace", "agency"),
    ("/workspace/publish", "agency"),
    ("/workspace/publish/partnership.signed", "agency"),
    ("/workspace/publish/plan.adopted", "office"),
    ("/workspace/types/partnership.signed", "agency"),
    ("/workspace/files", "agency"),
    ("/workspace/refusals?all=true", "agency"),
    ("/workspace/tokens", "agency"),
    ("/partnerships", "partner"),
    ("/partnerships/PPP-110-001", "treasury"),
    ("/partnerships/PPP-110-001/forecast", "partner"),
    ("/partnerships/PPP-110-001/ledger/partner-payable", "auditor"),
    ("/partnerships/PPP-110-001/reconcile", "partner"),
    ("/partnerships/PPP-110-001/statements/1426-09", "partner"),
    ("/partnerships/PPP-110-001/statements/1426-09/explain/partner_base_halalas", "office"),
    ("/partnerships/PPP-110-001/what-if?rate0=65", "office"),
    ("/operations", "administrator"),
    ("/operations/trail", "office"),
    ("/operations/accounts", "administrator"),
)
