"""Who may send a form, where sign-in leads, what an account is, and how its command refuses."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import CliRunner

from consumers.console.accounts import commands
from consumers.console.accounts.accounts import ROLES
from consumers.console.accounts.commands import InvalidAccount, require_valid
from consumers.console.accounts.passwords import hash_password, is_password
from consumers.console.page_request import ITEMS, home_of
from consumers.console.web.security import is_own_site, own_path
from tests.every import every
from tests.world.pages import account_of

HOST = (b"host", b"console.example")


@every(
    ("headers", "own"),
    [
        ([(b"sec-fetch-site", b"same-origin")], True),
        ([(b"sec-fetch-site", b"none")], True),
        ([(b"sec-fetch-site", b"same-site")], False),
        ([(b"sec-fetch-site", b"cross-site"), (b"origin", b"https://console.example")], False),
        ([(b"origin", b"https://console.example")], True),
        ([(b"origin", b"https://console.example.evil")], False),
        ([(b"origin", b"null")], False),
        ([], True),
    ],
)
def test_forms_come_from_our_own_pages(headers: list[tuple[bytes, bytes]], own: bool) -> None:
    assert is_own_site([HOST, *headers]) is own


@every(
    ("address", "is_own"),
    [
        *((address, True) for address in ("/", "/plan?as_of_index=5", "/campaigns/a%2Fb", "/audit#x")),
        *((address, False) for address in ("", "plan", "//evil.example", "https://evil.example", "/\\evil.example")),
        *((address, False) for address in ("/\\/evil", "javascript:x", "/a\nb")),
    ],
)
def test_sign_in_leads_back_and_nowhere_else(address: str, is_own: bool) -> None:
    assert own_path(address) == (address if is_own else "/")


def test_every_role_has_a_first_page_and_reads_as_a_token_of_its_kind_would() -> None:
    for role in ROLES:
        assert home_of(role) in {item.path for item in ITEMS}
        caller = account_of(role).caller()
        assert (caller is None) == (role == "administrator")
        if caller is not None:
            assert (caller.agency is None) == (role in ("partner", "treasury", "auditor"))


def test_a_password_is_hashed_with_argon2id() -> None:
    kept = hash_password("a long password")
    assert kept.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert is_password(kept, "a long password")
    assert not is_password(kept, "another password")
    assert not is_password(None, "no account has this password")


@every(
    ("username", "role", "agency", "team", "partners", "fault"),
    [
        ("1st", "office", None, None, (), "a name is"),
        ("desk-1050123456", "office", None, None, (), "a name is"),
        ("desk", "office", "health", None, (), "--agency"),
        ("desk", "agency", None, None, (), "--agency"),
        ("desk", "team", "health", None, (), "--team"),
        ("desk", "partner", None, None, (), "--partner"),
        ("desk", "partner", None, None, ("P1",), "--partner"),
        ("desk", "partner", None, None, ("/",), "--partner"),
        ("desk", "partner", None, None, ("commerce/",), "--partner"),
        ("desk", "partner", None, None, ("commerce/DIGITAL", "Commerce/DIGITAL"), "--partner"),
        ("desk", "partner", None, None, ("commerce/DIGITAL/2",), "--partner"),
    ],
)
def test_an_account_that_cannot_be_is_refused(
    username: str, role: str, agency: str | None, team: str | None, partners: tuple[str, ...], fault: str
) -> None:
    with pytest.raises(InvalidAccount, match=fault):
        require_valid(username, role, agency, team, partners)
    require_valid("desk", "partner", None, None, ("commerce/DIGITAL-TRANSACTIONS", "health/ACME_2"))


def test_an_account_that_changes_while_it_is_compared_is_not_sealed(monkeypatch: pytest.MonkeyPatch) -> None:
    row: Any = {"username": "desk", "oidc_subject": None, "disabled_at": None, "password_hash": None}
    states = [[row | {"role": role}] for role in ("auditor", "office")]

    async def rows(_: Any) -> list[Any]:
        return states.pop(0)

    def at_once(work: Callable[[Any, Any], Any], _: Any = None) -> Any:
        return asyncio.run(work(None, None))

    monkeypatch.setattr(commands, "list_accounts", rows)
    monkeypatch.setattr(commands, "_with_seals", at_once)
    error = CliRunner().invoke(commands.accounts, ["seal", "desk", "--yes"]).exception
    assert type(error).__name__ == "AccountsChanged"
    assert str(error) == "The accounts were changed meanwhile. Nothing was sealed. Run the command again."
