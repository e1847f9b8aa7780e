"""A statement that proves itself: the folder alone gives its figures, and each change of it is found and placed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from consumers.audit.mirror import write_mirror
from consumers.event_index.consumer import CONSUMER as EVENT_INDEX
from consumers.ledger import statement_proof
from consumers.ledger.proving import NotSignedYet, prove_statement
from consumers.ledger.statement_proof import NotProven, verify_statement
from consumers.operations.audit_options import AuditSource
from consumers.revenue.consumer import CONSUMER as REVENUE
from events.values.money import riyals_text
from infra.cli import cli
from infra.log.merkle import TileTree, leaf_hash
from infra.postgres.connection import Connection
from infra.private_keys.key_files import log_key_files
from infra.settings import Settings
from tests.oracle.fold import fold
from tests.oracle.history import REVENUE as REVENUE_PROFILE
from tests.oracle.history import entries_from, generate
from tests.oracle.log import EntryDict
from tests.unit.consumers.audit.memory_log import KEY, MemoryLog, root_of
from tests.world.logs import apply_live, raw_entries, write_log

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
    raw = raw_entries(log)
    await write_log(connection, raw)
    nodes = TileTree().append([leaf_hash(entry) for entry in raw])
    await connection.executemany("INSERT INTO log.node VALUES ($1, $2, $3)", nodes)
    for consumer in (REVENUE, EVENT_INDEX):
        await apply_live(connection, consumer, raw)
    await asyncio.to_thread(settings.log_folder.mkdir, parents=True, exist_ok=True)
    await asyncio.to_thread(log_key_files(settings).vkey.write_text, VERIFIER.vkey + "\n")
    return connection


async def sign(connection: Connection, log: list[EntryDict], size: int) -> None:
    raw = raw_entries(log)[:size]
    note = KEY.sign_checkpoint(size, root_of(raw))
    await connection.execute("INSERT INTO log.checkpoint (size, note) VALUES ($1, $2)", size, note)


@pytest.fixture
async def proof(
    applied: Connection, settings: Settings, log: list[EntryDict], own: tuple[str, str], tmp_path: Path
) -> Path:
    await sign(applied, log, len(log))
    await prove_statement(settings, *own, tmp_path / "proof")
    return tmp_path / "proof"


def mirror_of(log: list[EntryDict], folder: Path) -> AuditSource:
    return AuditSource(str(folder), VERIFIER, None, None)


async def test_every_statement_follows_from_its_folder(
    applied: Connection, settings: Settings, log: list[EntryDict], tmp_path: Path
) -> None:
    await sign(applied, log, len(log))
    await write_mirror(MemoryLog(raw_entries(log)), tmp_path / "mirror", VERIFIER)
    against = mirror_of(log, tmp_path / "mirror")
    for number, statement in enumerate(fold(log).statements):
        folder = tmp_path / str(number)
        await prove_statement(settings, statement["partnership_id"], statement["period"], folder)
        found = await verify_statement(folder, VERIFIER)
        assert (found.partnership_id, found.period, found.is_complete) == (
            statement["partnership_id"],
            statement["period"],
            False,
        )
        if number < 3:
            assert (await verify_statement(folder, VERIFIER, against)).is_complete


def change_amount(folder: Path) -> None:
    file = folder / "statement.json"
    stated = json.loads(file.read_text())
    file.write_text(json.dumps({**stated, "partner_base_halalas": stated["partner_base_halalas"] + 1}))


def change_entry(folder: Path) -> None:
    file = folder / "entries.ndjson"
    file.write_bytes(file.read_bytes().replace(b"amount_halalas", b"amount_halalaz", 1))


def drop_entry(folder: Path) -> None:
    file = folder / "entries.ndjson"
    file.write_bytes(b"".join(file.read_bytes().splitlines(keepends=True)[1:]))


def rename_period(folder: Path) -> None:
    file = folder / "statement.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "period": "1499-12"}))


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (change_amount, "partner_base_halalas"),
        (change_entry, "entries.ndjson"),
        (drop_entry, "root|proof"),
        (rename_period, "1499-12"),
        (lambda folder: (folder / "statement.json").unlink(), "statement.json"),
    ],
)
@pytest.mark.parametrize("beside", [False, True])
async def test_each_change_is_found_and_placed(
    proof: Path, change: Callable[[Path], None], named: str, beside: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if beside:
        monkeypatch.setattr(statement_proof, "MANY_ENTRIES_BYTES", 0)
    assert (await verify_statement(proof, VERIFIER)).entries_count > 0
    await asyncio.to_thread(change, proof)
    with pytest.raises(NotProven, match=named):
        await verify_statement(proof, VERIFIER)


async def test_an_entry_that_was_left_out_is_found_in_the_log(
    applied: Connection, settings: Settings, log: list[EntryDict], own: tuple[str, str], tmp_path: Path
) -> None:
    """A sender who leaves a receipt out of the index, and so out of the folder, has another statement."""
    await sign(applied, log, len(log))
    raw = raw_entries(log)
    await write_mirror(MemoryLog(raw), tmp_path / "mirror", VERIFIER)
    subject = f"partnership/{own[0]}"
    dropped = next(i for i, entry in enumerate(log) if entry["event"]["subject"] == subject)
    await applied.execute("ALTER TABLE event_index.event DISABLE TRIGGER ALL")
    await applied.execute("DELETE FROM event_index.event WHERE index = $1", dropped)
    await prove_statement(settings, *own, tmp_path / "proof")
    with pytest.raises(NotProven):
        await verify_statement(tmp_path / "proof", VERIFIER, mirror_of(log, tmp_path / "mirror"))


async def test_what_is_not_signed_is_not_proven_yet(
    applied: Connection, settings: Settings, own: tuple[str, str], log: list[EntryDict], tmp_path: Path
) -> None:
    await sign(applied, log, 1)
    with pytest.raises(NotSignedYet):
        await prove_statement(settings, *own, tmp_path / "proof")


async def test_the_history_is_priced_under_other_terms(
    applied: Connection, settings: Settings, own: tuple[str, str], tmp_path: Path
) -> None:
    file = tmp_path / "terms.json"
    await asyncio.to_thread(file.write_text, '{"bands": [{"up_to_halalas": null, "partner_bp": 0}], "cap": null}')
    environment = {"YESSER_POSTGRES": settings.postgres, "YESSER_HOME": str(settings.home)}
    arguments = ["ledger", "what-if", own[0], "--terms", str(file), "--json"]
    result = await asyncio.to_thread(CliRunner().invoke, cli, arguments, env=environment, catch_exceptions=False)
    periods = json.loads(result.stdout)["periods"]
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


async def test_a_table_of_the_partnerships_receipts_is_reconciled_and_its_future_forecast(
    applied: Connection,
    settings: Settings,
    own: tuple[str, str],
    environment: Callable[..., dict[str, str]],
    tmp_path: Path,
) -> None:
    partnership, _ = own
    query = "SELECT receipt_id, amount_halalas, collected_on FROM revenue.receipt WHERE partnership_id = $1"
    receipts = await applied.fetch(query, partnership)
    lines = [",".join((row[0], riyals_text(row[1]).replace(",", ""), row[2])) for row in receipts]
    table, mapping = tmp_path / "bank.csv", tmp_path / "bank.toml"
    mapping.write_text(BANK)

    def run(*words: str) -> Result:
        return CliRunner().invoke(cli, [*words, "--json"], env=environment())

    command = ("ledger", "reconcile", partnership, str(table), "--mapping", str(mapping))
    table.write_text("\n".join(["id,amount,on", *lines]))
    same = await asyncio.to_thread(run, *command)
    assert (same.exit_code, json.loads(same.stdout)["matched"]) == (0, len(receipts)), same.output
    table.write_text("\n".join(["id,amount,on", *lines[:-1], lines[0]]))
    other = await asyncio.to_thread(run, *command, "--csv", str(tmp_path / "findings.csv"))
    assert other.exit_code == 1
    assert json.loads(other.stdout)["doubled"] == 1
    assert len((tmp_path / "findings.csv").read_text("utf-8-sig").splitlines()) >= len(receipts)
    table.write_text("id;amount\nx;1")
    assert (await asyncio.to_thread(run, *command)).exit_code == 2

    chart = tmp_path / "forecast.svg"
    shown = await asyncio.to_thread(run, "ledger", "forecast", partnership, "--svg", str(chart))
    assert shown.exit_code == 0, shown.output
    statements = {s["period"]: s for s in await asyncio.to_thread(read_statements, run, partnership)}
    closed = [row for row in json.loads(shown.stdout)["periods"] if row["closed"]]
    assert {row["period"]: row["pace"]["partner_total_halalas"] for row in closed} == {
        period: statement["partner_total_halalas"] for period, statement in statements.items()
    }
    assert chart.read_text().startswith("<svg")


async def test_a_table_is_reconciled_with_entries_that_are_not_indexed_yet(
    connection: Connection,
    log: list[EntryDict],
    own: tuple[str, str],
    environment: Callable[..., dict[str, str]],
    tmp_path: Path,
) -> None:
    raw = raw_entries(log)
    await write_log(connection, raw)
    await apply_live(connection, REVENUE, raw)
    await apply_live(connection, EVENT_INDEX, raw[: len(raw) // 4])
    query = "SELECT receipt_id, amount_halalas, collected_on FROM revenue.receipt WHERE partnership_id = $1"
    receipts = await connection.fetch(query, own[0])
    lines = [",".join((row[0], riyals_text(row[1]).replace(",", ""), row[2])) for row in receipts]
    table, mapping = tmp_path / "bank.csv", tmp_path / "bank.toml"
    table.write_text("\n".join(["id,amount,on", *lines]))
    mapping.write_text(BANK)

    def run(*words: str) -> Result:
        return CliRunner().invoke(cli, [*words, "--json"], env=environment())

    command = ("ledger", "reconcile", own[0], str(table), "--mapping", str(mapping))
    same = await asyncio.to_thread(run, *command)
    assert (same.exit_code, json.loads(same.stdout)["matched"]) == (0, len(receipts)), same.output
    early = await asyncio.to_thread(run, "ledger", "forecast", own[0])
    assert early.exit_code == 0, early.output
    await apply_live(connection, EVENT_INDEX, raw)
    assert (await asyncio.to_thread(run, "ledger", "forecast", own[0])).stdout == early.stdout


def read_statements(run: Callable[..., Result], partnership: str) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads(run("ledger", "statements", partnership).stdout)
    return found
