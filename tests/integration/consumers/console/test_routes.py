"""Each role of the console reads and changes its own: every route, asked with ids of others in every parameter."""

from __future__ import annotations

import re
from typing import Final

from consumers.console.accounts.accounts import Role
from infra.postgres.connection import Connection
from infra.settings import Settings
from tests.integration.consumers.console.tried_routes import tried
from tests.security_page import CONSOLE, block, console_table

_PROGRAMME: Final = re.compile(
    r"GET (/v1|/explain)?/(plan|pace|services|projects|campaigns|coverage|names)"
    r"(\b(?!.*(acknowledge|air|correct|complete)).*)"
)
"""What is the programme's, which every agency reads."""
_READS_EVERYTHING: Final[tuple[Role, ...]] = ("office", "auditor")
_KEEPS_NOTHING: Final = "POST /partnerships/{partnership_id}/reconcile"
_OF_MONEY: Final = re.compile(r".*(partnership|balances|open-periods|/entries/|/proofs/)")


def may_reach(route: str, role: Role, reach: str) -> bool:
    """Whether the rules of the console allow it."""
    if not route.startswith("GET ") and route != _KEEPS_NOTHING:
        return reach in ("", "yes", "own")
    if reach == "all":
        is_programme = role in ("agency", "team") and _PROGRAMME.fullmatch(route) is not None
        is_money = role == "treasury" and _OF_MONEY.match(route) is not None
        is_operations = role == "administrator" and route.startswith("GET /operations")
        return role in _READS_EVERYTHING or is_programme or is_money or is_operations
    return reach != "agency" or role == "team"


async def test_no_role_reaches_anothers_and_the_page_says_how_far(settings: Settings, connection: Connection) -> None:
    found = await tried(settings, connection)
    assert [(route, role, reach) for (route, role), reach in found.items() if not may_reach(route, role, reach)] == []
    answered = {route for (route, _), reach in found.items() if reach}
    assert answered == {route for route, _ in found}, "nobody was answered: the ids are of nothing"
    assert block(CONSOLE) == console_table(found), "run `python -m tests.security_page`"
