"""Cosignatures are verified by transparency-dev's own code, and a changed one is refused by it as by ours."""

from __future__ import annotations

import random
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from infra.log.signed_note import LogKey
from infra.witnesses.cosignature import MlDsaKey, WitnessKey, cosign, cosigner_of
from tests.audit_go.auditor import go_program
from tests.every import every
from tests.world.memory_log import KEY, root_of, sample_entries

pytestmark = [pytest.mark.timeout(300), pytest.mark.xdist_group("audit_go")]  # built once

NOTE = KEY.sign_checkpoint(300, root_of(sample_entries(300)))
TEXT = NOTE.rpartition("\n\n")[0] + "\n"
KEYS: list[WitnessKey] = [
    LogKey("court.example/witness", b"1" * 32),
    MlDsaKey("bank.example/witness", b"2" * 32),
    MlDsaKey("guild.example/witness", b"3" * 32),
]


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return go_program(tmp_path_factory.mktemp("go"), Path(__file__).parent / "cosigned")


def accepts(program: Path, file: Path, note: str, keys: Sequence[WitnessKey]) -> bool:
    file.write_text(note)
    vkeys = [KEY.verifier.vkey, *(cosigner_of(key).vkey for key in keys)]
    done = subprocess.run([program, file, *vkeys], capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout) in ((0, "accepted\n"), (1, "")), done.stderr
    return done.returncode == 0


def test_our_cosignatures_are_accepted(program: Path, tmp_path: Path) -> None:
    note = NOTE + "".join(cosign(key, TEXT, 1_700_000_000) for key in KEYS)
    assert accepts(program, tmp_path / "note", note, KEYS)
    assert not accepts(program, tmp_path / "note", NOTE + cosign(KEYS[0], TEXT, 1_700_000_000), KEYS)


@every("key", KEYS[:2])
def test_one_changed_character_is_refused(program: Path, tmp_path: Path, key: WitnessKey) -> None:
    line = cosign(key, TEXT, 1_700_000_000)
    begin, chance = line.index(" ", 2) + 1, random.Random(1425)
    for at in chance.sample(range(begin, len(line) - 3), 20):
        changed = line[:at] + ("A" if line[at] != "A" else "B") + line[at + 1 :]
        assert not accepts(program, tmp_path / "note", NOTE + changed, [key]), changed
