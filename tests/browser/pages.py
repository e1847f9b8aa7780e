"""Every page of the console, and a role that sees it, and a page of each template."""

from __future__ import annotations

from typing import Final

CAMPAIGN: Final = "/campaigns/CAMPAIGN"
"""In place of the id of one of health's campaigns, which depends on the order of the story's entries."""
_TEAM: Final = "/campaigns/teams/press"
TEMPLATES: Final[dict[str, tuple[str, str | None]]] = {
    "sign-in": ("/sign-in", None),
    "account": ("/account", "office"),
    "components": ("/components", "office"),
    "error": ("/no-such-page", "office"),
    "plan/overview": ("/plan", "office"),
    "plan/services": ("/plan/services", "office"),
    "plan/service": ("/plan/services/health-01", "team"),
    "plan/projects": ("/plan/projects", "agency"),
    "plan/project": ("/plan/projects/NATIONAL-PERSONNEL", "office"),
    "plan/training": ("/plan/training", "office"),
    "plan/awareness": ("/plan/awareness", "office"),
    "audit/overview": ("/audit", "office"),
    "audit/log": ("/audit/log", "auditor"),
    "audit/entry": ("/audit/entries/5", "office"),
    "audit/anomalies": ("/audit/anomalies", "auditor"),
    "audit/completeness": ("/audit/completeness", "office"),
    "audit/commitments": ("/audit/commitments", "auditor"),
    "audit/keys": ("/audit/keys", "office"),
    "audit/explain": ("/explain/plan/services/1/launched", "office"),
    "campaigns/inbox": ("/campaigns?state=any", "office"),
    "campaigns/campaign": (CAMPAIGN, "agency"),
    "campaigns/brief": (f"{CAMPAIGN}/brief", "agency"),
    "campaigns/report": (f"{CAMPAIGN}/air", "agency"),
    "campaigns/coverage": ("/campaigns/coverage", "office"),
    "campaigns/teams": ("/campaigns/teams", "agency"),
    "campaigns/team": (_TEAM, "agency"),
    "campaigns/team-new": ("/campaigns/new-team", "agency"),
    "campaigns/team-contacts": (f"{_TEAM}/contacts", "agency"),
    "campaigns/team-subscribe": (f"{_TEAM}/subscribe", "agency"),
    "campaigns/team-close": (f"{_TEAM}/close", "agency"),
    "campaigns/webhook-new": (f"{_TEAM}/new-webhook", "agency"),
    "workspace/overview": ("/workspace", "agency"),
    "workspace/types": ("/workspace/publish", "agency"),
    "workspace/type": ("/workspace/types/partnership.signed", "agency"),
    "workspace/form": ("/workspace/publish/partnership.signed", "agency"),
    "workspace/files": ("/workspace/files", "agency"),
    "workspace/refusals": ("/workspace/refusals?all=true", "agency"),
    "workspace/tokens": ("/workspace/tokens", "agency"),
    "workspace/expected": ("/workspace/expected", "agency"),
    "partnerships/list": ("/partnerships", "partner"),
    "partnerships/partnership": ("/partnerships/PPP-110-001", "treasury"),
    "partnerships/forecast": ("/partnerships/PPP-110-001/forecast", "partner"),
    "partnerships/ledger": ("/partnerships/PPP-110-001/ledger/partner-payable", "auditor"),
    "partnerships/reconcile": ("/partnerships/PPP-110-001/reconcile", "partner"),
    "partnerships/statement": ("/partnerships/PPP-110-001/statements/1426-09", "partner"),
    "partnerships/what-if": ("/partnerships/PPP-110-001/what-if?rate0=65", "office"),
    "operations/operations": ("/operations", "administrator"),
    "operations/trail": ("/operations/trail", "office"),
    "operations/accounts": ("/operations/accounts", "administrator"),
    "approvals": ("/approvals", "administrator"),
}
"""A page of each template, with a role that sees it."""
OTHER_DATA: Final[tuple[tuple[str, str | None], ...]] = (
    ("/plan?as_of_index=300", "auditor"),
    ("/plan?as_of_index=0", "agency"),
    ("/plan/awareness", "agency"),
    ("/audit", "agency"),
    ("/audit/log?type=service.launched", "agency"),
    ("/explain/plan/awareness", "auditor"),
    ("/explain/partnerships/PPP-110-001/net_halalas", "treasury"),
    ("/partnerships/PPP-110-001/statements/1426-09/explain/partner_base_halalas", "office"),
    ("/campaigns", "team"),
    ("/workspace/publish/plan.adopted", "office"),
)
"""Pages of these templates with other data, or as another role sees them."""
PAGES: Final = (
    *(page for page in TEMPLATES.values() if not page[0].startswith((CAMPAIGN, _TEAM, "/no-such-page"))),
    *OTHER_DATA,
)
"""The pages of the story. The others are those of one campaign and of one team."""
OPENED_BY: Final = {
    "choose-password": "test_keyboard.py",
    "not-sent": "test_workspace.py",
    "audit/not-explained": "test_audit.py",
    "campaigns/secrets": "test_teams.py",
    "campaigns/webhook": "test_teams.py",
    "workspace/confirm": "test_workspace.py",
    "workspace/not-sent": "test_publishing.py",  # its HTML alone
    "workspace/refusal": "test_workspace.py",
    "workspace/sent": "test_workspace.py",
    "workspace/upload": "test_workspace.py",
}
"""Templates that no address leads to, and who opens them."""
