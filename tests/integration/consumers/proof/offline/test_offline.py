"""A replay into files: the rows and hashes of the live tables, from a mirror alone."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import orjson

from consumers.models.registry import CONSUMERS
from consumers.proof.commitments.commitment import hash_read_models
from infra.postgres.connection import Connection
from tests.world.logs import apply_everywhere, history_bytes, with_commitments, write_log
from tests.world.mirrors import mirrored, replay


async def test_a_mirror_gives_the_live_hashes_and_other_rows_differ(connection: Connection, tmp_path: Path) -> None:
    raw = history_bytes(51, 400)
    await write_log(connection, raw)
    await apply_everywhere(connection, raw)
    expected = {commitment.name: commitment.sha256 for commitment in await hash_read_models(connection)}
    mirror = await mirrored(tmp_path / "mirror", await with_commitments(connection, raw))
    models = tmp_path / "models"
    result = await replay(tmp_path, str(mirror), "--into", str(models), "--format", "sqlite", "--json")
    assert result.exit_code == 0, result.output
    document = orjson.loads(result.stdout)
    assert document["ok"]
    committed = {row["name"]: row["committed"] for row in document["read_models"]}
    assert {name: row["sha256"] for name, row in committed.items()} == expected
    assert all(row["ok"] and row["log_index"] == len(raw) for row in committed.values())
    assert sorted(path.name for path in models.iterdir()) == sorted(f"{name}.sqlite" for name in CONSUMERS)
    with closing(sqlite3.connect(models / "revenue.sqlite")) as ledger:
        assert ledger.execute("SELECT sum(debits_halalas - credits_halalas) FROM account").fetchone() == (0,)

    await connection.execute("UPDATE revenue.account SET debits_halalas = debits_halalas + 1")
    await connection.execute("UPDATE projections.activity SET count = count + 1")
    version, other = CONSUMERS["projections"].rows_version.label.encode(), b"1-aaaaaaaaaaaa"
    log = [entry.replace(version, other) for entry in await with_commitments(connection, raw)]
    mirror = await mirrored(tmp_path / "changed" / "mirror", log)
    result = await replay(tmp_path / "changed", str(mirror), "--into", str(tmp_path / "changed" / "models"), "--json")
    assert result.exit_code == 1, result.output
    committed = {row["name"]: row["committed"] for row in orjson.loads(result.stdout)["read_models"]}
    assert {name: (row["status"], row["ok"]) for name, row in committed.items() if row["status"] != "matches"} == {
        "revenue.account": ("wrong", False),
        "projections.activity": ("earlier-version", True),
    }
