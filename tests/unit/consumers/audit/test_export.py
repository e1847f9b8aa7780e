"""An export verifies by its own file with nothing else, and every changed byte of it is refused."""

from __future__ import annotations

import asyncio
import random
import runpy
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from io import BytesIO, TextIOWrapper
from pathlib import Path

import duckdb
import orjson
import pytest

from consumers.audit import verify
from consumers.audit.authenticated import AuthenticatedLog
from consumers.audit.export import ExportExists, Format, export, selected_entries
from consumers.audit.source import ChangedExport, open_export
from events.wire.entry import Entry, entry_bytes
from infra.command_line.exit_codes import ExitCode, exit_code
from infra.log.key_history import KeyHistory, Transition, sign_transition
from infra.log.signed_note import LogKey, OtherKey, checkpoint_text, sign_note
from infra.witnesses.cosignature import cosign
from tests.paths import ROOT
from tests.world.memory_log import KEY, MemoryLog, root_of

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


async def written(
    log: MemoryLog,
    folder: Path,
    signer: LogKey = KEY,
    first: int = 0,
    end: int = 3,
    has: Callable[[Entry], bool] = everything,
    form: Format = "ndjson",
) -> Path:
    checkpoint = await log.checkpoint()
    entries = selected_entries(AuthenticatedLog(log, checkpoint), first, end, has)
    await export(log, checkpoint, signer.verifier, entries, folder, form)
    return folder


async def exported(
    folder: Path,
    first: int = 0,
    end: int = 300,
    has: Callable[[Entry], bool] = everything,
    form: Format = "ndjson",
) -> Path:
    return await written(MemoryLog(ENTRIES), folder, KEY, first, end, has, form)


def restate(folder: Path, sha256: dict[str, str] | str | None) -> None:
    """Write another `sha256` into the proof, or none."""
    proof = orjson.loads((folder / "proof.json").read_bytes())
    kept = {name: value for name, value in proof.items() if name != "sha256"}
    stated = {} if sha256 is None else {"sha256": sha256}
    (folder / "proof.json").write_text(verify.as_json({**kept, **stated}) + "\n")


EACH_BYTE = pytest.mark.parametrize("step", [7, pytest.param(1, marks=pytest.mark.accept)])
"""Each byte, or each seventh one from a random one on."""


def uncounted_bytes(file: Path, vkey: str, step: int) -> list[int]:
    """Where a byte may be another one, or the file may end, and is not refused."""
    data, passed = file.read_bytes(), []
    for at in range(random.randrange(step), len(data), step):
        for changed in (data[:at] + bytes([data[at] ^ 1 << at % 8]) + data[at + 1 :], data[:at]):
            file.write_bytes(changed)
            if verify.main([str(file.parent), vkey]) == verify.OK:
                passed.append(at)
    file.write_bytes(data)
    assert verify.main([str(file.parent), vkey]) == verify.OK
    return passed


def require_changed_by_each_byte(file: Path, step: int) -> None:
    data = file.read_bytes()
    for at in range(random.randrange(step), len(data), step):
        file.write_bytes(data[:at] + bytes([data[at] ^ 1 << at % 8]) + data[at + 1 :])
        assert verify.main([str(file.parent), VKEY]) == verify.CHANGED, (file.name, at)
    file.write_bytes(data)
    assert verify.main([str(file.parent), VKEY]) == verify.OK


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


@EACH_BYTE
@pytest.mark.parametrize("form", ["ndjson", "parquet"])
async def test_each_changed_byte_is_refused(tmp_path: Path, form: Format, step: int) -> None:
    folder = await exported(tmp_path / "export", 6, 8, form=form)
    files = sorted(path.name for path in folder.iterdir() if path.suffix != ".py")
    assert files == ["checkpoint", f"entries.{form}", "proof.json"]
    for name in files:
        require_changed_by_each_byte(folder / name, step)


@EACH_BYTE
async def test_each_byte_of_a_cosignature_counts_though_the_witness_is_not_known(tmp_path: Path, step: int) -> None:
    log = MemoryLog(ENTRIES[:9])
    log.note += cosign(
        LogKey("court.example/witness", bytes(32)), checkpoint_text(KEY.name, 9, log.root), 1_700_000_000
    )
    folder = await written(log, tmp_path / "export", end=2)
    assert [uncounted_bytes(folder / name, VKEY, step) for name in ("checkpoint", "proof.json")] == [[], []]


@pytest.mark.parametrize("form", ["ndjson", "parquet"])
async def test_an_export_of_an_earlier_version_verifies(tmp_path: Path, form: Format) -> None:
    """Its proof has the hash of a Parquet file alone, which must be there."""
    folder = await exported(tmp_path / "export", 0, 20, form=form)
    table = folder / "entries.parquet"
    restate(folder, verify.file_sha256(table) if form == "parquet" else None)
    assert verify.main([str(folder), VKEY]) == verify.OK
    restate(folder, None if form == "parquet" else "0" * 64)
    assert verify.main([str(folder), VKEY]) == verify.CHANGED


@pytest.mark.parametrize("sha256", [{"entries.ndjson": "0" * 64}, {"verify.py": "0" * 64}, {"checkpoint": None}, []])
async def test_hashes_of_files_that_are_not_those_are_refused(tmp_path: Path, sha256: dict[str, str]) -> None:
    folder = await exported(tmp_path / "export", 0, 20)
    restate(folder, sha256)
    assert verify.main([str(folder), VKEY]) == verify.CHANGED


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
    assert verify.main([str(folder), LogKey("other.example/0", bytes(32)).verifier.vkey]) == verify.CHANGED
    assert verify.main([str(folder), LogKey(KEY.name, bytes(32)).verifier.vkey]) == verify.WRONG_USE
    assert verify.main([str(folder), VKEY[:-4]]) == verify.WRONG_USE
    assert verify.main([str(folder)]) == verify.WRONG_USE
    assert verify.main([str(tmp_path / "nothing"), VKEY]) == verify.WRONG_USE


async def test_a_changed_parquet_row_is_refused(tmp_path: Path) -> None:
    folder = await exported(tmp_path / "export", 0, 20, form="parquet")
    table = folder / "entries.parquet"
    with duckdb.connect() as database:
        database.execute("CREATE TABLE t AS SELECT * FROM read_parquet(?)", [str(table)])
        database.execute("UPDATE t SET subject = 'service/S-9' WHERE index = 3")
        database.execute("COPY t TO ? (FORMAT parquet)", [str(table)])
    assert verify.main([str(folder), VKEY]) == verify.CHANGED
    # Also where the change includes the file's own hash, which nothing signs.
    restate(folder, {"entries.parquet": verify.file_sha256(table)})
    assert verify.main([str(folder), VKEY]) == verify.CHANGED
    table.write_bytes(table.read_bytes()[:-9])
    assert verify.main([str(folder), VKEY]) == verify.CHANGED


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("UPDATE t SET data = replace(data::VARCHAR, '{', '{\"service_id\":\"S-9\",')::JSON", "has a name twice"),
        ("UPDATE t SET data = replace(data::VARCHAR, '[1,', '[1.0,')::JSON", "does not say what its entry says"),
        ("UPDATE t SET data = replace(data::VARCHAR, '[1,', '[true,')::JSON", "does not say what its entry says"),
        ("UPDATE t SET data = '[' || data::VARCHAR", "is not JSON"),
        ("UPDATE t SET data = NULL", "is not a row with"),
        ("UPDATE t SET index = NULL WHERE index = 2", "is not a row with an index"),
        ("ALTER TABLE t ALTER index TYPE VARCHAR", "is not a row with an index"),
        ("ALTER TABLE t ALTER index TYPE DOUBLE", "is not a row with an index"),
        ("ALTER TABLE t DROP data", "its columns"),
    ],
)
async def test_a_row_that_readers_would_take_otherwise_is_refused(tmp_path: Path, change: str, reason: str) -> None:
    folder = await exported(tmp_path / "export", 0, 20, form="parquet")
    table = folder / "entries.parquet"
    with duckdb.connect() as database:
        database.execute("CREATE TABLE t AS SELECT * FROM read_parquet(?)", [str(table)])
        database.execute("ALTER TABLE t ALTER data TYPE VARCHAR")
        database.execute(change)
        database.execute("COPY t TO ? (FORMAT parquet)", [str(table)])
    restate(folder, {"entries.parquet": verify.file_sha256(table)})
    with pytest.raises(verify.Changed, match=reason):
        verify.verify(folder, VKEY)


async def test_the_rows_are_in_one_file_and_nothing_is_missing(tmp_path: Path) -> None:
    folder = await exported(tmp_path / "export", 0, 20, form="parquet")
    (folder / "entries.ndjson").write_text('{"index":0,"data":{"amount_halalas":99999}}\n')
    assert verify.main([str(folder), VKEY]) == verify.CHANGED
    (folder / "entries.ndjson").unlink()
    for name in ("checkpoint", "entries.parquet"):
        data = (folder / name).read_bytes()
        (folder / name).unlink()
        assert verify.main([str(folder), VKEY]) == verify.CHANGED
        with pytest.raises(ChangedExport, match=name):
            open_export(str(folder), KEY.verifier)
        (folder / name).mkdir()
        assert verify.main([str(folder), VKEY]) == verify.CHANGED
        (folder / name).rmdir()
        (folder / name).write_bytes(data)
    assert verify.main([str(folder), VKEY]) == verify.OK
    (folder / "proof.json").unlink()
    assert verify.main([str(folder), VKEY]) == verify.WRONG_USE


async def test_many_levels_are_refused(tmp_path: Path) -> None:
    folder = await exported(tmp_path / "export", 0, 2)
    for depth in (300, 500, 700, 990, 100_000):
        (folder / "proof.json").write_text(f'{{"size":300,"hashes":{"[" * depth}{"]" * depth}}}\n')
        assert verify.main([str(folder), VKEY]) == verify.CHANGED, depth


@pytest.mark.parametrize("name", ["type=revenue", "index=3", "a[1]", "a*?"])
async def test_a_path_is_one_file_whatever_is_in_its_name(tmp_path: Path, name: str) -> None:
    folder = await exported(tmp_path / name / "export", 0, 20, form="parquet")
    assert verify.main([str(folder), VKEY]) == verify.OK


class TestAfterARotation:
    """The key was replaced at 200 entries; the checkpoint of 300 is signed by the new key."""

    NEXT = LogKey(KEY.name, b"n" * 32)
    LATER = LogKey(KEY.name, b"l" * 32)

    def rotations(self) -> list[Transition]:
        trees = [(size, root_of(ENTRIES[:size])) for size in (200, 250)]
        keys = [KEY, self.NEXT, self.LATER]
        return [
            sign_transition(old, new, datetime(2026, 1, 1, tzinfo=UTC), tree)
            for old, new, tree in zip(keys, keys[1:], trees, strict=False)
        ]

    async def folder(self, path: Path, count: int = 1) -> Path:
        log = MemoryLog(ENTRIES)
        log.history = KeyHistory.of(KEY.verifier, self.rotations()[:count])
        signer = [KEY, self.NEXT, self.LATER][count]
        log.note = signer.sign_checkpoint(300, log.root)
        return await written(log, path, signer)

    @pytest.mark.parametrize("count", [1, 2])
    async def test_the_key_that_signed_and_each_one_before_verify_it(self, tmp_path: Path, count: int) -> None:
        folder = await self.folder(tmp_path / "export", count)
        for key in (KEY, self.NEXT, self.LATER)[: count + 1]:
            assert verify.main([str(folder), key.verifier.vkey]) == verify.OK
            opened = open_export(str(folder), key.verifier)
            assert opened is not None
            assert (opened.size, opened.count) == (300, 3)

    @EACH_BYTE
    async def test_each_changed_byte_of_the_rotations_is_refused(self, tmp_path: Path, step: int) -> None:
        folder = await self.folder(tmp_path / "export", 2)
        require_changed_by_each_byte(folder / "keys", step)

    async def test_the_rotations_end_with_a_line_also_in_an_export_of_an_earlier_version(self, tmp_path: Path) -> None:
        folder = await self.folder(tmp_path / "export", 2)
        restate(folder, None)
        file = folder / "keys"
        assert verify.main([str(folder), VKEY]) == verify.OK
        file.write_bytes(file.read_bytes()[:-1])
        assert verify.main([str(folder), VKEY]) == verify.CHANGED

    @EACH_BYTE
    async def test_each_byte_counts_while_both_keys_sign(self, tmp_path: Path, step: int) -> None:
        log = MemoryLog(ENTRIES)
        log.history = KeyHistory.of(KEY.verifier, self.rotations()[:1])
        log.note = sign_note(checkpoint_text(KEY.name, 300, log.root), [KEY, self.NEXT])
        folder = await written(log, tmp_path / "export", self.NEXT)
        for vkey in (VKEY, self.NEXT.verifier.vkey):
            for name in ("checkpoint", "keys", "proof.json"):
                assert uncounted_bytes(folder / name, vkey, step) == [], (name, vkey)

    async def test_rotations_out_of_order_or_of_another_log_are_refused(self, tmp_path: Path) -> None:
        folder = await self.folder(tmp_path / "export", 2)
        first, second = (step.note for step in self.rotations())
        elsewhere = LogKey("other.example/0", bytes(32)), LogKey("other.example/0", b"o" * 32)
        other = sign_transition(*elsewhere, datetime(2026, 1, 1, tzinfo=UTC), (1, bytes(32))).note
        unsigned = first.rpartition("\n\n")[0] + "\n\n" + first.rpartition("\n\n")[2].splitlines()[0] + "\n"
        for notes in ([second, first], [other], [unsigned, second], [first, first], [first + "\n"], [""]):
            (folder / "keys").write_text("\n".join(notes))
            assert verify.main([str(folder), VKEY]) == verify.CHANGED, notes

    async def test_a_key_that_was_replaced_signs_no_later_size(self, tmp_path: Path) -> None:
        folder = await self.folder(tmp_path / "export")
        (folder / "checkpoint").write_text(KEY.sign_checkpoint(300, root_of(ENTRIES)))
        with pytest.raises(verify.Changed, match="it was replaced"):
            verify.verify(folder, VKEY)
        with pytest.raises(verify.OtherKey):
            verify.verify(folder, self.NEXT.verifier.vkey)

    async def test_a_key_without_the_rotations_to_it_is_no_change(self, tmp_path: Path) -> None:
        """An export from before a rotation, or of a later key than its own rotations name."""
        folder = await self.folder(tmp_path / "export")
        assert verify.main([str(folder), self.LATER.verifier.vkey]) == verify.WRONG_USE
        with pytest.raises(OtherKey, match=self.NEXT.verifier.key_id.hex()) as found:
            open_export(str(folder), self.LATER.verifier)
        assert exit_code(found.value) == ExitCode.ANSWER_IS_NO
        (folder / "keys").unlink()
        assert verify.main([str(folder), VKEY]) == verify.WRONG_USE
        assert verify.main([str(folder), self.NEXT.verifier.vkey]) == verify.OK

    @pytest.mark.parametrize("size", [150, 200])
    async def test_a_key_that_was_replaced_forges_nothing_for_who_has_a_later_one(
        self, tmp_path: Path, size: int
    ) -> None:
        """The earlier key was stolen, and signs false entries of a size at which it was in force."""
        folder = await written(MemoryLog(ENTRIES[1 : 1 + size]), tmp_path / "export")
        (folder / "keys").write_text("\n".join(step.note for step in self.rotations()))
        for key in (self.NEXT, self.LATER):
            assert verify.main([str(folder), key.verifier.vkey]) == verify.WRONG_USE
            with pytest.raises(OtherKey):
                open_export(str(folder), key.verifier)


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
async def test_the_file_runs_alone_with_either_library(tmp_path: Path, without: str) -> None:
    folder = await exported(tmp_path / "export", 10, 40)
    elsewhere = tmp_path / "elsewhere"
    shutil.copytree(folder, elsewhere)
    blocked = (
        f"import sys; sys.modules['{without}'] = None; sys.path[:] = [p for p in sys.path if p != {str(ROOT)!r}]\n"
    )
    no_network = "import socket; socket.socket = socket.create_connection = socket.getaddrinfo = None\n"
    run = f"import runpy; sys.argv = ['verify.py', '.', {VKEY!r}]; runpy.run_path('verify.py', run_name='__main__')"
    command = [sys.executable, "-c", blocked + no_network + run]
    result = await asyncio.to_thread(subprocess.run, command, cwd=elsewhere, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert "Verified: 30 entries of a log of 300 entries" in result.stdout
    assert "سليم" in result.stdout


@pytest.mark.parametrize("encoding", ["cp1252", "latin-1", "ascii"])
async def test_the_result_is_printed_also_where_there_is_no_arabic(
    tmp_path: Path, encoding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, printed = await exported(tmp_path / "export", 10, 40), BytesIO()
    monkeypatch.setattr(sys, "argv", ["verify.py", str(folder), VKEY])
    monkeypatch.setattr(sys, "stdout", TextIOWrapper(printed, encoding, write_through=True))
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(folder / "verify.py"), run_name="__main__")
    assert (ended.value.code, b"Verified: 30 entries" in printed.getvalue()) == (verify.OK, True)


def test_the_verifier_is_one_short_file_without_this_project() -> None:
    lines = Path(verify.__file__).read_text(encoding="utf-8").splitlines()
    assert len(lines) < 400
    imported = {line.split()[1].split(".")[0] for line in lines if line.lstrip().startswith(("import ", "from "))}
    assert imported - sys.stdlib_module_names == {"nacl", "cryptography", "duckdb"}
