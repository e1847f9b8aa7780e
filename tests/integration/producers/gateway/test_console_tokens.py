"""A console's token counts only for an account that there is: its role and its holder are those of the database."""

from __future__ import annotations

import pytest

from infra.http.problems import Problem
from infra.postgres.connection import Connection
from infra.settings import Settings
from tests.integration.producers.gateway.console_callers import authenticate
from tests.world.consoles import add_account, write_console_key
from tests.world.senders import REGISTER

OWN = [
    ("health-desk", "agency", "health", "agency"),
    ("press", "team", "health", "agency"),
    ("office", "office", "yesser", "office"),
]
NOBODYS = [
    ("health-desk", "agency", "labour"),
    ("health-desk", "team", "health"),
    ("health-desk", "office", "yesser"),
    ("health-desk", "office", "health"),
    ("press", "agency", "health"),
    ("office", "office", "health"),
    ("office", "agency", "health"),
    ("office", "agency", "yesser"),
    ("former", "agency", "health"),
    ("nobody", "agency", "unregistered"),
    ("made-up", "agency", "health"),
    ("made-up", "office", "yesser"),
    ("made-up", "auditor", "made-up"),
    ("court", "auditor", "court"),
    ("made-up", "treasury", "made-up"),
    ("made-up", "partner", "made-up"),
    ("health-desk", "platform", "health"),
]


@pytest.fixture
async def prepared(settings: Settings, connection: Connection) -> Settings:
    """Accounts of agency `health` and its team, of the office, an auditor, and of an agency that is not registered."""
    write_console_key(settings)
    for code, role in (("yesser", "office"), ("health", "agency"), ("labour", "agency")):
        await connection.execute(REGISTER, code, role)
    await add_account(connection, "health-desk", "agency", "health")
    await add_account(connection, "press", "team", "health", team="press")
    await add_account(connection, "office", "office")
    await add_account(connection, "court", "auditor")
    await add_account(connection, "nobody", "agency", "unregistered")
    await add_account(connection, "former", "agency", "health")
    await connection.execute("UPDATE console.account SET disabled_at = now() WHERE username = 'former'")
    return settings


async def test_another_role_or_holder_is_nobodys(prepared: Settings) -> None:
    for username, role, holder, kind in OWN:
        caller = await authenticate(prepared, username, role, holder)
        assert (caller.name, caller.kind, caller.holder) == (f"console/{username}", kind, holder)
        assert caller.require_agency().code == holder
    for username, role, holder in NOBODYS:
        with pytest.raises(Problem) as caught:
            await authenticate(prepared, username, role, holder)
        assert caught.value.code == "unauthenticated", (username, role, holder)
