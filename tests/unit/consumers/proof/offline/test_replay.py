"""What is folded is what was signed: a file beside it is not read, and one that changes meanwhile is found."""

from __future__ import annotations

import asyncio
from functools import cache
from pathlib import Path

import pytest

from consumers.proof.audit import verify
from consumers.proof.audit.mirror import write_mirror
from consumers.proof.audit.source import ChangedExport
from consumers.proof.offline.replay import replay_into
from infra.log.ports.port import MissingPart
from infra.log.ports.tree import WrongTree
from infra.log.signed_note import Checkpoint
from tests.world.logs import bundle_of, history_bytes
from tests.world.memory_log import KEY, MemoryLog

END = 280


@cache
def entries() -> list[bytes]:
    return history_bytes(61, 300)[:300]


def mirrored(folder: Path) -> Checkpoint:
    log = MemoryLog(entries())
    asyncio.run(write_mirror(log, folder, KEY.verifier))
    return asyncio.run(log.checkpoint())


def test_a_file_that_no_checkpoint_proves_is_not_folded(tmp_path: Path) -> None:
    checkpoint = mirrored(tmp_path / "mirror")
    invented = [*entries()[44:300]]
    (tmp_path / "mirror/tile/entries/001").write_bytes(bundle_of(invented))
    (tmp_path / "mirror/tile/entries/001.p/200").write_bytes(bundle_of(invented[:200]))
    found = replay_into(tmp_path / "mirror", checkpoint, tmp_path / "models", END)
    assert sum(row.rows for row in found) > END


def test_a_mirror_that_was_changed_after_it_was_proven_is_refused(tmp_path: Path) -> None:
    checkpoint = mirrored(tmp_path / "mirror")
    for number, name in ((END + 3, "001.p/44"), (3, "000")):
        file = tmp_path / "mirror/tile/entries" / name
        sound = file.read_bytes()
        changed = entries()[number].replace(b'"specversion"', b'"specversioN"')
        file.write_bytes(sound.replace(entries()[number], changed))
        with pytest.raises(WrongTree, match="changed while it was replayed"):
            replay_into(tmp_path / "mirror", checkpoint, tmp_path / "models", END)
        file.unlink()
        with pytest.raises(MissingPart, match="tile/entries/00"):
            replay_into(tmp_path / "mirror", checkpoint, tmp_path / "models", END)
        file.write_bytes(sound)


def test_an_export_that_was_changed_or_cut_after_it_was_proven_is_refused(tmp_path: Path) -> None:
    checkpoint = mirrored(tmp_path / "mirror")
    (tmp_path / "proof.json").write_text("{}")
    lines = [verify.row_line(index, raw, "") for index, raw in enumerate(entries())]
    other = verify.row_line(7, entries()[7].replace(b'"specversion"', b'"specversioN"'), "")
    for changed in (lines[:-1], lines[: END - 1], [], [*lines[:7], other, *lines[8:]], [*lines[:7], b"{}\n"]):
        (tmp_path / "entries.ndjson").write_bytes(b"".join(changed))
        with pytest.raises((WrongTree, ChangedExport), match=str(tmp_path)):
            replay_into(tmp_path, checkpoint, tmp_path / "models", END)
