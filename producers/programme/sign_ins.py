"""Sign-ins for the console: an account for each role, with a new password each time."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from infra.settings import Settings
from producers.programme.commands import read_json, run_json
from producers.programme.documents import SignIn, SignIns
from producers.programme.report import AGENCY

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


class _Row(Struct):
    """What is read of accounts and teams."""

    username: str = ""
    password: str = ""
    team: str | None = None


def sign_ins(settings: Settings) -> SignIns:
    """The console's address, and an account for each role. The campaign team is added where it is missing."""
    if all(row.team != TEAM for row in read_json(list[_Row], "teams", "list", AGENCY)):
        names = ("--name-ar", "المكتب الصحفي", "--name-en", "Press office")
        run_json("teams", "add", AGENCY, TEAM, *names, "--contact", "press@health.example")
        run_json("subscriptions", "add", AGENCY, TEAM, "--route", "email")
    known = {row.username for row in read_json(list[_Row], "accounts", "list")}
    accounts = []
    for username, how in _ACCOUNTS.items():
        words = ("password", username) if username in known else ("add", username, "--role", *how)
        accounts.append(SignIn(username, how[0], read_json(_Row, "accounts", *words).password))
    return SignIns(settings.console_link, accounts)
