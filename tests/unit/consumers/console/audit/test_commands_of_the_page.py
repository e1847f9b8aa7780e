"""The commands that the audit room prints work as they stand, at the address that readers have."""

from __future__ import annotations

import asyncio
import re
import shlex
from html import unescape
from pathlib import Path

from consumers.documents.log.entries import LogState
from infra.settings import Settings
from tests.unit.consumers.proof.commands.elsewhere import served
from tests.unit.consumers.proof.commands.exports import ENTRIES
from tests.world.memory_log import KEY
from tests.world.pages import OFFICE, Documents, page

PUBLIC = "https://gateway.example"


def test_the_log_is_taken_away_by_the_commands_that_the_page_prints(tmp_path: Path) -> None:
    log = LogState(size=8, recorded=None, checkpoint=None, cosigned=None, rotations=())
    documents = Documents(lambda name, _: log)
    shown = asyncio.run(
        page(OFFICE, "/audit", "en", read_api=documents, settings=Settings(public_address=f"{PUBLIC}/"))
    )
    assert f'href="{PUBLIC}/log/0/checkpoint"' in shown.text
    blocks = re.findall(r"<pre[^>]*>(.*?)</pre>", shown.text, re.DOTALL)
    lines = [line for block in blocks for line in unescape(block).splitlines() if PUBLIC in line]
    assert [line.split()[2] for line in lines] == ["mirror", "export"]
    (tmp_path / "token").write_text("a-token")
    with served(tmp_path) as elsewhere:
        elsewhere.grow(ENTRIES)
        names = {"VKEY": KEY.verifier.vkey, "FILE": str(tmp_path / "token"), f"{PUBLIC}/log/0/": elsewhere.address}
        for line in lines:
            folder = tmp_path / line.split()[2]
            own = names | {"FOLDER": str(folder), "NEW-FOLDER": str(folder)}
            done = elsewhere.run(*(own.get(word, word) for word in shlex.split(line)[2:]), vkey=None)
            assert (done.exit_code, "8 " in done.output) == (0, True), (line, done.output)
