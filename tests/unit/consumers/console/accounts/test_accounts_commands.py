"""`yesser accounts` refuses with a sentence that says what happened."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import CliRunner

from consumers.console.accounts import commands
from consumers.console.accounts.accounts import AccountRow


def test_an_account_that_changes_while_it_is_compared_is_not_sealed(monkeypatch: pytest.MonkeyPatch) -> None:
    row: Any = dict.fromkeys(AccountRow.__struct_fields__) | {"username": "desk"}
    states = [[AccountRow(**row | {"role": role})] for role in ("auditor", "office")]

    async def rows(_: Any) -> list[AccountRow]:
        return states.pop(0)

    def at_once(work: Callable[[Any, Any], Any], _: Any = None) -> Any:
        return asyncio.run(work(None, None))

    monkeypatch.setattr(commands, "list_accounts", rows)
    monkeypatch.setattr(commands, "_with_seals", at_once)
    error = CliRunner().invoke(commands.accounts, ["seal", "desk", "--yes"]).exception
    assert type(error).__name__ == "AccountsChanged"
    assert str(error) == "The accounts were changed meanwhile. Nothing was sealed. Run the command again."
