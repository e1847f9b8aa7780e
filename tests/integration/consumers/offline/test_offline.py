"""A replay into files: the rows and hashes of the live tables, from a mirror alone."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import duckdb
import orjson
import pytest
from click.testing import CliRunner, Result

from consumers.audit.mirror import write_mirror
from consumers.audit.port import MirrorPort
from consumers.commitments.commitment import hash_read_models
from consumers.fold.consumer import Consumer
from consumers.offline.replay import replay_into
from consumers.offline.store import SqliteStore
from consumers.registry import CONSUMERS
from events.wire.entry import entry_bytes, parse_entry
from infra.cli import cli
from infra.postgres.connection import Connection
from infra.postgres.outbox import event_bytes
from tests.integration.consumers.pipeline.written_log import apply_live, raw_entries, write_log
from tests.oracle.history import MIXED, entries_from, generate
from tests.unit.consumers.audit.memory_log import KEY, MemoryLog

RECORDED = "2027-11-25T08:00:00.000000Z"


@pytest.fixture(scope="module")
def raw() -> list[bytes]:
    return raw_entries(entries_from(generate(61, 700, MIXED)))


@pytest.fixture
async def live(connection: Connection, raw: list[bytes]) -> Connection:
    await write_log(connection, raw)
    for consumer in CONSUMERS.values():
        await apply_live(connection, consumer, raw)
    return connection


async def committed(connection: Connection, raw: Sequence[bytes]) -> list[bytes]:
    """The log with the commitments to the live tables at its end."""
    said = [event_bytes(found.event()) for found in await hash_read_models(connection)]
    return [*raw, *(entry_bytes(RECORDED, f"agency.platform.events/0/{n}", value) for n, value in enumerate(said))]


async def mirrored(folder: Path, raw: list[bytes]) -> Path:
    await write_mirror(MemoryLog(raw), folder, KEY.verifier)
    return folder


async def replay(folder: Path, *arguments: str) -> Result:
    return await asyncio.to_thread(run, folder, "audit", "replay", *arguments)


def run(folder: Path, *command: str) -> Result:
    environment = {"XDG_STATE_HOME": str(folder / "state"), "YESSER_HOME": str(folder / "no-home")}
    return CliRunner().invoke(cli, [*command, "--vkey", KEY.verifier.vkey], env=environment)


async def test_the_files_have_the_hashes_of_the_live_tables(live: Connection, raw: list[bytes], tmp_path: Path) -> None:
    expected = {found.name: (found.rows, found.sha256) for found in await hash_read_models(live)}
    mirror = await mirrored(tmp_path / "mirror", await committed(live, raw))
    checkpoint = await MirrorPort(mirror, KEY.verifier).checkpoint()
    found = replay_into(mirror, checkpoint, tmp_path / "models", len(raw))
    assert {row.name: (row.rows, row.sha256) for row in found} == expected


@pytest.mark.parametrize("name", sorted(CONSUMERS))
@pytest.mark.parametrize("batch", [13])
def test_the_size_of_a_batch_changes_nothing(raw: list[bytes], tmp_path: Path, name: str, batch: int) -> None:
    consumer: Consumer = CONSUMERS[name]
    hashes = []
    for size in (batch, len(raw)):
        store = SqliteStore(tmp_path / f"{size}.sqlite", consumer)
        for first in range(0, len(raw), size):
            part = raw[first : first + size]
            store.apply([parse_entry(first + number, entry) for number, entry in enumerate(part)])
        hashes.append([store.hash(table) for table in consumer.tables])
        store.close()
    assert hashes[0] == hashes[1]


@pytest.mark.parametrize("source", ["mirror", "ndjson", "parquet"])
@pytest.mark.parametrize("form", ["sqlite", "parquet"])
async def test_every_source_and_form_gives_the_hashes_of_the_live_tables(
    live: Connection, raw: list[bytes], tmp_path: Path, source: str, form: str
) -> None:
    expected = {found.name: (found.rows, found.sha256) for found in await hash_read_models(live)}
    folder = await mirrored(tmp_path / "mirror", await committed(live, raw))
    if source != "mirror":
        mirror, folder = folder, tmp_path / "export"
        command = ["audit", "export", str(mirror), "--into", str(folder), "--format", source]
        exported = await asyncio.to_thread(run, tmp_path, *command)
        assert exported.exit_code == 0, exported.output
    result = await replay(tmp_path, str(folder), "--into", str(tmp_path / "models"), "--format", form, "--json")
    assert result.exit_code == 0, result.output
    document = orjson.loads(result.stdout)
    found = {row["name"]: row["committed"] for row in document["read_models"]}
    assert {name: (committed["ok"], committed["sha256"]) for name, committed in found.items()} == {
        name: (True, sha256) for name, (_, sha256) in expected.items()
    }
    files = sorted(path.name for path in (tmp_path / "models").iterdir())
    names = expected if form == "parquet" else CONSUMERS
    assert files == sorted(f"{name}.{form}" for name in names)
    if form == "parquet":
        with duckdb.connect() as database:
            for row in document["read_models"]:
                file = str(tmp_path / "models" / f"{row['name']}.parquet")
                assert database.execute("SELECT count(*) FROM read_parquet(?)", [file]).fetchone() == (row["rows"],)


async def test_a_part_of_a_log_gives_entries_but_no_read_models(raw: list[bytes], tmp_path: Path) -> None:
    mirror = await mirrored(tmp_path / "mirror", raw)
    export = tmp_path / "export"
    command = ["audit", "export", str(mirror), "--into", str(export), "--from", "250", "--to", "260"]
    assert (await asyncio.to_thread(run, tmp_path, *command)).exit_code == 0
    printed = await replay(tmp_path, str(export), "--stdout", "--from", "255")
    whole = await replay(tmp_path, str(mirror), "--stdout", "--from", "255", "--to", "260")
    assert printed.stdout == whole.stdout
    assert printed.stdout.count("\n") == 5
    refused = await replay(tmp_path, str(export), "--into", str(tmp_path / "models"))
    assert (refused.exit_code, f"10 of {len(raw)} entries" in refused.output) == (2, True)
    assert not (tmp_path / "models").exists()


async def test_the_command_compares_with_what_the_log_commits_to(
    live: Connection, raw: list[bytes], tmp_path: Path
) -> None:
    mirror = await mirrored(tmp_path / "mirror", await committed(live, raw))
    result = await replay(tmp_path, str(mirror), "--into", str(tmp_path / "models"), "--json")
    assert result.exit_code == 0, result.output
    document = orjson.loads(result.stdout)
    assert document["ok"]
    assert all(row["committed"]["ok"] and row["committed"]["log_index"] == len(raw) for row in document["read_models"])
    with closing(sqlite3.connect(tmp_path / "models" / "revenue.sqlite")) as ledger:
        assert ledger.execute("SELECT sum(debits_halalas) - sum(credits_halalas) FROM account").fetchone() == (0,)


async def test_a_commitment_to_other_rows_is_named(live: Connection, raw: list[bytes], tmp_path: Path) -> None:
    await live.execute("UPDATE revenue.account SET debits_halalas = debits_halalas + 1")
    mirror = await mirrored(tmp_path / "mirror", await committed(live, raw))
    result = await replay(tmp_path, str(mirror), "--into", str(tmp_path / "models"), "--json")
    assert result.exit_code == 1
    wrong = [row["name"] for row in orjson.loads(result.stdout)["read_models"] if not row["committed"]["ok"]]
    assert wrong == ["revenue.account"]


async def test_a_commitment_of_an_earlier_version_is_told_apart(
    live: Connection, raw: list[bytes], tmp_path: Path
) -> None:
    version = CONSUMERS["revenue"].rows_version.label.encode()
    await live.execute("UPDATE revenue.account SET debits_halalas = debits_halalas + 1")
    log = [entry.replace(version, b"1-aaaaaaaaaaaa") for entry in await committed(live, raw)]
    result = await replay(
        tmp_path, str(await mirrored(tmp_path / "mirror", log)), "--into", str(tmp_path / "models"), "--json"
    )
    assert result.exit_code == 0, result.output
    found = {row["name"]: row["committed"]["status"] for row in orjson.loads(result.stdout)["read_models"]}
    assert {name for name, status in found.items() if status != "matches"} == {"revenue.account"}
    assert found["revenue.account"] == "earlier-version"


async def test_entries_are_printed_by_range_type_agency_and_subject(raw: list[bytes], tmp_path: Path) -> None:
    mirror = await mirrored(tmp_path / "mirror", raw)
    entries = [parse_entry(index, entry) for index, entry in enumerate(raw)]

    async def printed(*arguments: str) -> list[int]:
        result = await replay(tmp_path, str(mirror), "--stdout", *arguments)
        assert result.exit_code == 0, result.output
        return [orjson.loads(line)["index"] for line in result.stdout.splitlines()]

    assert await printed() == list(range(len(raw)))
    assert await printed("--from", "250", "--to", "260") == list(range(250, 260))
    launched = [entry.index for entry in entries if entry.type == "service.launched"]
    assert await printed("--type", "service.launched") == launched
    subject = entries[launched[0]].subject
    assert await printed("--subject", subject) == [entry.index for entry in entries if entry.subject == subject]
    assert await printed("--agency", "health") == [
        entry.index for entry in entries if entry.address.startswith("agency.health.events/")
    ]


async def test_nothing_is_replayed_that_was_not_signed(raw: list[bytes], tmp_path: Path) -> None:
    mirror = await mirrored(tmp_path / "mirror", raw)
    file = mirror / "tile/entries/001"
    file.write_bytes(file.read_bytes().replace(b'"recordedtime":"2', b'"recordedtime":"3', 1))
    for arguments in (("--stdout",), ("--into", str(tmp_path / "models"))):
        result = await replay(tmp_path, str(mirror), *arguments)
        assert "entry 256" in str(result.exception), result.output
    assert not (tmp_path / "models" / "projections.sqlite").exists()
