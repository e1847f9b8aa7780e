"""A statement that proves itself: its folder alone gives its figures, and the log says that none was left out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from consumers.audit.mirror import write_mirror
from consumers.event_index.consumer import CONSUMER as EVENT_INDEX
from consumers.ledger.proving import NotSignedYet, prove_statement
from consumers.ledger.statement_proof import verify_statement
from consumers.operations.audit_options import AuditSource
from consumers.revenue.consumer import CONSUMER as REVENUE
from events.values.money import riyals_text
from infra.postgres.connection import Connection
from infra.settings import Settings
from tests.integration.consumers.revenue.signed_books import lay_down_books, sign
from tests.oracle.fold import fold
from tests.oracle.history import REVENUE as REVENUE_PROFILE
from tests.oracle.history import entries_from, generate
from tests.oracle.log import EntryDict
from tests.world.commands import Yesser
from tests.world.logs import apply_live, raw_entries, write_log
from tests.world.memory_log import KEY, MemoryLog

VERIFIER = KEY.verifier


@pytest.fixture(scope="module")
def log() -> list[EntryDict]:
    return entries_from(generate(13, 400, REVENUE_PROFILE))


@pytest.fixture
def own(log: list[EntryDict]) -> tuple[str, str]:
    """The statement with most revenue."""
    statement = max(fold(log).statements, key=lambda row: row["collected_halalas"])
    return statement["partnership_id"], statement["period"]


@pytest.fixture
async def applied(connection: Connection, settings: Settings, log: list[EntryDict]) -> Connection:
    await lay_down_books(connection, settings, raw_entries(log))
    return connection


async def test_every_statement_follows_from_its_folder(
    applied: Connection, settings: Settings, log: list[EntryDict], tmp_path: Path
) -> None:
    await sign(applied, raw_entries(log))
    await write_mirror(MemoryLog(raw_entries(log)), tmp_path / "mirror", VERIFIER)
    against = AuditSource(str(tmp_path / "mirror"), VERIFIER, None, None)
    for number, statement in enumerate(fold(log).statements):
        folder = tmp_path / str(number)
        await prove_statement(settings, statement["partnership_id"], statement["period"], folder)
        found = await verify_statement(folder, VERIFIER)
        own = statement["partnership_id"], statement["period"]
        assert (found.partnership_id, found.period, found.is_complete) == (*own, False)
        if number < 3:
            assert (await verify_statement(folder, VERIFIER, against)).is_complete


async def test_what_is_not_signed_is_not_proven_yet(
    applied: Connection, settings: Settings, own: tuple[str, str], log: list[EntryDict], tmp_path: Path
) -> None:
    await sign(applied, raw_entries(log)[:1])
    with pytest.raises(NotSignedYet):
        await prove_statement(settings, *own, tmp_path / "proof")


async def test_the_history_is_priced_under_other_terms(
    applied: Connection, yesser: Yesser, own: tuple[str, str], tmp_path: Path
) -> None:
    file = tmp_path / "terms.json"
    file.write_text('{"bands": [{"up_to_halalas": null, "partner_bp": 0}], "cap": null}')
    periods = (await yesser.document("ledger", "what-if", own[0], "--terms", str(file)))["periods"]
    shown = next(row for row in periods if row["period"] == own[1])
    assert shown["actual"]["partner_base_halalas"] > 0
    assert shown["what_if"]["partner_base_halalas"] == 0
    assert shown["partner_difference_halalas"] == -shown["treasury_difference_halalas"]


BANK = """
[constants]
"/type" = "sa.gov.yesser.revenue.collected.v1"
[columns]
id = { pointer = "/data/receipt_id" }
amount = { pointer = "/data/amount_halalas", type = "riyals" }
on = { pointer = "/data/collected_on" }
"""


async def write_receipts(connection: Connection, partnership: str, folder: Path) -> tuple[list[str], tuple[str, ...]]:
    """The lines of a bank's table with the receipts of the ledger, and the command that reconciles it."""
    query = "SELECT receipt_id, amount_halalas, collected_on FROM revenue.receipt WHERE partnership_id = $1"
    receipts = await connection.fetch(query, partnership)
    lines = [",".join((row[0], riyals_text(row[1]).replace(",", ""), row[2])) for row in receipts]
    table, mapping = folder / "bank.csv", folder / "bank.toml"
    mapping.write_text(BANK)
    table.write_text("\n".join(["id,amount,on", *lines]))
    return lines, ("ledger", "reconcile", partnership, str(table), "--mapping", str(mapping))


async def test_a_table_of_the_partnerships_receipts_is_reconciled_and_its_future_forecast(
    applied: Connection, yesser: Yesser, own: tuple[str, str], tmp_path: Path
) -> None:
    lines, command = await write_receipts(applied, own[0], tmp_path)
    table, findings = tmp_path / "bank.csv", tmp_path / "findings.csv"
    assert (await yesser.document(*command))["matched"] == len(lines)
    table.write_text("\n".join(["id,amount,on", *lines[:-1], lines[0]]))
    other = await yesser.run(*command, "--json", "--csv", str(findings))
    assert (other.exit_code, json.loads(other.stdout)["doubled"]) == (1, 1)
    assert len(findings.read_text("utf-8-sig").splitlines()) >= len(lines)
    table.write_text("id;amount\nx;1")
    assert (await yesser.run(*command)).exit_code == 2

    chart = tmp_path / "forecast.svg"
    forecast = await yesser.document("ledger", "forecast", own[0], "--svg", str(chart))
    statements = await yesser.document("ledger", "statements", own[0])
    assert {row["period"]: row["pace"]["partner_total_halalas"] for row in forecast["periods"] if row["closed"]} == {
        row["period"]: row["partner_total_halalas"] for row in statements
    }
    assert chart.read_text().startswith("<svg")


async def test_a_table_is_reconciled_with_entries_that_are_not_indexed_yet(
    connection: Connection, log: list[EntryDict], own: tuple[str, str], yesser: Yesser, tmp_path: Path
) -> None:
    raw = raw_entries(log)
    await write_log(connection, raw)
    await apply_live(connection, REVENUE, raw)
    await apply_live(connection, EVENT_INDEX, raw[: len(raw) // 4])
    lines, command = await write_receipts(connection, own[0], tmp_path)
    assert (await yesser.document(*command))["matched"] == len(lines)
    early = await yesser.document("ledger", "forecast", own[0])
    await apply_live(connection, EVENT_INDEX, raw)
    assert await yesser.document("ledger", "forecast", own[0]) == early
