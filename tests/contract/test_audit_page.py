"""The program in docs/audit.md verifies a mirror, and finds a changed one."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

from consumers.audit.layout import tile_path
from consumers.audit.mirror import write_mirror
from tests.paths import ROOT
from tests.world.memory_log import KEY, MemoryLog, sample_entries

PROGRAM = re.findall(r"^```python\n(.*?)^```", (ROOT / "docs" / "audit.md").read_text(encoding="utf-8"), re.M | re.S)


def run(folder: Path, vkey: str = KEY.verifier.vkey) -> subprocess.CompletedProcess[str]:
    (program,) = PROGRAM
    return subprocess.run([sys.executable, "-c", program, str(folder), vkey], capture_output=True, text=True)


def test_the_program_of_the_page_verifies_a_mirror(tmp_path: Path) -> None:
    asyncio.run(write_mirror(MemoryLog(sample_entries(700)), tmp_path, KEY.verifier))
    assert run(tmp_path).stdout == "700 entries give the signed root\n"
    file = tmp_path / "tile/entries/001"
    file.write_bytes(file.read_bytes().replace(b'"n":300', b'"n":301'))
    assert "changed" in run(tmp_path).stderr
    assert "not signed by this key" in run(tmp_path, "other+00000000+AAAA").stderr


def test_the_program_verifies_a_mirror_that_was_updated(tmp_path: Path) -> None:
    """A mirror may have a part of an earlier width beside the one that the checkpoint covers."""
    for size in (5, 10, 256, 300):
        asyncio.run(write_mirror(MemoryLog(sample_entries(size)), tmp_path, KEY.verifier))
        assert run(tmp_path).stdout == f"{size} entries give the signed root\n"
    earlier = tmp_path / "tile/entries/000.p/5"
    earlier.parent.mkdir(exist_ok=True)
    earlier.write_bytes(b"nothing reads this")
    assert run(tmp_path).stdout == "300 entries give the signed root\n"


def test_the_program_verifies_a_mirror_whose_update_was_interrupted(tmp_path: Path) -> None:
    """The full bundle is there already, the checkpoint that covers it is not."""
    asyncio.run(write_mirror(MemoryLog(sample_entries(200)), tmp_path, KEY.verifier))
    checkpoint = (tmp_path / "checkpoint").read_bytes()
    asyncio.run(write_mirror(MemoryLog(sample_entries(300)), tmp_path, KEY.verifier))
    assert not (tmp_path / "tile/entries/000.p").exists()
    (tmp_path / "checkpoint").write_bytes(checkpoint)
    assert run(tmp_path).stdout == "200 entries give the signed root\n"


def test_the_program_reads_bundles_above_a_thousand(tmp_path: Path) -> None:
    """Numbers from 1000 on are in groups of three digits; a line of the program writes them."""
    (program,) = PROGRAM
    groups = program[program.index("    name, rest") : program.index("    width")]
    for number in (0, 999, 1000, 1_234_067):
        found: dict[str, Any] = {"number": number}
        exec(textwrap.dedent(groups), found)
        assert f"tile/entries/{found['name']}" == tile_path("entries", number)
