"""An export as the source of a command: policy and kept checkpoint count as for a log, and a part is not the whole."""

from __future__ import annotations

import asyncio
import re
import shutil
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest

from consumers.proof.audit import verify
from consumers.proof.audit.export import export
from consumers.proof.audit.mirror import write_mirror
from consumers.proof.audit.pinned_checkpoint import ForkedLog
from consumers.proof.audit.source import ChangedExport
from events.errors import Tampered
from infra.log.key_history import KeyHistory, sign_transition
from infra.log.ports.tree import WrongTime
from infra.log.signed_note import LogKey
from infra.witnesses.cosignature import cosigner_of
from infra.witnesses.policy import NotWitnessed
from tests.every import every
from tests.oracle.log import make_entry, make_event
from tests.unit.consumers.proof.commands.exports import ENTRIES, Holder, entry
from tests.world.entries import bytes_of
from tests.world.memory_log import KEY, MemoryLog

WITNESS = LogKey("court.example/witness", bytes(32))
NOT_SHOWN = "Not shown: that the log of this export"


FORK = [entry(0, "0.9"), *ENTRIES[1:]]


@pytest.fixture
def auditor(tmp_path: Path) -> Holder:
    return Holder(tmp_path)


def commands(folder: str) -> list[tuple[str, ...]]:
    return [("verify", folder), ("replay", folder, "--stdout"), ("completeness", folder)]


def explained(folder: str) -> tuple[str, ...]:
    return ("explain", "event-index.event", "1", "--from", folder)


def test_an_export_is_verified_as_one_and_what_it_cannot_answer_is_wrong_use(auditor: Holder) -> None:
    folder = auditor.export(ENTRIES, "service/S1")
    root = MemoryLog(ENTRIES).root.hex()
    assert auditor.ok("verify", folder) == {"entries_count": 4, "size": 8, "root": root, "ok": True}
    for asked in (("check", folder), ("prove", folder, "1"), ("mirror", f"{folder}-copy", "--from", folder)):
        result = auditor.run(*asked)
        assert (result.exit_code, "is an export" in result.output) == (2, True), result.exception
    lines = Path(folder, "entries.ndjson")
    lines.write_bytes(lines.read_bytes().replace(b"e3", b"e4"))
    assert folder in auditor.fails(ChangedExport, "verify", folder)
    for name in ("entries.ndjson", "checkpoint"):
        folder = auditor.export(ENTRIES)
        Path(folder, name).unlink()
        for command in commands(folder):
            assert name in auditor.fails(ChangedExport, *command)


def test_the_policy_counts_for_an_export(auditor: Holder) -> None:
    policy = auditor.folder / "policy"
    policy.write_text(f"witness court {cosigner_of(WITNESS).vkey}\nquorum court\n")
    sound, alone = auditor.export(ENTRIES, witness=WITNESS), auditor.export(ENTRIES)
    for accepted, refused in zip(commands(sound), commands(alone), strict=True):
        assert auditor.run(*accepted, "--policy", str(policy)).exit_code == 0
        assert "missing: court" in auditor.fails(NotWitnessed, *refused, "--policy", str(policy))


@every("accepted", [5, 8])
def test_an_export_of_another_history_is_refused(tmp_path_factory: pytest.TempPathFactory, accepted: int) -> None:
    auditor = Holder(tmp_path_factory.mktemp("auditor"))
    auditor.accept(ENTRIES[:accepted])
    sound, fork = auditor.export(ENTRIES), auditor.export(FORK)
    for command in (*commands(sound), explained(sound)):
        result = auditor.run(*command)
        assert (result.exit_code, result.stderr) == (0, "")
    for command in (*commands(fork), explained(fork)):
        assert "two histories" in auditor.fails(ForkedLog, *command)


LATER = LogKey(KEY.name, b"n" * 32)


@every(
    ("size", "subject", "accepted", "key"),
    [(8, "service/S1", 5, KEY), (5, "service/S1", 8, KEY), (5, None, 8, KEY), (5, None, 8, LATER)],
)
def test_where_an_export_cannot_show_that_it_continues_it_says_so(
    tmp_path_factory: pytest.TempPathFactory, size: int, subject: str | None, accepted: int, key: LogKey
) -> None:
    auditor = Holder(tmp_path_factory.mktemp("auditor"))
    auditor.accept(ENTRIES[:accepted], key)
    folder = auditor.export(ENTRIES[:size], subject)
    for command in (("verify", folder), ("replay", folder, "--stdout"), explained(folder)):
        result = auditor.run(*command)
        assert (result.exit_code, NOT_SHOWN in result.stderr) == (0, True), result.exception


def test_an_export_from_before_a_rotation_is_proven_again_as_its_verifier_advises(
    auditor: Holder, capsys: pytest.CaptureFixture[str]
) -> None:
    old, new, mirror = auditor.export(ENTRIES[:5], "service/S1"), str(auditor.folder / "new"), auditor.folder / "mirror"
    log, key, tree = MemoryLog(ENTRIES), LATER.verifier.vkey, (6, MemoryLog(ENTRIES[:6]).root)
    log.history = KeyHistory.of(KEY.verifier, [sign_transition(KEY, LATER, datetime(2026, 1, 1, tzinfo=UTC), tree)])
    log.note = LATER.sign_checkpoint(8, log.root)
    asyncio.run(write_mirror(log, mirror, KEY.verifier))
    Path(old, "statement.json").write_text("{}\n")
    for name in (None, "keys"):  # the file that says which keys followed does not make an older key's word a proof
        if name is not None:
            shutil.copyfile(mirror / name, Path(old, name))
        assert verify.main([old, key]) == verify.WRONG_USE
    advice = re.search("`yesser audit (export .*)`", capsys.readouterr().err)
    assert advice is not None
    words = {"ADDRESS": str(mirror), "FOLDER": old, "NEW-FOLDER": new, "VKEY": key}
    command = [words.get(word, word) for word in advice[1].split()]
    assert auditor.run(*command, vkey=None).exit_code == 0
    assert verify.main([new, key]) == verify.main([new, KEY.verifier.vkey]) == verify.OK
    said = capsys.readouterr().out
    assert "Not checked: statement.json." in said, "a verifier of entries checks no statement, and says so"
    assert f"yesser ledger verify-statement {new} --vkey {key}" in said
    shutil.rmtree(new)
    lines = Path(old, "entries.ndjson")
    lines.write_bytes(lines.read_bytes().replace(b'"e3', b'"e9'))
    assert isinstance(auditor.run(*command, vkey=None).exception, Tampered)
    assert auditor.run(*command, "--type", "service.launched", vkey=None).exit_code == 2


def test_missing_numbers_are_not_told_from_a_part_of_the_log(auditor: Holder) -> None:
    whole, part = auditor.export(ENTRIES), auditor.export(ENTRIES, "service/S1")
    assert auditor.run("completeness", whole).exit_code == 0
    page = auditor.folder / "page.html"
    for command in (
        ("completeness", part),
        ("completeness", part, "--html", str(page)),
        ("replay", part, "--into", "x"),
    ):
        result = auditor.run(*command)
        assert (result.exit_code, "4 of 8 entries" in result.output) == (2, True), result.exception
    assert not page.exists()


@pytest.mark.parametrize("indexes", [range(8), (1, 3, 5)])
def test_recorded_times_that_run_backwards_are_found_as_in_a_log(auditor: Holder, indexes: Sequence[int]) -> None:
    before = ENTRIES[3].replace(b"2026-11-25T08:00:00.000000Z", b"2026-11-24T08:00:00.000000Z", 1)
    log, folder = MemoryLog([*ENTRIES[:3], before, *ENTRIES[4:]]), auditor.folder / "backwards"

    async def chosen() -> AsyncIterator[tuple[int, bytes]]:
        for index in indexes:
            yield index, log.stored[index]

    async def write() -> None:  # as the holder of the log's key would
        await export(log, await log.checkpoint(), KEY.verifier, chosen(), folder)

    asyncio.run(write())
    found = auditor.run("verify", str(folder)).exception
    assert isinstance(found, WrongTime)
    assert str(found).startswith("entry 3 ")


def test_a_mirror_stays_a_mirror_whatever_is_put_into_its_folder(auditor: Holder) -> None:
    """An export of no entries would verify, and hide that a tile was changed."""
    mirror = auditor.folder / "mirror"
    asyncio.run(write_mirror(MemoryLog(ENTRIES), mirror, KEY.verifier))
    bundle = mirror / "tile/entries/000.p" / str(len(ENTRIES))
    bundle.write_bytes(bundle.read_bytes().replace(b'"e3"', b'"e9"'))
    none = Path(auditor.export(ENTRIES, subject="service/S9"))
    for name in ("proof.json", "entries.ndjson"):
        (mirror / name).write_bytes((none / name).read_bytes())
    for command in (("verify",), ("replay", "--stdout")):
        found = auditor.run(command[0], str(mirror), *command[1:]).exception
        assert isinstance(found, Tampered)


async def at_minutes(folder: Path, minutes: Sequence[tuple[int, str]]) -> None:
    """A mirror of entries recorded at these minutes of an hour, about services launched on these dates."""
    entries = []
    for number, (minute, on) in enumerate(minutes):
        event = make_event("service.launched", "health", "service/S1", {"service_id": "S1", "on": on}, f"e{number}")
        event |= {"specversion": "1.0", "sequence": f"{number + 1:020d}"}
        entries.append(bytes_of(make_entry(number, event, f"2026-11-25T08:{minute:02d}:00.000000Z")))
    await write_mirror(MemoryLog(entries), folder, KEY.verifier)


def test_entries_are_chosen_by_when_they_were_recorded_and_by_when_they_occurred(auditor: Holder) -> None:
    mirror = auditor.folder / "timed"
    asyncio.run(at_minutes(mirror, [(0, "2026-11-20"), (5, "2026-11-01"), (5, "2026-11-25"), (9, "2026-11-02")]))
    at_five = ("--until", "2026-11-25T11:05:00+03:00")

    def indexes(source: Path, *chosen: str) -> list[int]:
        lines = auditor.run("replay", str(source), "--stdout", *chosen).stdout.splitlines()
        return [orjson.loads(line)["index"] for line in lines]

    whole, part = auditor.folder / "whole", auditor.folder / "part"
    auditor.ok("export", str(mirror), "--into", str(whole))
    for source in (mirror, whole):
        assert indexes(source, *at_five) == [0, 1, 2]
        assert indexes(source, "--occurred", "2026-11-02") == [1, 3]
        assert indexes(source, *at_five, "--occurred", "2026-11-02", "--from", "1") == [1]
        assert indexes(source, "--until", "2026-11-25T07:00:00Z") == []
        replayed = auditor.ok("replay", str(source), "--into", str(auditor.folder / f"of {source.name}"), *at_five)
        assert replayed["log_index"] == 3
    assert auditor.ok("export", str(mirror), "--into", str(part), *at_five)["entries_count"] == 3
    told = auditor.run("replay", str(mirror), "--into", str(part / "models"), "--occurred", "2026-11-02")
    assert (told.exit_code, "--occurred" in told.output) == (2, True)
