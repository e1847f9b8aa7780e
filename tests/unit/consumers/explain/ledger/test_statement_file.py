"""A statement's folder, verified without a network; whatever is changed or left out in it is found and named."""

from __future__ import annotations

import asyncio
import json
import os
import random
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from tempfile import gettempdir
from zipfile import ZIP_DEFLATED, ZipFile

import pytest
from click.testing import CliRunner

from bench.ledger import history
from consumers.explain.ledger.command_line.verify import verify_statement_command
from consumers.explain.ledger.statement_proof import (
    NotAStatement,
    NotProven,
    StatementProof,
    unpacked,
    verify_statement,
)
from consumers.explain.ledger.what_if import folded
from consumers.proof.audit.mirror import write_mirror
from consumers.proof.audit.pinned_checkpoint import ForkedLog, KeptCheckpoint, state_folder
from consumers.proof.audit.verify import file_sha256, row_line, verify
from consumers.proof.commands.audit_options import AuditSource
from consumers.revenue.handlers.closing import SettlementDiffers
from consumers.revenue.rows import STATEMENT as STATEMENT_TABLE
from events.values.data import Data
from events.wire.codec import build_event
from events.wire.entry import parse_entry
from infra.cli import cli, wrong_path
from infra.command_line.exit_codes import ExitCode, exit_code
from infra.log.signed_note import LogKey, OtherKey
from infra.witnesses.cosignature import cosign, cosigner_of
from infra.witnesses.policy import NotWitnessed
from tests.every import every
from tests.oracle.log import make_entry, make_event
from tests.world.logs import raw_entries
from tests.world.logs_with_texts import LogWithTexts
from tests.world.memory_log import KEY, MemoryLog, sample_entries
from tests.world.statement_proofs import write_proof

RECEIPTS = 10_000
RAW = raw_entries(history(12, 2, closes=True))
VERIFIER = KEY.verifier
LINES = "entries.ndjson"
STATEMENT = "statement.json"
WITHOUT_NETWORK = """
import sys
def refuse(event, arguments):
    if event in ("socket.connect", "socket.bind", "socket.getaddrinfo", "socket.sendto", "socket.gethostbyname"):
        raise OSError(f"there is no network: {event}")
sys.addaudithook(refuse)
"""
Change = Callable[[Path], object]


@pytest.fixture(scope="module")
def short(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The proof of a statement of few receipts, in a log with another partnership's between them."""
    folder = tmp_path_factory.mktemp("proof") / "short"
    asyncio.run(write_proof(RAW, "P0", "2005-01", folder))
    return folder


@pytest.fixture
def folder(short: Path, tmp_path: Path) -> Path:
    """A copy of it, to change."""
    return Path(shutil.copytree(short, tmp_path / "changed"))


def state(name: str, value: str) -> Change:
    """Write another value in the statement."""

    def apply(folder: Path) -> None:
        text = (folder / STATEMENT).read_text()
        changed = re.sub(rf'"{name}":[^,}}]+', f'"{name}":{value}', text)
        assert changed != text
        (folder / STATEMENT).write_text(changed)

    return apply


def test_it_verifies_with_the_network_gone(tmp_path: Path) -> None:
    whole = tmp_path / "whole"
    asyncio.run(write_proof(raw_entries(history(RECEIPTS, 1, closes=True)), "P0", "2005-01", whole))
    (tmp_path / "sitecustomize.py").write_text(WITHOUT_NETWORK)
    own = {"YESSER_HOME": str(tmp_path / "home"), "XDG_STATE_HOME": str(tmp_path / "state")}
    environment = {**os.environ, "PYTHONPATH": str(tmp_path), **own}

    def run(*command: str) -> subprocess.CompletedProcess[str]:
        words = [sys.executable, *command]
        return subprocess.run(words, env=environment, capture_output=True, text=True, timeout=100, check=False)

    connecting = run("-c", "import socket; socket.create_connection(('127.0.0.1', 9))")
    assert "there is no network" in connecting.stderr
    command = ("ledger", "verify-statement", str(whole), "--vkey", VERIFIER.vkey, "--json")
    done = run("-m", "infra.cli", *command)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["ok"], found["entries_count"]) == (True, RECEIPTS + 2)


def test_texts_of_a_statement_are_verified_and_it_holds_without_them(tmp_path: Path) -> None:
    built = LogWithTexts()
    built.entries = RAW[:5]
    reason = {"ar": "خطأ سارة", "en": "a mistake of Sara"}
    reversal = {"partnership_id": "P0", "reversal_id": "V-1", "reverses": "R-9", "amount_halalas": 1}
    data: Data = {**reversal, "reversed_on": "2005-01-20", "reason": reason}
    event = {"agency": "health", "id": "reversal", "subject": "partnership/P0", "time": "2005-01-20T08:00:00Z"}
    built.add(build_event(type="revenue.reversed", data=data, **event))
    built.entries += RAW[5:]
    asyncio.run(write_proof(built.entries, "P0", "2005-01", tmp_path / "proof", texts=[*built.texts.values()]))
    assert "a mistake of Sara" in (tmp_path / "proof/texts.ndjson").read_text(encoding="utf-8")
    assert asyncio.run(verify_statement(tmp_path / "proof", VERIFIER)).ok
    packed = shutil.make_archive(str(tmp_path / "packed"), "zip", tmp_path / "proof")
    with unpacked(Path(packed)) as folder:
        assert asyncio.run(verify_statement(folder, VERIFIER)).ok
    asyncio.run(write_proof(built.entries, "P0", "2005-01", tmp_path / "without"))
    assert asyncio.run(verify_statement(tmp_path / "without", VERIFIER)).ok
    file = tmp_path / "proof/texts.ndjson"
    file.write_text(file.read_text(encoding="utf-8").replace("mistake", "Mistake"), encoding="utf-8")
    with pytest.raises(NotProven, match="entry 5: it does not give the hash"):
        asyncio.run(verify_statement(tmp_path / "proof", VERIFIER))


def test_a_policy_holds_a_statement_to_its_witnesses(folder: Path) -> None:
    court = LogKey("court.example/witness", bytes(32))
    policy = folder.parent / "policy"
    policy.write_text(f"witness court {cosigner_of(court).vkey}\nquorum court\n")
    command = ("ledger", "verify-statement", str(folder), "--vkey", VERIFIER.vkey)
    environment = {"XDG_STATE_HOME": str(folder.parent / "state"), "YESSER_HOME": str(folder.parent / "home")}
    alone = CliRunner().invoke(cli, [*command, "--policy", str(policy)], env=environment)
    assert isinstance(alone.exception, NotWitnessed)
    note, proof = folder / "checkpoint", folder / "proof.json"
    before = file_sha256(note)
    signed = note.read_text()
    note.write_text(signed + cosign(court, signed.rpartition("\n\n")[0] + "\n", 1_700_000_000))
    proof.write_text(proof.read_text().replace(before, file_sha256(note)))
    required, unknown = ("--policy", str(policy)), "cosignatures were not checked (--policy)"
    for options, said in (((), unknown), (required, "enough witnesses cosigned the checkpoint")):
        done = CliRunner().invoke(cli, [*command, *options], env=environment)
        assert done.exit_code == 0, (done.output, done.exception)
        assert said in done.output


def replace_line(number: int, change: Callable[[bytes], bytes]) -> Change:
    def apply(folder: Path) -> None:
        lines = (folder / LINES).read_bytes().splitlines(keepends=True)
        changed = change(lines[number - 1])
        assert changed != lines[number - 1]
        lines[number - 1] = changed
        (folder / LINES).write_bytes(b"".join(lines))

    return apply


def respell_entry(pattern: str, other: str) -> Callable[[bytes], bytes]:
    """Another text in the entry and in the columns beside it alike."""

    def change(line: bytes) -> bytes:
        row = json.loads(line)
        return row_line(row["index"], re.sub(pattern, other, row["entry"], count=1).encode(), "")

    return change


ANOTHER_AMOUNT = respell_entry(r'"amount_halalas":\d+', '"amount_halalas":7')


def swap_lines(folder: Path) -> None:
    first, second, third, *rest = (folder / LINES).read_bytes().splitlines(keepends=True)
    (folder / LINES).write_bytes(b"".join([first, third, second, *rest]))


def respell(folder: Path) -> None:
    (folder / STATEMENT).write_text(json.dumps(json.loads((folder / STATEMENT).read_text())) + "\n")


@every(
    ("change", "named"),
    [
        (replace_line(4, lambda line: line.replace(b"S1", b"S2", 1)), "line 4 does not say what its entry says"),
        (replace_line(4, lambda line: line[:300] + b"\xff" + line[301:]), "line 4: it is not UTF-8"),
        (replace_line(4, ANOTHER_AMOUNT), "the entries and the proof give the root"),
        (replace_line(4, lambda line: b""), "too few hashes|give the root"),
        (replace_line(4, lambda line: line + line), "row 5: index [0-9]+ is out of order"),
        (swap_lines, "row 3: index [0-9]+ is out of order"),
        (state("partner_base_halalas", "1"), "statement.json: partner_base_halalas is 1, but the entries"),
        (state("partnership_id", '"P00"'), "is not one of partnership/P00"),
        (state("period", '"2005-02"'), "statement.json: the entries close no period 2005-02"),
        *(
            (state("closing_index", index), "do not rely on it")
            for index in ("1e999", "Infinity", '"x"', "[6]", "null", "9")
        ),
        (lambda folder: (folder / STATEMENT).write_text("[" * 100_000), "do not rely on it"),
        (respell, "statement.json is not written as it was exported"),
        # The fold, which runs meanwhile, fails at what no registrar would have accepted.
        (replace_line(7, lambda line: line.replace(b"S1", b"S2", 1)), "line 7 does not say what its entry says"),
        (replace_line(7, ANOTHER_AMOUNT), "the entries and the proof give the root"),
        (replace_line(1, respell_entry(r'"bands":\[[^]]*\]', '"bands":[]')), "entries and the proof give the root"),
        (replace_line(8, respell_entry('"2005-01"', '"2005"')), "the entries and the proof give the root"),
    ],
)
async def test_each_change_is_found_and_placed(
    short: Path, tmp_path_factory: pytest.TempPathFactory, change: Change, named: str
) -> None:
    folder = Path(shutil.copytree(short, tmp_path_factory.mktemp("proof") / "changed"))
    change(folder)
    with pytest.raises(NotProven, match=named):
        await verify_statement(folder, VERIFIER)


def test_a_statement_of_another_history_than_was_accepted_is_a_fork(
    short: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only a log of the same size can be compared."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    size = verify(short, VERIFIER.vkey)[0]
    command = [str(short), "--vkey", VERIFIER.vkey]
    for accepted, error in ((size - 1, None), (size, ForkedLog)):
        log = MemoryLog(sample_entries(accepted))
        KeptCheckpoint(state_folder(), VERIFIER).prepare()
        KeptCheckpoint(state_folder(), VERIFIER).path.write_text(log.note)
        result = CliRunner().invoke(verify_statement_command, command)
        assert isinstance(result.exception, error or type(None)), result.exception


def test_the_zip_of_a_statement_is_verified_and_one_that_anybody_made_unpacks_no_more_than_it_may(
    folder: Path, tmp_path: Path
) -> None:
    packed = tmp_path / "proof.zip"
    with ZipFile(packed, "w", ZIP_DEFLATED) as file:
        for path in folder.iterdir():
            file.write(path, f"P0-2005-01/{path.name}")
        file.writestr("../../escaped", "x")
        file.writestr("other/proof.json", "{}")  # a second one of the same name
    with unpacked(packed) as own:
        assert asyncio.run(verify_statement(own, VERIFIER)).ok
        assert {path.name for path in own.iterdir()} <= {path.name for path in folder.iterdir()}
    assert not (tmp_path.parent / "escaped").exists()
    size = (folder / "entries.ndjson").stat().st_size
    with pytest.raises(NotAStatement, match="too many bytes"), unpacked(packed, bytes_max=size):
        pass
    with ZipFile(packed) as whole, ZipFile(packed.with_name("part.zip"), "w") as part:
        for member in whole.infolist():
            if not member.filename.endswith(LINES):
                part.writestr(member, whole.read(member))
    result = CliRunner().invoke(verify_statement_command, [part.filename or "", "--vkey", VERIFIER.vkey])
    assert LINES in str(result.exception)
    assert "part.zip" in str(result.exception)
    assert gettempdir() not in str(result.exception).replace(str(tmp_path), ""), "a folder that nobody knows"
    content = packed.read_bytes()
    for at in (10, 40, len(content) // 2):  # cut
        packed.write_bytes(content[:at])
        with pytest.raises(NotAStatement, match="cannot be read"), unpacked(packed):
            pass


async def test_a_part_that_is_missing_is_named_and_what_is_no_statement_or_cannot_be_read_is_no_tampering(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for missing in (STATEMENT, "proof.json", "checkpoint", LINES):
        content = (folder / missing).read_bytes()
        (folder / missing).unlink()
        with pytest.raises(NotProven, match=missing) as not_there:
            await verify_statement(folder, VERIFIER)
        assert "Errno" not in str(not_there.value)
        (folder / missing).write_bytes(content)
    await write_mirror(MemoryLog(RAW), tmp_path / "mirror", VERIFIER)
    (tmp_path / "empty").mkdir()
    for name in ("mirror", "empty"):
        with pytest.raises(NotAStatement, match=f"{name}: It holds no statement") as none:
            await verify_statement(tmp_path / name, VERIFIER)
        assert exit_code(none.value) == ExitCode.ANSWER_IS_NO

    def refuse(path: Path) -> bytes:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(PermissionError) as found:
        await verify_statement(folder, VERIFIER)
    assert "cannot be opened (Permission denied)" in str(wrong_path(found.value, [str(folder)]))


async def test_a_statement_that_another_key_of_the_log_signed_is_not_called_changed(short: Path) -> None:
    other = LogKey(VERIFIER.name, bytes(32)).verifier
    with pytest.raises(OtherKey, match=VERIFIER.key_id.hex()) as found:
        await verify_statement(short, other)
    assert "unpacked ZIP" not in str(found.value)
    with pytest.raises(OtherKey, match=r"statement\.zip: .*FOLDER is that of the unpacked ZIP\."):
        await verify_statement(short, other, given=short.with_name("statement.zip"))


@pytest.mark.parametrize("step", [7, pytest.param(1, marks=pytest.mark.accept)])
@pytest.mark.parametrize("name", [LINES, STATEMENT, "checkpoint", "proof.json"])
async def test_every_byte_counts(folder: Path, name: str, step: int) -> None:
    """Each byte in turn is another one, or each `step`th from a random one on; of the entries, a thirteenth of them."""
    content, step = (folder / name).read_bytes(), step * (13 if name == LINES else 1)
    for at in range(random.randrange(step), len(content), step):
        changed = bytearray(content)
        changed[at] ^= 1
        (folder / name).write_bytes(changed)
        with pytest.raises(NotProven):
            await verify_statement(folder, VERIFIER)
    (folder / name).write_bytes(content)
    assert (await verify_statement(folder, VERIFIER)).entries_count == 8


async def test_a_receipt_that_its_sender_left_out_is_found_in_the_log(tmp_path: Path) -> None:
    """The folder follows from the entries that it has; only the log has more."""
    folder, mirror, left_out = tmp_path / "proof", tmp_path / "mirror", 6
    await write_proof(RAW, "P0", "2005-01", folder, lambda index: index == left_out)
    await write_mirror(MemoryLog(RAW), mirror, VERIFIER)
    assert (await verify_statement(folder, VERIFIER)).entries_count == 7
    with pytest.raises(NotProven, match=f"entry {left_out} of partnership/P0 was left out"):
        await verify_statement(folder, VERIFIER, AuditSource(str(mirror), VERIFIER, None, None))


async def test_a_receipt_of_a_settled_period_that_was_left_out_is_found(tmp_path: Path) -> None:
    """The settlement in the log says what the period had."""
    raw = raw_entries(history(12, 1, closes=True))
    closing = parse_entry(len(raw) - 1, raw[-1])
    statement = next(iter(folded(parse_entry(index, entry) for index, entry in enumerate(raw)).rows(STATEMENT_TABLE)))
    settlement = make_event("settlement.issued", "platform", closing.subject, asdict(statement), "settlement")
    closes = make_event("revenue.period-closed", "health", closing.subject, {**closing.data, "period": "2005-02"}, "c")
    log = [*raw, *raw_entries([make_entry(len(raw), settlement), make_entry(len(raw) + 1, closes)])]
    await write_proof(log, "P0", "2005-02", tmp_path / "whole")
    assert (await verify_statement(tmp_path / "whole", VERIFIER)).entries_count == len(log)

    def is_left_out(index: int) -> bool:
        return index == 6

    with pytest.raises(SettlementDiffers):
        await write_proof(log, "P0", "2005-02", tmp_path / "nothing", is_left_out)
    await write_proof(log, "P0", "2005-02", tmp_path / "proof", is_left_out, stated=tmp_path / "whole")
    with pytest.raises(NotProven, match=f"entry i{len(raw)} settles P0 for 2005-01 .*: an earlier entry was left out"):
        await verify_statement(tmp_path / "proof", VERIFIER)


async def test_an_older_log_with_other_entries_is_not_the_same_log(tmp_path: Path) -> None:
    """It is too short to prove that it is the beginning of the folder's log."""
    folder = tmp_path / "proof"
    later = RAW[1].replace(b"2026-11-01T", b"2026-11-02T")
    await write_proof([*RAW, later], "P0", "2005-01", folder)

    async def against(name: str, entries: Sequence[bytes]) -> StatementProof:
        await write_mirror(MemoryLog(list(entries)), tmp_path / name, VERIFIER)
        source = AuditSource(str(tmp_path / name), VERIFIER, None, None)
        return await verify_statement(folder, VERIFIER, source)

    assert (await against("true", RAW)).is_complete
    receipt = RAW[4]
    other = receipt.replace(b'"receipts":1', b'"receipts":2')
    assert other != receipt
    with pytest.raises(NotProven, match="entry 4 of partnership/P0 is another one in that log"):
        await against("changed", [*RAW[:4], other, *RAW[5:]])
    stranger = receipt.replace(b"partnership/P0", b"partnership/P9")
    with pytest.raises(NotProven, match="entry 4 of partnership/P0 is not in that log"):
        await against("without", [*RAW[:4], stranger, *RAW[5:]])
