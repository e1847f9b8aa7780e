"""Sign-ins for the console: an account for each role, with a new password each time."""

from __future__ import annotations

from typing import Any, Final

from infra.settings import Settings
from producers.programme.commands import run_json

AGENCY: Final = "health"
TEAM: Final = "press"
_ACCOUNTS: Final = {
    "office": ("office",),
    "agency": ("agency", "--agency", AGENCY),
    "team": ("team", "--agency", AGENCY, "--team", TEAM),
    "partner": ("partner", "--partner", "commerce/DIGITAL-TRANSACTIONS"),
    "treasury": ("treasury",),
    "auditor": ("auditor",),
    "administrator": ("administrator",),
}
"""Username → its role and whose it is."""


def sign_ins(settings: Settings) -> dict[str, Any]:
    """The console's address, and an account for each role. The campaign team is added where it is missing."""
    _add_team()
    known = {row["username"] for row in run_json("accounts", "list")}
    accounts = []
    for username, how in _ACCOUNTS.items():
        words = ("password", username) if username in known else ("add", username, "--role", *how)
        password = run_json("accounts", *words)["password"]
        accounts.append({"username": username, "role": how[0], "password": password})
    return {"address": f"http://127.0.0.1:{settings.stack().port_of('console')}", "accounts": accounts}


def _add_team() -> None:
    if all(row["team"] != TEAM for row in run_json("teams", "list", AGENCY)):
        names = ("--name-ar", "المكتب الصحفي", "--name-en", "Press office")
        run_json("teams", "add", AGENCY, TEAM, *names, "--contact", "press@health.example")
        run_json("subscriptions", "add", AGENCY, TEAM, "--route", "email")
