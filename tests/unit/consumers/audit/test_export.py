"""An export verifies by its own file with nothing else, and every changed byte of it is refused."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import duckdb
import orjson
import pytest

from consumers.audit import verify
from consumers.audit.authenticated import AuthenticatedLog
from consumers.audit.export import ExportExists, Format, export, selected_entries
from events.wire.entry import Entry, entry_bytes
from infra.log.signed_note import LogKey
from tests.paths import ROOT
from tests.unit.consumers.audit.memory_log import KEY, MemoryLog

VKEY = KEY.verifier.vkey
RECORDED = "2026-11-25T08:00:00.000000Z"


def entry(number: int) -> bytes:
    event = {
        "specversion": "1.0",
        "id": f"e{number}",
        "source": "urn:yesser:agency:health",
        "type": "sa.gov.yesser.service.launched.v1" if number % 3 else "sa.gov.yesser.service.retired.v1",
        "subject": f"service/S-{number % 5}",
        "time": "2026-11-25T11:00:00+03:00",
        "data": {"service_id": f"S-{number % 5}", "name": {"ar": "خدمة «أ»", "en": 'a "b" \\ c'}, "n": [1, None, True]},
    }
    text = orjson.dumps(event, option=orjson.OPT_INDENT_2 if number % 2 else None)
    return entry_bytes(RECORDED, f"agency.health.events/0/{number}", text)


ENTRIES = [entry(number) for number in range(300)]


def everything(_: Entry) -> bool:
    return True


async def exported(
    folder: Path,
    first: int = 0,
    end: int = 300,
    has: Callable[[Entry], bool] = everything,
    form: Format = "ndjson",
    size: int = 300,
) -> Path:
    log = MemoryLog(ENTRIES[:size])
    checkpoint = await log.checkpoint()
    entries = selected_entries(AuthenticatedLog(log, checkpoint), first, end, has)
    await export(log, checkpoint, KEY.verifier, entries, folder, form)
    return folder


@pytest.mark.parametrize("form", ["ndjson", "parquet"])
@pytest.mark.parametrize(("first", "end"), [(0, 300), (0, 1), (299, 300), (255, 257), (100, 100)])
async def test_a_range_verifies(tmp_path: Path, first: int, end: int, form: Format) -> None:
    folder = await exported(tmp_path / "export", first, end, form=form)
    assert verify.verify(folder, VKEY)[2] == end - first


async def test_a_selection_verifies_and_its_proof_is_small(tmp_path: Path) -> None:
    folder = await exported(tmp_path / "export", has=lambda e: e.subject == "service/S-3" and e.index > 200)
    size, root, count = verify.verify(folder, VKEY)
    assert (size, root, count) == (300, MemoryLog(ENTRIES).root.hex(), 20)
    assert len(orjson.loads((folder / "proof.json").read_bytes())["hashes"]) < 60


@pytest.mark.parametrize("form", ["ndjson", "parquet"])
async def test_each_changed_byte_is_refused(tmp_path: Path, form: Format) -> None:
    folder = await exported(tmp_path / "export", 6, 8, form=form)
    assert sorted(path.name for path in folder.iterdir() if path.suffix != ".py") == [
        "checkpoint",
        f"entries.{form}",
        "proof.json",
    ]
    for name in (f"entries.{form}", "proof.json", "checkpoint"):
        file = folder / name
        data = file.read_bytes()
        for at in range(len(data)):
            file.write_bytes(data[:at] + bytes([data[at] ^ 1 << at % 8]) + data[at + 1 :])
            assert verify.main([str(folder), VKEY]) == verify.CHANGED, (name, at)
        file.write_bytes(data)
    assert verify.main([str(folder), VKEY]) == verify.OK


@pytest.mark.parametrize(
    "change",
    [
        lambda lines: lines[:-1],
        lambda lines: [*lines, lines[-1]],
        lambda lines: lines[::-1],
        lambda lines: [],
        lambda lines: [line.replace(b'"S-1"', b'"S-2"') for line in lines],
        lambda lines: [line.replace(b'"index":1,', b'"index":2,') for line in lines],
        lambda lines: [line.replace(b'"index":1,', b'"index":true,') for line in lines],
        lambda lines: [b"[" * 100_000, *lines],
    ],
)
async def test_rows_left_out_added_or_changed_are_refused(tmp_path: Path, change) -> None:  # type: ignore[no-untyped-def]
    folder = await exported(tmp_path / "export", 0, 20)
    file = folder / "entries.ndjson"
    file.write_bytes(b"".join(change(file.read_bytes().splitlines(keepends=True))))
    assert verify.main([str(folder), VKEY]) == verify.CHANGED


async def test_another_key_and_a_wrong_one(tmp_path: Path) -> None:
    folder = await exported(tmp_path / "export", 0, 20)
    other = LogKey("log.example/0", bytes(32)).verifier.vkey
    assert verify.main([str(folder), other]) == verify.CHANGED
    assert verify.main([str(folder), VKEY[:-4]]) == verify.WRONG_USE
    assert verify.main([str(folder)]) == verify.WRONG_USE
    assert verify.main([str(tmp_path / "nothing"), VKEY]) == verify.WRONG_USE


def test_a_changed_parquet_row_is_refused(tmp_path: Path) -> None:
    folder = asyncio.run(exported(tmp_path / "export", 0, 20, form="parquet"))
    table = str(folder / "entries.parquet")
    with duckdb.connect() as database:
        database.execute("CREATE TABLE t AS SELECT * FROM read_parquet(?)", [table])
        database.execute("UPDATE t SET subject = 'service/S-9' WHERE index = 3")
        database.execute("COPY t TO ? (FORMAT parquet)", [table])
    assert verify.main([str(folder), VKEY]) == verify.CHANGED
    # Also where the change includes the file's own hash, which nothing signs.
    proof = orjson.loads((folder / "proof.json").read_bytes()) | {"sha256": verify.file_sha256(Path(table))}
    (folder / "proof.json").write_text(verify.as_json(proof) + "\n")
    assert verify.main([str(folder), VKEY]) == verify.CHANGED
    Path(table).write_bytes(Path(table).read_bytes()[:-9])
    assert verify.main([str(folder), VKEY]) == verify.CHANGED


@pytest.mark.parametrize("form", ["ndjson", "parquet"])
async def test_duckdb_reads_both_forms_alike(tmp_path: Path, form: Format) -> None:
    folder = await exported(tmp_path / "export", form=form)
    with duckdb.connect() as database:
        rows = database.execute(
            f"SELECT type, count(*) FROM '{folder}/entries.{form}' GROUP BY type ORDER BY type"
        ).fetchall()
    assert rows == [("sa.gov.yesser.service.launched.v1", 200), ("sa.gov.yesser.service.retired.v1", 100)]


async def test_an_export_is_never_mixed_with_another(tmp_path: Path) -> None:
    folder = await exported(tmp_path / "export", 0, 20)
    with pytest.raises(ExportExists):
        await exported(folder, 0, 20)


@pytest.mark.parametrize("without", ["nacl", "cryptography"])
def test_the_file_runs_alone_with_either_library(tmp_path: Path, without: str) -> None:
    folder = asyncio.run(exported(tmp_path / "export", 10, 40))
    elsewhere = tmp_path / "elsewhere"
    shutil.copytree(folder, elsewhere)
    blocked = (
        f"import sys; sys.modules['{without}'] = None; sys.path[:] = [p for p in sys.path if p != {str(ROOT)!r}]\n"
    )
    no_network = "import socket; socket.socket = socket.create_connection = socket.getaddrinfo = None\n"
    run = f"import runpy; sys.argv = ['verify.py', '.', {VKEY!r}]; runpy.run_path('verify.py', run_name='__main__')"
    result = subprocess.run(
        [sys.executable, "-c", blocked + no_network + run], cwd=elsewhere, capture_output=True, text=True
    )
    assert result.returncode == 0, result.stderr
    assert "Verified: 30 entries of a log of 300 entries" in result.stdout
    assert "سليم" in result.stdout


def test_the_verifier_is_one_short_file_without_this_project() -> None:
    lines = Path(verify.__file__).read_text(encoding="utf-8").splitlines()
    assert len(lines) < 400
    imported = {line.split()[1].split(".")[0] for line in lines if line.lstrip().startswith(("import ", "from "))}
    assert imported - sys.stdlib_module_names == {"nacl", "cryptography", "duckdb"}
