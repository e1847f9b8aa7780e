"""A Go program on golang.org/x/mod's tlog and note accepts our mirror, and refuses it after one flipped bit."""

from __future__ import annotations

import random
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from consumers.proof.audit.mirror import write_mirror
from infra.log.key_history import KeyHistory, sign_transition
from infra.log.signed_note import LogKey, checkpoint_text, sign_note
from tests.audit_go.auditor import Auditor, built
from tests.every import every
from tests.world.logs_with_texts import LogWithTexts, service_suspended, workshop_held
from tests.world.memory_log import KEY, MemoryLog, root_of, sample_entries

pytestmark = [pytest.mark.timeout(300), pytest.mark.xdist_group("audit_go")]  # built once

FLIPS_PER_FILE = 12


@pytest.fixture(scope="module")
def auditor(tmp_path_factory: pytest.TempPathFactory) -> Auditor:
    return built(tmp_path_factory.mktemp("go"))


def files_of(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


@every("size", [0, 1, 255, 256, 257, 700, 65_536, 65_800])
async def test_the_mirror_is_accepted(auditor: Auditor, tmp_path: Path, size: int) -> None:
    folder = tmp_path / str(size)
    await write_mirror(MemoryLog(sample_entries(size)), folder, KEY.verifier)
    assert auditor.refuses(folder) is None


async def test_one_flipped_bit_in_any_file_and_a_missing_one_are_refused(auditor: Auditor, tmp_path: Path) -> None:
    entries, folder = sample_entries(700), tmp_path / "new"
    for size in (3, 300, 512, 700):
        await write_mirror(MemoryLog(entries[:size]), tmp_path / "grown", KEY.verifier)
        assert auditor.refuses(tmp_path / "grown") is None, size
    await write_mirror(MemoryLog(entries), folder, KEY.verifier)
    chance = random.Random(1425)
    for path in files_of(folder):
        name, sound = path.relative_to(folder), path.read_bytes()
        for _ in range(FLIPS_PER_FILE):
            bit = chance.randrange(8 * len(sound))
            changed = bytearray(sound)
            changed[bit // 8] ^= 1 << bit % 8
            path.write_bytes(changed)
            assert auditor.refuses(folder), f"bit {bit} of {name}"
        path.unlink()
        assert auditor.refuses(folder), f"{name} is missing"
        path.write_bytes(sound)
    assert auditor.refuses(folder) is None


async def test_entries_with_texts_are_accepted_and_each_text_gives_its_hash(auditor: Auditor, tmp_path: Path) -> None:
    built = LogWithTexts().fill(250).add(service_suspended("a", "Sara"), workshop_held("b", "Sara")).fill(300)
    mirror = tmp_path / "mirror"
    await write_mirror(built.log, mirror, KEY.verifier)
    earlier = tmp_path / "earlier"
    shutil.copy(mirror / "checkpoint", earlier)
    assert auditor.refuses(mirror) is None
    texts = mirror / "texts/000"
    sound = texts.read_text(encoding="utf-8")
    for changed in (sound.replace("leave", "leaVe"), sound.replace('"reason"', '"place"')):
        texts.write_text(changed, encoding="utf-8")
        assert "texts/000" in (auditor.refuses(mirror) or "")
    texts.write_text(sound, encoding="utf-8")
    await write_mirror(built.withhold(250, "reason").log, mirror, KEY.verifier)
    assert auditor.refuses(mirror, earlier=[earlier]) is None, "what was proven before is proven without the text"
    shutil.rmtree(mirror / "texts")
    assert auditor.refuses(mirror) is None


async def test_continued_checkpoints_are_accepted_and_another_one_is_refused(auditor: Auditor, tmp_path: Path) -> None:
    entries = sample_entries(700)
    log = MemoryLog(entries)
    await write_mirror(log, tmp_path / "mirror", KEY.verifier)
    earlier = []
    for size in (0, 1, 300, 512, 700):
        earlier.append(tmp_path / f"{size}")
        await write_mirror(MemoryLog(entries[:size]), tmp_path / f"mirror-{size}", KEY.verifier)
        shutil.copy(tmp_path / f"mirror-{size}" / "checkpoint", earlier[-1])
    assert auditor.refuses(tmp_path / "mirror", earlier=earlier) is None
    for size in (512, 700, 701):
        forked = tmp_path / "forked"
        forked.write_text(KEY.sign_checkpoint(size, bytes(32)))
        assert "forked" in (auditor.refuses(tmp_path / "mirror", earlier=[forked]) or ""), size


async def test_in_an_overlap_both_keys_count_and_no_other_of_their_name(auditor: Auditor, tmp_path: Path) -> None:
    new, until = LogKey(KEY.name, b"n" * 32), datetime(2026, 1, 1, tzinfo=UTC)
    log = MemoryLog(sample_entries(700))
    log.history = KeyHistory.of(KEY.verifier, [sign_transition(KEY, new, until, (300, root_of(log.stored[:300])))])
    log.note = sign_note(checkpoint_text(KEY.name, 700, log.root), [new, KEY])
    await write_mirror(log, tmp_path / "overlap", KEY.verifier)
    assert auditor.refuses(tmp_path / "overlap", KEY.verifier.vkey) is None
    assert auditor.refuses(tmp_path / "overlap", new.verifier.vkey) is None
    other = LogKey(KEY.name, bytes(32)).verifier.vkey
    assert "checkpoint" in (auditor.refuses(tmp_path / "overlap", other) or "")
    log.note = sign_note(checkpoint_text(KEY.name, 700, log.root), [new])
    await write_mirror(log, tmp_path / "after", KEY.verifier)
    assert "checkpoint" in (auditor.refuses(tmp_path / "after", KEY.verifier.vkey) or "")
    assert auditor.refuses(tmp_path / "after", new.verifier.vkey) is None
