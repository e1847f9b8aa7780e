"""Figures of statements and accounts explained from the database and from a mirror: formula, transfers, entries."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from consumers.audit.mirror import write_mirror
from infra.log.proof_file import parse_proof_file
from infra.postgres.connection import Connection
from infra.settings import Settings
from tests.integration.consumers.revenue.signed_books import lay_down_books, sign
from tests.oracle.fold import fold
from tests.oracle.history import REVENUE, entries_from, generate
from tests.oracle.log import EntryDict
from tests.world.commands import Yesser
from tests.world.logs import raw_entries
from tests.world.memory_log import KEY, MemoryLog

Explain = Callable[..., Awaitable[Any]]
VKEY = KEY.verifier.vkey


@pytest.fixture(scope="module")
def log() -> list[EntryDict]:
    return entries_from(generate(13, 400, REVENUE))


@pytest.fixture
def statement(log: list[EntryDict]) -> dict[str, Any]:
    """The one with most revenue."""
    return max(fold(log).statements, key=lambda row: row["collected_halalas"])


@pytest.fixture(autouse=True)
async def books(connection: Connection, settings: Settings, log: list[EntryDict], tmp_path: Path) -> None:
    """The ledger and a mirror of its log."""
    raw = raw_entries(log)
    await lay_down_books(connection, settings, raw)
    await sign(connection, raw)
    await write_mirror(MemoryLog(raw), tmp_path / "mirror", KEY.verifier)


@pytest.fixture
def explain(yesser: Yesser, tmp_path: Path) -> Explain:
    """The document of `yesser ledger explain`, for an auditor who has seen no other log."""

    async def document(*arguments: str) -> Any:
        return await yesser.document("ledger", "explain", *arguments, XDG_STATE_HOME=str(tmp_path / "state"))

    return document


async def test_each_field_is_explained_alike_inside_and_outside(
    explain: Explain, statement: dict[str, Any], tmp_path: Path
) -> None:
    own = statement["partnership_id"], statement["period"]
    mirror = ("--from", str(tmp_path / "mirror"), "--vkey", VKEY)
    every = await explain(*own)
    assert {row["field"]: row["value"] for row in every["fields"]} == {
        name: value for name, value in statement.items() if name not in ("partnership_id", "period")
    }
    assert await explain(*own, *mirror) == every
    for field in ("net_halalas", "partner_base_halalas", "partner_total_halalas", "closing_cumulative_halalas"):
        found = await explain(*own, field)
        assert found["value"] == statement[field] == found["figures"][field]
        assert found["steps"]
        assert {row["index"] for row in found["transfers"]} == {step["index"] for step in found["steps"]}
        assert await explain(*own, field, *mirror) == found
    shares = (await explain(*own, "partner_base_halalas"))["shares"]
    assert sum(group["partner_halalas"] for group in shares) == statement["partner_base_halalas"]


async def test_an_account_is_explained_by_its_transfers(
    explain: Explain, statement: dict[str, Any], log: list[EntryDict], tmp_path: Path
) -> None:
    account = f"collections:{statement['partnership_id']}"
    folder = tmp_path / "proofs"
    found = await explain(account, "--proofs", str(folder))
    balance = fold(log).balances[account]["balance_halalas"]
    assert found["figures"]["balance_halalas"] == balance
    signs = [1 if row["debit"] == account else -1 for row in found["transfers"]]
    assert sum(s * row["amount_halalas"] for s, row in zip(signs, found["transfers"], strict=True)) == balance
    assert len(found["proofs"]) == len(found["steps"])
    proof = parse_proof_file(await asyncio.to_thread(Path(found["proofs"][-1]).read_text))
    assert proof.verified(KEY.verifier).size == len(log)


async def test_the_formula_is_shown_in_both_languages(yesser: Yesser, statement: dict[str, Any]) -> None:
    command = "ledger", "explain", statement["partnership_id"], statement["period"]
    shown = await yesser.output(*command, "net_halalas")
    assert "Net of partnership" in shown
    assert "Collected − Reversed" in shown
    assert "المحصّل − المردود" in shown
    assert "They give this figure." in shown
    assert "Partner's share under version" in await yesser.output(*command, "partner_base_halalas")
    assert "The formulas of statement" in await yesser.output(*command)


async def test_wrong_use_is_answered_with_what_to_write(yesser: Yesser, statement: dict[str, Any]) -> None:
    for arguments, sentence in (
        (("PPP", "2005-01", "net"), "Did you mean net_halalas"),
        (("PPP",), "Give the period"),
        (("PPP", "2005-13"), "is not a period"),
        (("cashh:PPP",), "partner-payable"),
        (("cash:PPP", "2005-01"), "leave out PERIOD"),
    ):
        result = await yesser.run("ledger", "explain", *arguments)
        assert (result.exit_code, sentence in result.output) == (2, True), result.output
    known, period = statement["partnership_id"], statement["period"]
    for arguments, sentence in (
        ((f"{known}x", period), f"statements has no {known}x/{period}. Did you mean {known}/"),
        (("cash:none",), "accounts has no cash:none"),
    ):
        result = await yesser.run("ledger", "explain", *arguments)
        assert sentence in str(result.exception)
