"""The program in docs/audit.md verifies a mirror, and finds a changed one."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from pathlib import Path

from consumers.audit.mirror import write_mirror
from tests.paths import ROOT
from tests.unit.consumers.audit.memory_log import KEY, MemoryLog, sample_entries

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
