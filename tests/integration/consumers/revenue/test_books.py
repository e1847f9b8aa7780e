"""The books of a log, as their readers ask for them: proven, explained, written as files, compared with a bank's."""

from __future__ import annotations

import asyncio
import csv
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import duckdb
import openpyxl
import pytest

from consumers.explain.ledger.proving import NotSignedYet, prove_statement, zipped_proof
from consumers.explain.ledger.statement_proof import unpacked, verify_statement
from consumers.proof.audit.mirror import write_mirror
from consumers.proof.commands.audit_options import AuditSource
from consumers.replay.event_index.consumer import CONSUMER as EVENT_INDEX
from consumers.revenue.books import journal
from consumers.revenue.consumer import CONSUMER as LEDGER
from events.values.money import riyals_text
from events.wire.entry import parse_entry
from infra.log.proof_file import parse_proof_file
from infra.log.signed_note import LogKey
from infra.postgres.connection import Connection
from infra.private_keys.key_files import log_key_files
from infra.settings import Settings
from infra.witnesses.cosignature import cosign
from tests.oracle.fold import fold
from tests.oracle.history import REVENUE, entries_from, generate
from tests.oracle.log import EntryDict
from tests.world.commands import Yesser
from tests.world.logs import apply_live, raw_entries, sign, write_log, write_tree
from tests.world.memory_log import KEY, MemoryLog

VERIFIER = KEY.verifier
BANK = """
[constants]
"/type" = "sa.gov.yesser.revenue.collected.v1"
[columns]
id = { pointer = "/data/receipt_id" }
amount = { pointer = "/data/amount_halalas", type = "riyals" }
on = { pointer = "/data/collected_on" }
"""


@pytest.fixture(scope="module")
def log() -> list[EntryDict]:
    return entries_from(generate(13, 400, REVENUE))


@dataclass(frozen=True)
class Books:
    """The ledger and the index of events have applied the log, of which an auditor has a mirror and its public key."""

    connection: Connection
    yesser: Yesser
    log: list[EntryDict]
    raw: list[bytes]
    mirror: Path

    @cached_property
    def statement(self) -> dict[str, Any]:
        """The one with most revenue."""
        return max(fold(self.log).statements, key=lambda row: row["collected_halalas"])

    @property
    def own(self) -> tuple[str, str]:
        return self.statement["partnership_id"], self.statement["period"]


@pytest.fixture
async def books(
    connection: Connection, settings: Settings, log: list[EntryDict], yesser: Yesser, tmp_path: Path
) -> Books:
    raw = raw_entries(log)
    await write_log(connection, raw)
    await write_tree(connection, raw)
    for consumer in (LEDGER, EVENT_INDEX):
        await apply_live(connection, consumer, raw)
    await asyncio.to_thread(settings.log_folder.mkdir, parents=True, exist_ok=True)
    await asyncio.to_thread(log_key_files(settings).vkey.write_text, VERIFIER.vkey + "\n")
    await write_mirror(MemoryLog(raw), tmp_path / "mirror", VERIFIER)
    return Books(connection, yesser, log, raw, tmp_path / "mirror")


async def test_every_statement_is_proven_by_its_folder_once_it_is_signed_and_has_its_working(
    books: Books, settings: Settings, tmp_path: Path
) -> None:
    await sign(books.connection, books.raw, 1)
    with pytest.raises(NotSignedYet):
        await prove_statement(settings, *books.own, tmp_path / "early")
    assert await zipped_proof(settings, *books.own, is_for_partner=True) is None
    await sign(books.connection, books.raw, len(books.raw))
    against = AuditSource(str(books.mirror), VERIFIER, None, None)
    for number, statement in enumerate(fold(books.log).statements):
        name, folder = (statement["partnership_id"], statement["period"]), tmp_path / str(number)
        await prove_statement(settings, *name, folder)
        found = await verify_statement(folder, VERIFIER)
        assert (found.partnership_id, found.period, found.is_complete) == (*name, False)
        if number < 1:
            packed = tmp_path / "proof.zip"
            packed.write_bytes(await zipped_proof(settings, *name, is_for_partner=True) or b"")
            with unpacked(packed) as own:
                assert await verify_statement(own, VERIFIER) == found
        if number < 3:
            assert (await verify_statement(folder, VERIFIER, against)).is_complete
        document = await books.yesser.document("ledger", "statement", *name, "--working")
        assert document["statement"] == statement
        assert sum(share["partner_halalas"] for share in document["shares"]) == statement["partner_base_halalas"]
        assert document["checkpoint"]["size"] == len(books.log)
    signed = KEY.sign_checkpoint(len(books.raw), MemoryLog(books.raw).root)
    court = LogKey("court.example/witness", bytes(32))
    cosigned = signed + cosign(court, signed.rpartition("\n\n")[0] + "\n", 1_700_000_000)
    insert = "INSERT INTO platform.cosigned_checkpoint (size, note) VALUES ($1, $2)"
    await books.connection.execute(insert, len(books.raw), cosigned)
    await prove_statement(settings, *books.own, tmp_path / "cosigned")
    assert (tmp_path / "cosigned" / "checkpoint").read_text() == cosigned, "it carries what the witnesses signed"
    replaced = LogKey(KEY.name, bytes(32)).sign_checkpoint(len(books.raw), MemoryLog(books.raw).root)
    await books.connection.execute("UPDATE platform.cosigned_checkpoint SET note = $1", replaced)
    await prove_statement(settings, *books.own, tmp_path / "replaced")
    assert await verify_statement(tmp_path / "replaced", VERIFIER), "its key is today's, which readers have"


def require_workbook(path: Path, statement: dict[str, Any], receipts: int) -> None:
    """Its receipts add up to the statement's figures, in a library that did not write it."""
    book = openpyxl.load_workbook(path, data_only=True)
    paper, sheet = book.worksheets
    assert all(one.sheet_view.rightToLeft for one in (paper, sheet))
    heading, *rows, totals = sheet.iter_rows(values_only=True)
    assert len(rows) == receipts
    figures = {row[2]: row[1] for row in paper.iter_rows(values_only=True)}
    for name, field in (
        ("Amount", "net_halalas"),
        ("Partner's share", "partner_base_halalas"),
        ("Treasury's share", None),
    ):
        column = next(place for place, text in enumerate(heading) if str(text).endswith(f"\n{name}"))
        added = sum(round(100 * row[column]) for row in rows)
        assert added == round(100 * totals[column])
        if field is not None:
            assert added == statement[field]
    column = next(place for place, text in enumerate(heading) if str(text).startswith("التقريب بالهللات"))
    roundings = [row[column] for row in rows]
    assert any(roundings)
    assert abs(sum(roundings)) < 1
    assert round(100 * figures["Net"]) == statement["net_halalas"]
    settled, paid, owed = (
        round(100 * figures[name])
        for name in ("Settled share, of all closed periods", "− Paid", "= Owed to the partner")
    )
    assert settled - paid == owed
    formulas = openpyxl.load_workbook(path).worksheets[1]
    assert str(formulas.cell(receipts + 2, 5).value).startswith("=SUM(E2:E")


async def test_a_statement_its_terms_and_the_ledger_are_written_as_texts_pages_and_tables(
    books: Books, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    yesser, statement, own = books.yesser, books.statement, books.own
    await sign(books.connection, books.raw, len(books.raw))
    command = ("ledger", "statement", *own)
    assert await yesser.document(*command) == statement
    text = await yesser.output(*command)
    assert text.splitlines()[0].endswith(f"Statement {' '.join(own)}")
    closed = f"closed by {statement['closing_index']}"
    amounts = [
        riyals_text(statement[name]) for name in ("net_halalas", "partner_total_halalas", "treasury_total_halalas")
    ]
    for words in ("Partner's share under version", "× rate", "Shares of the period, in riyals", closed, *amounts):
        assert words in text, words

    files = {name: tmp_path / f"statement.{name}" for name in ("html", "pdf", "csv", "xlsx", "parquet")}
    options = [word for name, path in files.items() for word in (f"--{name}", str(path))]
    assert await yesser.document(*command, *options) == {name: str(path) for name, path in files.items()}
    page = files["html"].read_text()
    assert page.startswith("<!doctype html>")
    assert 'dir="rtl"' in page
    assert f"Statement {own[0]} {own[1]}" in page
    assert "http://" not in page.replace("http://www.w3.org/2000/svg", "")
    assert files["pdf"].read_bytes().startswith(b"%PDF-")
    with files["csv"].open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    postings = {row["index"]: row for row in rows}
    assert sum(int(row["amount_halalas"]) for row in postings.values()) == statement["net_halalas"]
    assert sum(int(row["partner_halalas"]) for row in postings.values()) == statement["partner_base_halalas"]
    require_workbook(files["xlsx"], statement, len(postings))
    with duckdb.connect() as database:
        total = database.execute(
            "SELECT sum(partner_halalas) FROM (SELECT DISTINCT index, partner_halalas FROM read_parquet(?))",
            [str(files["parquet"])],
        ).fetchone()
    assert total == (statement["partner_base_halalas"],)

    shown = await yesser.output("ledger", "terms", own[0])
    for words in ("الطرفان", "Parties: agency", "The partner gets"):
        assert words in shown
    document = await yesser.document("ledger", "terms", own[0])
    assert document["versions"][0]["version"] == 0
    for version in document["versions"]:
        terms = parse_entry(version["index"], books.raw[version["index"]]).data["terms"]
        given = {row["period"]: row["amount_halalas"] for row in terms["expected"]}
        from_its_first = [amount for period, amount in given.items() if period >= version["effective_from"]]
        assert version["expected_halalas"] == sum(from_its_first)
        assert f"The term runs to {terms['ends_on']}" in shown

    monkeypatch.setattr(journal, "ROWS_AT_ONCE", 16)
    expected = fold(books.log)
    files = {form: tmp_path / f"ledger.{form}" for form in ("beancount", "csv", "xlsx", "parquet")}
    for form, path in files.items():
        exported = await yesser.document("ledger", "export", str(path), "--format", form)
        assert exported["rows"] == len(expected.transfers) > 2 * journal.ROWS_AT_ONCE
    with duckdb.connect() as database:
        sums = database.execute(
            "SELECT debit, sum(amount_halalas) FROM read_parquet(?) GROUP BY debit", [str(files["parquet"])]
        ).fetchall()
    debits = {name: row["debits_halalas"] for name, row in expected.balances.items() if row["debits_halalas"]}
    assert dict(sums) == debits


async def test_figures_are_explained_alike_inside_and_outside(books: Books, tmp_path: Path) -> None:
    yesser, statement, own = books.yesser, books.statement, books.own
    await sign(books.connection, books.raw, len(books.raw))

    async def explain(*arguments: str) -> Any:
        """For an auditor who has seen no other log."""
        return await yesser.document("ledger", "explain", *arguments, XDG_STATE_HOME=str(tmp_path / "state"))

    mirror = ("--from", str(books.mirror), "--vkey", VERIFIER.vkey)
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

    account = f"collections:{own[0]}"
    found = await explain(account, "--proofs", str(tmp_path / "proofs"))
    balance = fold(books.log).balances[account]["balance_halalas"]
    assert found["figures"]["balance_halalas"] == balance
    signs = [1 if row["debit"] == account else -1 for row in found["transfers"]]
    assert sum(s * row["amount_halalas"] for s, row in zip(signs, found["transfers"], strict=True)) == balance
    assert len(found["proofs"]) == len(found["steps"])
    proof = parse_proof_file(await asyncio.to_thread(Path(found["proofs"][-1]).read_text))
    assert proof.verified(VERIFIER).size == len(books.log)

    for arguments, sentence in (
        ((f"{own[0]}x", own[1]), f"statements has no {own[0]}x/{own[1]}. Did you mean {own[0]}/"),
        (("cash:none",), "accounts has no cash:none"),
    ):
        result = await yesser.run("ledger", "explain", *arguments)
        assert sentence in str(result.exception)


async def test_a_banks_table_is_reconciled_the_future_forecast_and_other_terms_priced(
    books: Books, tmp_path: Path
) -> None:
    connection, yesser, (partnership, period) = books.connection, books.yesser, books.own
    query = "SELECT receipt_id, amount_halalas, collected_on FROM revenue.receipt WHERE partnership_id = $1"
    receipts = await connection.fetch(query, partnership)
    lines = [",".join((row[0], riyals_text(row[1]).replace(",", ""), row[2])) for row in receipts]
    table, mapping, findings = (tmp_path / name for name in ("bank.csv", "bank.toml", "findings.csv"))
    mapping.write_text(BANK)
    table.write_text("\n".join(["id,amount,on", *lines]))
    command = ("ledger", "reconcile", partnership, str(table), "--mapping", str(mapping))
    assert (await yesser.document(*command))["matched"] == len(lines)
    understood = await yesser.document(*command[:-2])
    assert (understood["matched"], understood["columns"]["date"], understood["columns"]["id"]) == (len(lines), 2, 0)
    forecast = await yesser.document("ledger", "forecast", partnership)

    # With entries that are not indexed yet.
    await connection.execute("DELETE FROM event_index.event WHERE index >= $1", len(books.raw) // 4)
    await connection.execute("ALTER TABLE platform.position DISABLE TRIGGER ALL")
    behind = "UPDATE platform.position SET position = $1 WHERE consumer = 'event-index'"
    await connection.execute(behind, len(books.raw) // 4)
    assert (await yesser.document(*command))["matched"] == len(lines)
    assert await yesser.document("ledger", "forecast", partnership) == forecast

    table.write_text("\n".join(["id,amount,on", *lines[:-1], lines[0]]))
    other = await yesser.run(*command, "--json", "--csv", str(findings))
    assert (other.exit_code, json.loads(other.stdout)["doubled"]) == (1, 1)
    assert len(findings.read_text("utf-8-sig").splitlines()) >= len(lines)
    table.write_text("id;amount\nx;1")
    assert (await yesser.run(*command)).exit_code == 2

    statements = await yesser.document("ledger", "statements", partnership)
    assert {row["period"]: row["pace"]["partner_total_halalas"] for row in forecast["periods"] if row["closed"]} == {
        row["period"]: row["partner_total_halalas"] for row in statements
    }
    chart = tmp_path / "forecast.svg"
    await yesser.document("ledger", "forecast", partnership, "--svg", str(chart))
    assert chart.read_text().startswith("<svg")

    terms = tmp_path / "terms.json"
    terms.write_text('{"bands": [{"up_to_halalas": null, "partner_bp": 0}], "cap": null}')
    periods = (await yesser.document("ledger", "what-if", partnership, "--terms", str(terms)))["periods"]
    shown = next(row for row in periods if row["period"] == period)
    assert shown["actual"]["partner_base_halalas"] > 0
    assert shown["what_if"]["partner_base_halalas"] == 0
    assert shown["partner_difference_halalas"] == -shown["treasury_difference_halalas"]
