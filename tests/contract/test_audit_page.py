"""The program in docs/audit.md verifies a mirror, and finds a changed one."""

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
from tests.world.memory_log import KEY, MemoryLog, sample_entries

PROGRAM = re.findall(r"^```python\n(.*?)^```", (ROOT / "docs" / "audit.md").read_text(encoding="utf-8"), re.M | re.S)


def run(folder: Path, vkey: str = KEY.verifier.vkey) -> subprocess.CompletedProcess[str]:
    (program,) = PROGRAM
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
    (program,) = PROGRAM
    groups = program[program.index("    name, rest") : program.index("    width")]
    for number in (0, 999, 1000, 1_234_067):
        found: dict[str, Any] = {"number": number}
        exec(textwrap.dedent(groups), found)
        assert f"tile/entries/{found['name']}" == tile_path("entries", number)
