"""A replay into files: the rows and hashes of the live tables, from a mirror alone."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import duckdb
import orjson
import pytest

from consumers.audit.port import MirrorPort
from consumers.commitments.commitment import hash_read_models
from consumers.offline.replay import replay_into
from consumers.registry import CONSUMERS
from infra.postgres.connection import Connection
from tests.oracle.history import MIXED, entries_from, generate
from tests.unit.consumers.audit.memory_log import KEY
from tests.unit.consumers.offline.test_replayed_mirror import mirrored, replay, run
from tests.world.logs import apply_live, raw_entries, with_commitments, write_log

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


async def test_the_files_have_the_hashes_of_the_live_tables(live: Connection, raw: list[bytes], tmp_path: Path) -> None:
    expected = {found.name: (found.rows, found.sha256) for found in await hash_read_models(live)}
    mirror = await mirrored(tmp_path / "mirror", await with_commitments(live, raw))
    checkpoint = await MirrorPort(mirror, KEY.verifier).checkpoint()
    found = replay_into(mirror, checkpoint, tmp_path / "models", len(raw))
    assert {row.name: (row.rows, row.sha256) for row in found} == expected


@pytest.mark.parametrize(("source", "form"), [("mirror", "sqlite"), ("ndjson", "parquet"), ("parquet", "sqlite")])
async def test_each_source_and_form_gives_the_hashes_of_the_live_tables(
    live: Connection, raw: list[bytes], tmp_path: Path, source: str, form: str
) -> None:
    expected = {found.name: (found.rows, found.sha256) for found in await hash_read_models(live)}
    folder = await mirrored(tmp_path / "mirror", await with_commitments(live, raw))
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


async def test_the_command_compares_with_what_the_log_commits_to(
    live: Connection, raw: list[bytes], tmp_path: Path
) -> None:
    mirror = await mirrored(tmp_path / "mirror", await with_commitments(live, raw))
    result = await replay(tmp_path, str(mirror), "--into", str(tmp_path / "models"), "--json")
    assert result.exit_code == 0, result.output
    document = orjson.loads(result.stdout)
    assert document["ok"]
    assert all(row["committed"]["ok"] and row["committed"]["log_index"] == len(raw) for row in document["read_models"])
    with closing(sqlite3.connect(tmp_path / "models" / "revenue.sqlite")) as ledger:
        assert ledger.execute("SELECT sum(debits_halalas) - sum(credits_halalas) FROM account").fetchone() == (0,)


async def test_a_commitment_to_other_rows_is_named(live: Connection, raw: list[bytes], tmp_path: Path) -> None:
    await live.execute("UPDATE revenue.account SET debits_halalas = debits_halalas + 1")
    mirror = await mirrored(tmp_path / "mirror", await with_commitments(live, raw))
    result = await replay(tmp_path, str(mirror), "--into", str(tmp_path / "models"), "--json")
    assert result.exit_code == 1
    wrong = [row["name"] for row in orjson.loads(result.stdout)["read_models"] if not row["committed"]["ok"]]
    assert wrong == ["revenue.account"]


async def test_a_commitment_of_an_earlier_version_is_told_apart(
    live: Connection, raw: list[bytes], tmp_path: Path
) -> None:
    version = CONSUMERS["revenue"].rows_version.label.encode()
    await live.execute("UPDATE revenue.account SET debits_halalas = debits_halalas + 1")
    log = [entry.replace(version, b"1-aaaaaaaaaaaa") for entry in await with_commitments(live, raw)]
    result = await replay(
        tmp_path, str(await mirrored(tmp_path / "mirror", log)), "--into", str(tmp_path / "models"), "--json"
    )
    assert result.exit_code == 0, result.output
    found = {row["name"]: row["committed"]["status"] for row in orjson.loads(result.stdout)["read_models"]}
    assert {name for name, status in found.items() if status != "matches"} == {"revenue.account"}
    assert found["revenue.account"] == "earlier-version"
