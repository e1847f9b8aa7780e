"""Figures of statements and accounts explained from the database and from a mirror: formula, transfers, entries."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from consumers.audit.mirror import write_mirror
from consumers.registry import CONSUMERS
from infra.cli import cli
from infra.log.merkle import TileTree, leaf_hash
from infra.log.proof_file import parse_proof_file
from infra.postgres.connection import Connection
from infra.private_keys.key_files import log_key_files
from infra.settings import Settings
from tests.oracle.fold import fold
from tests.oracle.history import REVENUE, entries_from, generate
from tests.oracle.log import EntryDict
from tests.unit.consumers.audit.memory_log import KEY, MemoryLog, root_of
from tests.world.logs import apply_live, raw_entries, write_log

VKEY = KEY.verifier.vkey


@pytest.fixture(scope="module")
def log() -> list[EntryDict]:
    return entries_from(generate(13, 400, REVENUE))


@pytest.fixture
def statement(log: list[EntryDict]) -> dict[str, Any]:
    """The one with most revenue."""
    return max(fold(log).statements, key=lambda row: row["collected_halalas"])


@pytest.fixture
async def yesser(connection: Connection, settings: Settings, log: list[EntryDict], tmp_path: Path) -> Any:
    """Runs `yesser ledger explain` over the applied and signed log."""
    raw = raw_entries(log)
    await write_log(connection, raw)
    nodes = TileTree().append([leaf_hash(entry) for entry in raw])
    await connection.executemany("INSERT INTO log.node VALUES ($1, $2, $3)", nodes)
    for consumer in CONSUMERS.values():
        await apply_live(connection, consumer, raw)
    note = KEY.sign_checkpoint(len(raw), root_of(raw))
    await connection.execute("INSERT INTO log.checkpoint (size, note) VALUES ($1, $2)", len(raw), note)
    await asyncio.to_thread(settings.log_folder.mkdir, parents=True, exist_ok=True)
    await asyncio.to_thread(log_key_files(settings).vkey.write_text, VKEY + "\n")
    await write_mirror(MemoryLog(raw), tmp_path / "mirror", KEY.verifier)
    environment = {
        "YESSER_POSTGRES": settings.postgres or "",
        "YESSER_HOME": str(settings.home),
        "XDG_STATE_HOME": str(tmp_path / "state"),
    }

    async def run(*arguments: str) -> Result:
        return await asyncio.to_thread(CliRunner().invoke, cli, ["ledger", "explain", *arguments], env=environment)

    return run


async def document_of(yesser: Any, *arguments: str) -> dict[str, Any]:
    result = await yesser(*arguments, "--json")
    assert result.exit_code == 0, (result.output, result.exception)
    found: dict[str, Any] = json.loads(result.stdout)
    return found


async def test_each_field_is_explained_alike_inside_and_outside(
    yesser: Any, statement: dict[str, Any], tmp_path: Path
) -> None:
    own = statement["partnership_id"], statement["period"]
    mirror = ("--from", str(tmp_path / "mirror"), "--vkey", VKEY)
    every = await document_of(yesser, *own)
    assert {row["field"]: row["value"] for row in every["fields"]} == {
        name: value for name, value in statement.items() if name not in ("partnership_id", "period")
    }
    assert await document_of(yesser, *own, *mirror) == every
    for field in ("net_halalas", "partner_base_halalas", "partner_total_halalas", "closing_cumulative_halalas"):
        found = await document_of(yesser, *own, field)
        assert found["value"] == statement[field] == found["figures"][field]
        assert found["steps"]
        assert {row["index"] for row in found["transfers"]} == {step["index"] for step in found["steps"]}
        assert await document_of(yesser, *own, field, *mirror) == found
    shares = (await document_of(yesser, *own, "partner_base_halalas"))["shares"]
    assert sum(group["partner_halalas"] for group in shares) == statement["partner_base_halalas"]


async def test_an_account_is_explained_by_its_transfers(
    yesser: Any, statement: dict[str, Any], log: list[EntryDict], tmp_path: Path
) -> None:
    account = f"collections:{statement['partnership_id']}"
    folder = tmp_path / "proofs"
    found = await document_of(yesser, account, "--proofs", str(folder))
    balance = fold(log).balances[account]["balance_halalas"]
    assert found["figures"]["balance_halalas"] == balance
    signs = [1 if row["debit"] == account else -1 for row in found["transfers"]]
    assert sum(s * row["amount_halalas"] for s, row in zip(signs, found["transfers"], strict=True)) == balance
    assert len(found["proofs"]) == len(found["steps"])
    proof = parse_proof_file(await asyncio.to_thread(Path(found["proofs"][-1]).read_text))
    assert proof.verified(KEY.verifier).size == len(log)


async def test_the_formula_is_shown_in_both_languages(yesser: Any, statement: dict[str, Any]) -> None:
    own = statement["partnership_id"], statement["period"]
    shown = (await yesser(*own, "net_halalas")).output
    assert "Net of partnership" in shown
    assert "Collected − Reversed" in shown
    assert "المحصّل − المردود" in shown
    assert "They give this figure." in shown
    assert "Partner's share under version" in (await yesser(*own, "partner_base_halalas")).output
    assert "The formulas of statement" in (await yesser(*own)).output


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("PPP", "2005-01", "net"), "Did you mean net_halalas"),
        (("PPP",), "Give the period"),
        (("PPP", "2005-13"), "is not a period"),
        (("cashh:PPP",), "partner-payable"),
        (("cash:PPP", "2005-01"), "leave out PERIOD"),
    ],
)
async def test_wrong_use_is_answered_with_what_to_write(yesser: Any, arguments: tuple[str, ...], sentence: str) -> None:
    result = await yesser(*arguments)
    assert (result.exit_code, sentence in result.output) == (2, True), result.output


async def test_a_statement_or_an_account_that_is_not_there_is_named(yesser: Any, statement: dict[str, Any]) -> None:
    known, period = statement["partnership_id"], statement["period"]
    result = await yesser(f"{known}x", period)
    assert f"statements has no {known}x/{period}. Did you mean {known}/" in str(result.exception)
    assert "accounts has no cash:none" in str((await yesser("cash:none")).exception)
