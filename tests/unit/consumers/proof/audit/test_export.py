"""An export verifies by its own file with nothing else, and every changed byte of it is refused."""

from __future__ import annotations

import asyncio
import random
import runpy
import shutil
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime
from io import BytesIO, TextIOWrapper
from itertools import product
from pathlib import Path

import duckdb
import orjson
import pytest

from consumers.proof.audit import verify
from consumers.proof.audit.export import ExportExists, Format
from consumers.proof.audit.source import ChangedExport, open_export
from events.wire.entry import Entry, entry_bytes
from infra.command_line.exit_codes import ExitCode, exit_code
from infra.log.key_history import KeyHistory, Transition, sign_transition
from infra.log.signed_note import LogKey, OtherKey, checkpoint_text, sign_note
from infra.witnesses.cosignature import cosign
from tests.every import every
from tests.paths import ROOT
from tests.unit.consumers.proof.audit.exports import export_of
from tests.world.events import event
from tests.world.memory_log import KEY, MemoryLog, root_of

VKEY = KEY.verifier.vkey
RECORDED = "2026-11-25T08:00:00.000000Z"


def entry(number: int) -> bytes:
    service, name = f"S-{number % 5}", {"ar": "خدمة «أ»", "en": 'a "b" \\ c'}
    data = {"service_id": service, "name": name, "n": [1, None, True]}
    one = event("service.launched" if number % 3 else "service.retired", f"service/{service}", data, id=f"e{number}")
    text = orjson.dumps(one, option=orjson.OPT_INDENT_2 if number % 2 else None)
    return entry_bytes(RECORDED, f"agency.health.events/0/{number}", text)


ENTRIES = [entry(number) for number in range(300)]
FORMS: tuple[Format, ...] = ("ndjson", "parquet")


async def exported(
    folder: Path,
    first: int = 0,
    end: int = 20,
    has: Callable[[Entry], bool] = lambda _: True,
    form: Format = "ndjson",
    log: MemoryLog | None = None,
    signer: LogKey = KEY,
) -> Path:
    return await export_of(log or MemoryLog(ENTRIES), folder, first, end, form, has, signer)


def said(folder: Path, key: LogKey = KEY) -> int:
    return verify.main([str(folder), key.verifier.vkey])


def restate(folder: Path, sha256: dict[str, str] | str | None) -> None:
    """Write another `sha256` into the proof, or none."""
    proof = orjson.loads((folder / "proof.json").read_bytes())
    kept = {name: value for name, value in proof.items() if name != "sha256"}
    stated = {} if sha256 is None else {"sha256": sha256}
    (folder / "proof.json").write_text(verify.as_json({**kept, **stated}) + "\n")


def rewrite(folder: Path, *statements: str) -> Path:
    """Change the table, which has its data as a text meanwhile."""
    table = folder / "entries.parquet"
    with duckdb.connect() as database:
        database.execute("CREATE TABLE t AS SELECT * FROM read_parquet(?)", [str(table)])
        for statement in statements:
            database.execute(statement)
        database.execute("COPY t TO ? (FORMAT parquet)", [str(table)])
    return table


EACH_BYTE = pytest.mark.parametrize("step", [7, pytest.param(1, marks=pytest.mark.accept)])
"""Each byte, or each seventh one from a random one on."""


def said_of_each_byte(file: Path, step: int, key: LogKey = KEY, *, cut: bool = False) -> dict[int, list[int]]:
    """What is said, and where, when a byte is another one, and when the file ends there."""
    data, found = file.read_bytes(), defaultdict[int, list[int]](list)
    for at in range(random.randrange(step), len(data), step):
        other = data[:at] + bytes([data[at] ^ 1 << at % 8]) + data[at + 1 :]
        for changed in (other, data[:at]) if cut else (other,):
            file.write_bytes(changed)
            found[said(file.parent, key)].append(at)
    file.write_bytes(data)
    assert said(file.parent, key) == verify.OK
    return found


async def test_every_range_verifies_and_duckdb_reads_both_forms_alike(tmp_path: Path) -> None:
    for form, (first, end) in product(FORMS, [(0, 300), (0, 1), (299, 300), (255, 257), (100, 100)]):
        folder = await exported(tmp_path / f"{first}-{end}.{form}", first, end, form=form)
        assert verify.verify(folder, VKEY)[2] == end - first, folder
    for form in FORMS:
        table = f"'{tmp_path}/0-300.{form}/entries.{form}'"
        with duckdb.connect() as database:
            rows = database.execute(f"SELECT type, count(*) FROM {table} GROUP BY type ORDER BY type").fetchall()
        assert rows == [("sa.gov.yesser.service.launched.v1", 200), ("sa.gov.yesser.service.retired.v1", 100)]
    with pytest.raises(ExportExists):
        await exported(tmp_path / "0-300.ndjson")


async def test_a_selection_verifies_and_its_proof_is_small(tmp_path: Path) -> None:
    folder = await exported(tmp_path / "export", 0, 300, lambda e: e.subject == "service/S-3" and e.index > 200)
    assert verify.verify(folder, VKEY) == (300, MemoryLog(ENTRIES).root.hex(), 20)
    assert len(orjson.loads((folder / "proof.json").read_bytes())["hashes"]) < 60


@EACH_BYTE
@pytest.mark.parametrize("form", FORMS)
async def test_each_changed_byte_is_refused(tmp_path: Path, form: Format, step: int) -> None:
    folder = await exported(tmp_path / "export", 6, 8, form=form)
    files = sorted(path.name for path in folder.iterdir() if path.suffix != ".py")
    assert files == ["checkpoint", f"entries.{form}", "proof.json"]
    for name in files:
        found = said_of_each_byte(folder / name, step)
        assert set(found) == {verify.CHANGED}, (name, found)


@EACH_BYTE
async def test_each_byte_of_a_cosignature_counts_though_the_witness_is_not_known(tmp_path: Path, step: int) -> None:
    log, witness = MemoryLog(ENTRIES[:9]), LogKey("court.example/witness", bytes(32))
    log.note += cosign(witness, checkpoint_text(KEY.name, 9, log.root), 1_700_000_000)
    folder = await exported(tmp_path / "export", end=2, log=log)
    for name in ("checkpoint", "proof.json"):
        assert verify.OK not in said_of_each_byte(folder / name, step, cut=True), name


@every("form", FORMS)
async def test_an_export_of_an_earlier_version_verifies(tmp_path: Path, form: Format) -> None:
    """Its proof has the hash of a Parquet file alone, which must be there."""
    folder = await exported(tmp_path / form, form=form)
    table = folder / "entries.parquet"
    restate(folder, verify.file_sha256(table) if form == "parquet" else None)
    assert said(folder) == verify.OK
    restate(folder, None if form == "parquet" else "0" * 64)
    assert said(folder) == verify.CHANGED


async def test_rows_and_hashes_that_were_left_out_added_or_changed_are_refused(tmp_path: Path) -> None:
    folder = await exported(tmp_path / "export")
    file = folder / "entries.ndjson"
    lines = file.read_bytes().splitlines(keepends=True)
    for changed in (
        lines[:-1],
        [*lines, lines[-1]],
        lines[::-1],
        [],
        [line.replace(b'"S-1"', b'"S-2"') for line in lines],
        [line.replace(b'"index":1,', b'"index":2,') for line in lines],
        [line.replace(b'"index":1,', b'"index":true,') for line in lines],
        [b"[" * 100_000, *lines],
    ):
        file.write_bytes(b"".join(changed))
        assert said(folder) == verify.CHANGED, changed[:2]
    file.write_bytes(b"".join(lines))
    hashes: list[object] = [{"entries.ndjson": "0" * 64}, {"verify.py": "0" * 64}, {"checkpoint": None}, []]
    for sha256 in hashes:
        restate(folder, sha256)  # type: ignore[arg-type]
        assert said(folder) == verify.CHANGED, sha256


async def test_another_key_is_a_change_and_what_is_no_export_is_wrong_use(tmp_path: Path) -> None:
    folder = await exported(tmp_path / "export")
    assert said(folder, LogKey("other.example/0", bytes(32))) == verify.CHANGED
    assert said(folder, LogKey(KEY.name, bytes(32))) == verify.WRONG_USE
    assert verify.main([str(folder), VKEY[:-4]]) == verify.WRONG_USE
    assert verify.main([str(folder)]) == verify.WRONG_USE
    assert said(tmp_path / "nothing") == verify.WRONG_USE


async def test_a_changed_parquet_row_is_refused(tmp_path: Path) -> None:
    folder = await exported(tmp_path / "export", form="parquet")
    table = rewrite(folder, "UPDATE t SET subject = 'service/S-9' WHERE index = 3")
    assert said(folder) == verify.CHANGED
    # Also where the change includes the file's own hash, which nothing signs.
    restate(folder, {"entries.parquet": verify.file_sha256(table)})
    assert said(folder) == verify.CHANGED
    table.write_bytes(table.read_bytes()[:-9])
    assert said(folder) == verify.CHANGED


@every(
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
async def test_an_ambiguous_row_is_refused(tmp_path_factory: pytest.TempPathFactory, change: str, reason: str) -> None:
    folder = await exported(tmp_path_factory.mktemp("changed") / "export", form="parquet")
    table = rewrite(folder, "ALTER TABLE t ALTER data TYPE VARCHAR", change)
    restate(folder, {"entries.parquet": verify.file_sha256(table)})
    with pytest.raises(verify.Changed, match=reason):
        verify.verify(folder, VKEY)


async def test_the_rows_are_in_one_file_and_nothing_is_missing(tmp_path: Path) -> None:
    folder = await exported(tmp_path / "export", form="parquet")
    (folder / "entries.ndjson").write_text('{"index":0,"data":{"amount_halalas":99999}}\n')
    assert said(folder) == verify.CHANGED
    (folder / "entries.ndjson").unlink()
    for name in ("checkpoint", "entries.parquet"):
        data = (folder / name).read_bytes()
        (folder / name).unlink()
        assert said(folder) == verify.CHANGED
        with pytest.raises(ChangedExport, match=name):
            open_export(str(folder), KEY.verifier)
        (folder / name).mkdir()
        assert said(folder) == verify.CHANGED
        (folder / name).rmdir()
        (folder / name).write_bytes(data)
    assert said(folder) == verify.OK
    for depth in (300, 500, 700, 990, 100_000):
        (folder / "proof.json").write_text(f'{{"size":300,"hashes":{"[" * depth}{"]" * depth}}}\n')
        assert said(folder) == verify.CHANGED, depth
    (folder / "proof.json").unlink()
    assert said(folder) == verify.WRONG_USE


async def test_a_path_is_one_file_whatever_is_in_its_name(tmp_path: Path) -> None:
    folder = tmp_path / "type=revenue" / "index=3" / "a[1]" / "a*?"
    assert said(await exported(folder, form="parquet")) == verify.OK


class TestAfterARotation:
    """The key was replaced at 200 entries, and again at 250; the checkpoint of 300 is signed by the new key."""

    NEXT = LogKey(KEY.name, b"n" * 32)
    LATER = LogKey(KEY.name, b"l" * 32)
    KEYS = (KEY, NEXT, LATER)

    def rotations(self) -> list[Transition]:
        trees = [(size, root_of(ENTRIES[:size])) for size in (200, 250)]
        return [
            sign_transition(old, new, datetime(2026, 1, 1, tzinfo=UTC), tree)
            for old, new, tree in zip(self.KEYS, self.KEYS[1:], trees, strict=False)
        ]

    async def folder(self, path: Path, count: int) -> Path:
        log = MemoryLog(ENTRIES)
        log.history = KeyHistory.of(KEY.verifier, self.rotations()[:count])
        log.note = self.KEYS[count].sign_checkpoint(300, log.root)
        return await exported(path, end=3, log=log, signer=self.KEYS[count])

    async def test_the_key_that_signed_and_each_one_before_verify_it(self, tmp_path: Path) -> None:
        for count in (1, 2):
            folder = await self.folder(tmp_path / str(count), count)
            for key in self.KEYS[: count + 1]:
                assert said(folder, key) == verify.OK
                opened = open_export(str(folder), key.verifier)
                assert opened is not None
                assert (opened.size, opened.count) == (300, 3)

    @EACH_BYTE
    async def test_each_changed_byte_of_the_rotations_is_refused(self, tmp_path: Path, step: int) -> None:
        """An export of an earlier version, without the hashes of its files, has a line's end after the last one."""
        folder = await self.folder(tmp_path / "export", 2)
        file = folder / "keys"
        found = said_of_each_byte(file, step)
        assert set(found) == {verify.CHANGED}, found
        restate(folder, None)
        assert said(folder) == verify.OK
        file.write_bytes(file.read_bytes()[:-1])
        assert said(folder) == verify.CHANGED

    @EACH_BYTE
    async def test_each_byte_counts_while_both_keys_sign(self, tmp_path: Path, step: int) -> None:
        log = MemoryLog(ENTRIES)
        log.history = KeyHistory.of(KEY.verifier, self.rotations()[:1])
        log.note = sign_note(checkpoint_text(KEY.name, 300, log.root), [KEY, self.NEXT])
        folder = await exported(tmp_path / "export", end=3, log=log, signer=self.NEXT)
        for key, name in product((KEY, self.NEXT), ("checkpoint", "keys", "proof.json")):
            assert verify.OK not in said_of_each_byte(folder / name, step, key, cut=True), name

    async def test_rotations_out_of_order_or_of_another_log_are_refused(self, tmp_path: Path) -> None:
        folder = await self.folder(tmp_path / "export", 2)
        first, second = (step.note for step in self.rotations())
        elsewhere = LogKey("other.example/0", bytes(32)), LogKey("other.example/0", b"o" * 32)
        other = sign_transition(*elsewhere, datetime(2026, 1, 1, tzinfo=UTC), (1, bytes(32))).note
        unsigned = first.rpartition("\n\n")[0] + "\n\n" + first.rpartition("\n\n")[2].splitlines()[0] + "\n"
        for notes in ([second, first], [other], [unsigned, second], [first, first], [first + "\n"], [""]):
            (folder / "keys").write_text("\n".join(notes))
            assert said(folder) == verify.CHANGED, notes

    async def test_a_key_that_was_replaced_signs_no_later_size(self, tmp_path: Path) -> None:
        folder = await self.folder(tmp_path / "export", 1)
        (folder / "checkpoint").write_text(KEY.sign_checkpoint(300, root_of(ENTRIES)))
        with pytest.raises(verify.Changed, match="it was replaced"):
            verify.verify(folder, VKEY)
        with pytest.raises(verify.OtherKey):
            verify.verify(folder, self.NEXT.verifier.vkey)

    async def test_a_key_without_the_rotations_to_it_is_no_change(self, tmp_path: Path) -> None:
        """An export from before a rotation, or of a later key than its own rotations name."""
        folder = await self.folder(tmp_path / "export", 1)
        assert said(folder, self.LATER) == verify.WRONG_USE
        with pytest.raises(OtherKey, match=self.NEXT.verifier.key_id.hex()) as found:
            open_export(str(folder), self.LATER.verifier)
        assert exit_code(found.value) == ExitCode.ANSWER_IS_NO
        (folder / "keys").unlink()
        assert said(folder) == verify.WRONG_USE
        assert said(folder, self.NEXT) == verify.OK

    async def test_a_key_that_was_replaced_forges_nothing_for_who_has_a_later_one(self, tmp_path: Path) -> None:
        """The earlier key was stolen, and signs false entries of a size at which it was in force."""
        for size in (150, 200):
            folder = await exported(tmp_path / str(size), end=3, log=MemoryLog(ENTRIES[1 : 1 + size]))
            (folder / "keys").write_text("\n".join(step.note for step in self.rotations()))
            for key in (self.NEXT, self.LATER):
                assert said(folder, key) == verify.WRONG_USE
                with pytest.raises(OtherKey):
                    open_export(str(folder), key.verifier)


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


async def test_without_a_library_it_names_those_that_it_needs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = await exported(tmp_path / "export", 10, 40)
    for module in ("nacl.exceptions", "cryptography.exceptions"):
        monkeypatch.setitem(sys.modules, module, None)
    assert verify.main([str(folder), VKEY]) == verify.WRONG_USE
    assert "needs PyNaCl or cryptography" in capsys.readouterr().err


@every("encoding", ["cp1252", "latin-1", "ascii"])
async def test_the_result_is_printed_also_where_there_is_no_arabic(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, encoding: str
) -> None:
    folder, printed = await exported(tmp_path / encoding, 10, 40), BytesIO()
    with monkeypatch.context() as patched:
        patched.setattr(sys, "argv", ["verify.py", str(folder), VKEY])
        patched.setattr(sys, "stdout", TextIOWrapper(printed, encoding, write_through=True))
        with pytest.raises(SystemExit) as ended:
            runpy.run_path(str(folder / "verify.py"), run_name="__main__")
        assert (ended.value.code, b"Verified: 30 entries" in printed.getvalue()) == (verify.OK, True)


def test_the_verifier_is_one_short_file_without_this_project() -> None:
    lines = Path(verify.__file__).read_text(encoding="utf-8").splitlines()
    assert len(lines) < 540
    imported = {line.split()[1].split(".")[0] for line in lines if line.lstrip().startswith(("import ", "from "))}
    assert imported - sys.stdlib_module_names == {"nacl", "cryptography", "duckdb"}
