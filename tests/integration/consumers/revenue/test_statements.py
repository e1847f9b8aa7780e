"""Statements with their working from the ledger's tables: every closed period, as documents, pages and tables."""

from __future__ import annotations

import csv
from pathlib import Path

import duckdb
import openpyxl
import pytest
from beancount import loader

from events.values.money import riyals_text
from events.wire.entry import parse_entry
from infra.postgres.connection import Connection
from infra.settings import Settings
from tests.integration.consumers.revenue.signed_books import lay_down_books, sign
from tests.oracle.fold import fold
from tests.oracle.history import REVENUE, entries_from, generate
from tests.oracle.log import EntryDict
from tests.world.commands import Yesser
from tests.world.logs import raw_entries


@pytest.fixture(scope="module")
def log() -> list[EntryDict]:
    return entries_from(generate(12, 500, REVENUE))


@pytest.fixture(autouse=True)
async def books(connection: Connection, settings: Settings, log: list[EntryDict]) -> None:
    raw = raw_entries(log)
    await lay_down_books(connection, settings, raw)
    await sign(connection, raw)


async def test_every_statement_has_its_working(yesser: Yesser, log: list[EntryDict]) -> None:
    expected = fold(log).statements
    assert expected
    for statement in expected:
        own = (statement["partnership_id"], statement["period"])
        document = await yesser.document("ledger", "statement", *own, "--working")
        assert document["statement"] == statement
        assert sum(share["partner_halalas"] for share in document["shares"]) == statement["partner_base_halalas"]
        assert document["checkpoint"]["size"] == len(log)
    assert await yesser.document("ledger", "statement", *own) == statement


async def test_the_text_of_a_statement_is_its_page(yesser: Yesser, log: list[EntryDict]) -> None:
    statement = max(fold(log).statements, key=lambda row: row["collected_halalas"])
    own = (statement["partnership_id"], statement["period"])
    text = await yesser.output("ledger", "statement", *own)
    assert text.splitlines()[0].endswith(f"Statement {' '.join(own)}")
    for words in (
        "Partner's share under version",
        "× rate",
        "What is due, in riyals",
        f"closed by {statement['closing_index']}",
    ):
        assert words in text
    for name in ("net_halalas", "partner_total_halalas", "treasury_total_halalas"):
        assert riyals_text(statement[name]) in text


async def test_a_statement_is_written_as_pages_and_tables(yesser: Yesser, log: list[EntryDict], tmp_path: Path) -> None:
    statement = max(fold(log).statements, key=lambda row: row["collected_halalas"])
    own = (statement["partnership_id"], statement["period"])
    files = {name: tmp_path / f"statement.{name}" for name in ("html", "pdf", "csv", "xlsx", "parquet")}
    options = [word for name, path in files.items() for word in (f"--{name}", str(path))]
    assert await yesser.document("ledger", "statement", *own, *options) == {n: str(p) for n, p in files.items()}

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
    sheet = openpyxl.load_workbook(files["xlsx"]).active
    assert sheet is not None
    assert sheet.max_row == len(rows) + 1
    with duckdb.connect() as database:
        total = database.execute(
            "SELECT sum(partner_halalas) FROM (SELECT DISTINCT index, partner_halalas FROM read_parquet(?))",
            [str(files["parquet"])],
        ).fetchone()
    assert total == (statement["partner_base_halalas"],)


async def test_the_terms_are_shown_in_words(yesser: Yesser, log: list[EntryDict]) -> None:
    partnership_id = fold(log).statements[0]["partnership_id"]
    shown = await yesser.output("ledger", "terms", partnership_id)
    assert "الطرفان" in shown
    assert "Parties: agency" in shown
    assert "The partner gets" in shown
    document = await yesser.document("ledger", "terms", partnership_id)
    assert document["versions"][0]["version"] == 0
    for version in document["versions"]:
        terms = parse_entry(version["index"], raw_entries(log)[version["index"]]).data["terms"]
        given = {row["period"]: row["amount_halalas"] for row in terms["expected"]}
        from_its_first = [amount for period, amount in given.items() if period >= version["effective_from"]]
        assert version["expected_halalas"] == sum(from_its_first)
        assert f"The term runs to {terms['ends_on']}" in shown


async def test_the_ledger_is_exported_for_others(yesser: Yesser, log: list[EntryDict], tmp_path: Path) -> None:
    expected = fold(log)
    files = {form: tmp_path / f"ledger.{form}" for form in ("beancount", "csv", "xlsx", "parquet")}
    for form, path in files.items():
        shown = await yesser.document("ledger", "export", str(path), "--format", form)
        assert shown["rows"] == len(expected.transfers)
    _, errors, _ = loader.load_file(str(files["beancount"]))
    assert not errors
    with duckdb.connect() as database:
        sums = database.execute(
            "SELECT debit, sum(amount_halalas) FROM read_parquet(?) GROUP BY debit", [str(files["parquet"])]
        ).fetchall()
    debits = {name: row["debits_halalas"] for name, row in expected.balances.items() if row["debits_halalas"]}
    assert dict(sums) == debits
    with files["csv"].open(encoding="utf-8-sig", newline="") as file:
        days = {row["date"] for row in csv.DictReader(file)}
    assert all(len(day) == 10 for day in days)
