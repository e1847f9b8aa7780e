"""The programs in docs/audit.md verify a mirror and its texts, and find a changed one."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

from consumers.proof.audit.mirror import write_mirror
from infra.log.layout import tile_path
from tests.paths import ROOT
from tests.world.logs_with_texts import LogWithTexts, service_suspended, workshop_held
from tests.world.memory_log import KEY, MemoryLog, sample_entries

PROGRAM = re.findall(r"^```python\n(.*?)^```", (ROOT / "docs" / "audit.md").read_text(encoding="utf-8"), re.M | re.S)


def run(folder: Path, vkey: str = KEY.verifier.vkey) -> subprocess.CompletedProcess[str]:
    program, _ = PROGRAM
    return subprocess.run([sys.executable, "-c", program, str(folder), vkey], capture_output=True, text=True)


def test_the_program_of_the_page_verifies_a_mirror_and_finds_a_changed_one(tmp_path: Path) -> None:
    checkpoint, bundles = tmp_path / "checkpoint", tmp_path / "tile/entries"
    notes: dict[int, bytes] = {}
    for size in (5, 10, 200, 256, 300, 700):
        asyncio.run(write_mirror(MemoryLog(sample_entries(size)), tmp_path, KEY.verifier))
        assert run(tmp_path).stdout == f"{size} entries give the signed root\n"
        notes[size] = checkpoint.read_bytes()
    assert not (bundles / "000.p").exists()
    checkpoint.write_bytes(notes[200])
    assert run(tmp_path).stdout == "200 entries give the signed root\n", "an update was interrupted"
    checkpoint.write_bytes(notes[700])
    (bundles / "000.p").mkdir()
    (bundles / "000.p/5").write_bytes(b"nothing reads this")
    assert run(tmp_path).stdout == "700 entries give the signed root\n", "a part of an earlier width is still there"
    (bundles / "001").write_bytes((bundles / "001").read_bytes().replace(b'"n":300', b'"n":301'))
    assert "changed" in run(tmp_path).stderr
    assert "not signed by this key" in run(tmp_path, "other+00000000+AAAA").stderr


def test_the_program_reads_bundles_above_a_thousand(tmp_path: Path) -> None:
    """Numbers from 1000 on are in groups of three digits; a line of the program writes them."""
    program, _ = PROGRAM
    groups = program[program.index("    name, rest") : program.index("    width")]
    for number in (0, 999, 1000, 1_234_067):
        found: dict[str, Any] = {"number": number}
        exec(textwrap.dedent(groups), found)
        assert f"tile/entries/{found['name']}" == tile_path("entries", number)


def test_the_five_lines_for_texts_compare_each_with_its_hash(tmp_path: Path) -> None:
    _, program = PROGRAM
    assert len(program.split("\n\n")[-1].splitlines()) == 4, "and its imports"
    built = LogWithTexts().add(service_suspended("a", "Sara"), workshop_held("b", "Sara")).withhold(1, "place")
    asyncio.run(write_mirror(built.log, tmp_path, KEY.verifier))
    file = tmp_path / "texts/000"

    def said() -> list[str]:
        command = [sys.executable, "-c", program, str(file)]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()

    assert said() == ["0 reason True", "1 partners True", "1 place withheld"]
    file.write_text(file.read_text(encoding="utf-8").replace("leave", "leaVe"), encoding="utf-8")
    assert said()[0] == "0 reason False"
