"""What the commands of an auditor say of the texts beside the entries of a mirror."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from consumers.proof.audit.mirror import write_mirror
from consumers.proof.audit.texts import TextsHeld
from infra.command_line.exit_codes import ExitCode, exit_code
from infra.log.ports.bundle_texts import WrongText
from tests.unit.consumers.proof.commands.auditor import Auditor
from tests.world.logs_with_texts import LogWithTexts, service_suspended
from tests.world.memory_log import KEY

NAME = "Sara Alqahtani"


class Folder:
    """A mirror of a log with a text at entry 3, and who audits it."""

    def __init__(self, folder: Path) -> None:
        self.built = LogWithTexts().fill(3).add(service_suspended("s1", NAME)).fill(40)
        self.mirror = folder / "mirror"
        self.auditor = Auditor(folder)
        self.update()

    def update(self) -> None:
        asyncio.run(write_mirror(self.built.log, self.mirror, KEY.verifier))


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def test_a_proof_carries_the_texts_of_its_entry_in_a_file_beside_it(folder: Folder, tmp_path: Path) -> None:
    proof, texts = tmp_path / "3.tlog-proof", tmp_path / "3.texts.ndjson"
    document = folder.auditor.ok("prove", folder.mirror, "3", "--into", proof)
    assert [json.loads(text["text"])["en"] for text in document["texts"]] == [f"{NAME} is on leave"]
    assert [json.loads(line) for line in texts.read_text().splitlines()] == document["texts"]
    assert NAME not in proof.read_text()
    assert folder.auditor.ok("check", proof)["texts"] == {"count": 1, "withheld": 0, "lacking": 0, "held": []}
    assert "1 give their hashes" in folder.auditor.run("check", proof).output
    texts.write_text(texts.read_text().replace("leave", "leaVe"))
    assert "3.texts.ndjson" in folder.auditor.fails(WrongText, "check", proof)
    texts.write_text("{")
    assert "3.texts.ndjson" in folder.auditor.fails(WrongText, "check", proof)
    texts.unlink()
    assert folder.auditor.ok("check", proof)["texts"]["lacking"] == 1, "the proof holds without its text"
    plain = folder.auditor.ok("prove", folder.mirror, "4", "--into", tmp_path / "4.tlog-proof")
    assert "texts" not in plain
    assert not (tmp_path / "4.texts.ndjson").exists()
    assert "texts" not in folder.auditor.ok("check", tmp_path / "4.tlog-proof")


def test_verify_counts_texts_and_names_one_that_is_there_though_it_is_withheld(folder: Folder) -> None:
    texts = folder.mirror / "texts/000"
    before = texts.read_bytes()
    sound = {"count": 1, "withheld": 0, "lacking": 0, "held": []}
    assert folder.auditor.ok("verify", folder.mirror)["texts"] == sound
    folder.built.withhold(3, "reason")
    folder.update()
    assert folder.auditor.ok("verify", folder.mirror)["texts"] == {**sound, "count": 0, "withheld": 1}
    assert "1 are withheld" in folder.auditor.run("verify", folder.mirror).output
    texts.write_bytes(before)  # as from a copy of the folder
    result = folder.auditor.run("verify", folder.mirror, "--json")
    assert isinstance(result.exception, TextsHeld)
    assert exit_code(result.exception) == ExitCode.ANSWER_IS_NO
    document = json.loads(result.stdout)
    held = {"index": 3, "pointer": "/data/reason", "withheld_by": 40, "file": "texts/000"}
    assert (document["ok"], document["texts"]["held"]) == (False, [held])
    assert "/data/reason of entry 3 (texts/000)" in str(result.exception)
    folder.update()
    assert folder.auditor.ok("verify", folder.mirror)["ok"]
    texts.unlink()
    assert folder.auditor.ok("verify", folder.mirror)["texts"]["lacking"] == 1


def test_an_export_proven_again_has_the_texts_that_the_log_still_has(folder: Folder, tmp_path: Path) -> None:
    first, again = tmp_path / "first", tmp_path / "again"
    folder.auditor.ok("export", folder.mirror, "--to", "5", "--into", first)
    assert NAME in (first / "entries.ndjson").read_text()
    folder.built.withhold(3, "reason")
    folder.update()
    folder.auditor.ok("export", folder.mirror, "--again", first, "--into", again)
    assert NAME not in (again / "entries.ndjson").read_text() + (again / "texts.ndjson").read_text()
    assert "was withheld on 2026-11-25 by entry 40" in (again / "entries.ndjson").read_text()
    assert folder.auditor.ok("verify", again)["entries_count"] == 5
