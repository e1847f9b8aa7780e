"""A mirror is the log, whole and verifiable; it grows without rewriting, and any change in it is found."""

from __future__ import annotations

import shutil
from contextlib import nullcontext
from datetime import timedelta
from itertools import product
from pathlib import Path
from unittest.mock import Mock

import pytest

from consumers.proof.audit.mirror import DamagedMirror, mirror_entries, signed_bundle, write_mirror
from consumers.proof.audit.pinned_checkpoint import ForkedLog
from consumers.proof.audit.port import CorruptBatch, MirrorPort
from events.errors import YesserError
from infra.command_line.exit_codes import ExitCode, exit_code
from infra.log.key_history import KeyHistory, sign_transition
from infra.log.merkle import leaf_hash
from infra.log.ports.port import MissingPart, NotThere
from infra.log.ports.tree import WrongTime, WrongTree, require_tree
from infra.log.proofs import inclusion_proof
from infra.log.signed_note import LogKey
from tests.every import every
from tests.world.memory_log import (
    FIRST_RECORDED,
    KEY,
    MemoryLog,
    large_log,
    root_of,
    sample_entries,
    sample_entry,
    verified,
)

ENTRIES = sample_entries(1_300)
LARGE = 66_000


async def mirrored(folder: Path, size: int) -> MirrorPort:
    await write_mirror(MemoryLog(ENTRIES[:size]), folder, KEY.verifier)
    return MirrorPort(folder, KEY.verifier)


def files(folder: Path) -> list[str]:
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


@every("size", [0, 1, 255, 256, 257, 513, LARGE])
async def test_a_mirror_verifies(tmp_path: Path, size: int) -> None:
    log = large_log() if size == LARGE else MemoryLog(ENTRIES[:size])
    await write_mirror(log, tmp_path / str(size), KEY.verifier)
    port = MirrorPort(tmp_path / str(size), KEY.verifier)
    assert await verified(port) == size
    assert (await port.checkpoint()).root == log.root


async def test_the_layout_is_that_of_the_specification(tmp_path: Path) -> None:
    await mirrored(tmp_path / "whole", 600)
    levels = ["tile/0/000", "tile/0/001", "tile/0/002.p/88", "tile/1/000.p/2"]
    bundles = ["tile/entries/000", "tile/entries/001", "tile/entries/002.p/88"]
    assert files(tmp_path / "whole") == ["checkpoint", *levels, *bundles]
    assert (tmp_path / "whole/tile/0/000").stat().st_size == 8192
    for size in (200, 256):
        await mirrored(tmp_path / "grown", size)
    full = ["checkpoint", "tile/0/000", "tile/1/000.p/1", "tile/entries/000"]
    assert files(tmp_path / "grown") == full, "partial tiles go when the full one is there"


async def test_a_grown_mirror_is_the_same_as_a_new_one_and_keeps_its_full_tiles(tmp_path: Path) -> None:
    for size in (10, 300, 300, 511, 512, 600, 1000):
        report = await write_mirror(MemoryLog(ENTRIES[:size]), tmp_path / "grown", KEY.verifier)
    kept = (tmp_path / "grown/tile/0/000").stat().st_mtime_ns
    seen: list[int] = []
    log = MemoryLog(ENTRIES[:1030])
    report = await write_mirror(log, tmp_path / "grown", KEY.verifier, lambda done, _: seen.append(done))
    assert seen[-1] == 1030
    assert (tmp_path / "grown/tile/0/000").stat().st_mtime_ns == kept
    # The last full tile and the next partial one, of both kinds; level 1; the checkpoint.
    assert report["files_written"] == 6
    await write_mirror(MemoryLog(ENTRIES[:1030]), tmp_path / "new", KEY.verifier)
    new = {name: (tmp_path / "new" / name).read_bytes() for name in files(tmp_path / "new")}
    grown = {name: (tmp_path / "grown" / name).read_bytes() for name in new}
    assert grown == new


async def test_who_reads_under_an_earlier_checkpoint_still_finds_its_tiles(tmp_path: Path) -> None:
    reader = await mirrored(tmp_path, 5)
    before = await reader.checkpoint()
    for size in (10, 200, 300):
        await mirrored(tmp_path, size)
        await require_tree(reader, before.size, before.root)
    assert await verified(MirrorPort(tmp_path, KEY.verifier)) == 300


async def test_what_is_read_of_a_bundle_is_what_the_checkpoint_proves(tmp_path: Path) -> None:
    await mirrored(tmp_path, 5)
    for name in ("tile/entries/000", "tile/entries/000.p/200"):
        (tmp_path / name).write_bytes(b"".join(len(e).to_bytes(2, "big") + e for e in ENTRIES[1000:1256]))
    assert signed_bundle(tmp_path, 0, 5) == ENTRIES[:5]
    (tmp_path / "tile/entries/000.p/5").unlink()
    assert signed_bundle(tmp_path, 0, 5) == ENTRIES[1000:1005], "the full one stands for the partial one"
    (tmp_path / "tile/entries/000").write_bytes(b"")
    with pytest.raises(CorruptBatch, match="tile/entries/000"):
        signed_bundle(tmp_path, 0, 5)
    (tmp_path / "tile/entries/000").unlink()
    with pytest.raises(MissingPart, match=r"tile/entries/000\.p/5"):
        signed_bundle(tmp_path, 0, 5)


async def test_the_mirror_stands_on_the_checkpoint_that_was_accepted_while_the_log_goes_on(tmp_path: Path) -> None:
    accepted = await MemoryLog(ENTRIES[:300]).checkpoint()
    log = MemoryLog(ENTRIES[:400])
    log.note = MemoryLog([b"other", *ENTRIES[1:400]]).note
    report = await write_mirror(log, tmp_path / "accepted", KEY.verifier, checkpoint=accepted)
    assert (report["size"], report["root"]) == (300, accepted.root.hex())
    assert await verified(MirrorPort(tmp_path / "accepted", KEY.verifier)) == 300
    await write_mirror(MemoryLog(ENTRIES[:700], signed_size=530), tmp_path / "newest", KEY.verifier)
    assert await verified(MirrorPort(tmp_path / "newest", KEY.verifier)) == 530


async def test_every_flipped_bit_that_matters_is_found(tmp_path: Path) -> None:
    port = await mirrored(tmp_path, 300)
    for name in files(tmp_path):
        path = tmp_path / name
        sound = path.read_bytes()
        for at in range(0, len(sound), max(1, len(sound) // 40)):
            path.write_bytes(sound[:at] + bytes([sound[at] ^ 1 << at % 8]) + sound[at + 1 :])
            with pytest.raises(YesserError):
                await verified(port)
        path.write_bytes(sound)
    assert await verified(port) == 300


async def fault_of(log: MemoryLog) -> str:
    with pytest.raises(WrongTree) as found:
        await require_tree(log, len(log.stored), log.root)
    return str(found.value)


async def test_what_was_changed_is_named_as_narrowly_as_it_can_be_known() -> None:
    sound = MemoryLog(ENTRIES[:600])
    log = sound.copy()
    for index in (300, 299, 599):
        log.stored[index] = b"changed"
    assert (await fault_of(log)).startswith("entry 299 does not agree with its stored hash"), "the first of several"
    log = sound.copy()
    log.stored[300] = log.stored[590] = b"changed"
    log.levels[0][300] = leaf_hash(b"changed")
    assert (await fault_of(log)).startswith("one of the entries 256 to 511 was changed together with its stored hash")
    for level, number in ((0, 3), (1, 0)):
        log = sound.copy()
        log.levels[level][number] = bytes(32)
        fault = await fault_of(log)
        assert fault.startswith(f"stored hash {number} of level {level} was changed")
        assert fault.endswith("the entries are as they were signed")
    log = MemoryLog([*ENTRIES[:299], b"changed", *ENTRIES[300:600]])
    log.root = sound.root
    assert "entries and hashes were changed together after signing" in await fault_of(log)


async def test_a_damaged_mirror_is_found_as_a_source_and_does_not_grow(tmp_path: Path) -> None:
    port = await mirrored(tmp_path, 600)
    for name, damage in product(files(tmp_path), ("bit", "cut", "gone")):
        if (name, damage) == ("checkpoint", "gone"):
            continue  # a folder without a checkpoint is no mirror, and is filled anew
        file = tmp_path / name
        sound = file.read_bytes()
        file.unlink()
        if damage != "gone":
            file.write_bytes(sound[:-1] if damage == "cut" else sound[:40] + bytes([sound[40] ^ 1]) + sound[41:])
        before = files(tmp_path)
        for grows_to in (None, 600, 1000):
            with pytest.raises(YesserError, match=name.partition(".")[0]) as found:
                await (verified(port) if grows_to is None else mirrored(tmp_path, grows_to))
            assert exit_code(found.value) == ExitCode.TAMPERED
        assert files(tmp_path) == before
        assert damage == "gone" or file.read_bytes() != sound, "what was changed is kept as evidence"
        file.write_bytes(sound)
    assert await verified(port) == 600


async def test_new_only_reads_none_of_the_files_that_are_there_but_a_tile_that_it_needs(tmp_path: Path) -> None:
    await mirrored(tmp_path, 600)
    log, tile = MemoryLog(ENTRIES[:1000]), tmp_path / "tile/0/000"
    sound = tile.read_bytes()
    for damaged, named in (
        (None, "tile/0/000"),
        (b"", "tile/0/000"),
        (sound[:-40], "tile/0/000"),
        (sound * 2, "tile/0/000"),
        (b"x" + sound[1:], "without --new-only"),
    ):
        tile.unlink()
        if damaged is not None:
            tile.write_bytes(damaged)
        with pytest.raises(DamagedMirror, match=named) as found:
            await write_mirror(log, tmp_path, KEY.verifier, new_only=True)
        assert str(found.value).startswith(f"{tmp_path}: "), "the folder is to blame"
        with pytest.raises(DamagedMirror, match="tile/0/000"):
            await mirrored(tmp_path, 1000)
        tile.write_bytes(sound)
    (tmp_path / "tile/entries/000").write_bytes(b"damaged")
    await write_mirror(log, tmp_path, KEY.verifier, new_only=True)
    with pytest.raises(CorruptBatch, match="tile/entries/000"):
        await verified(MirrorPort(tmp_path, KEY.verifier))


async def test_a_folder_that_lies_among_partial_tiles_is_left_there(tmp_path: Path) -> None:
    await mirrored(tmp_path, 600)
    (tmp_path / "tile/0/002.p/mine").mkdir()
    await mirrored(tmp_path, 1000)
    assert [file.name for file in (tmp_path / "tile/0/002.p").iterdir()] == ["mine"]


async def test_files_beyond_the_checkpoint_are_written_again(tmp_path: Path) -> None:
    """A mirror that was interrupted has left them, and nothing says that they are whole."""
    await mirrored(tmp_path / "whole", 1000)
    await mirrored(tmp_path / "cut", 600)
    for name in ("tile/entries/002", "tile/0/002"):
        (tmp_path / "cut" / name).write_bytes(bytes(100))
        (tmp_path / "cut" / name).with_name("002.p").joinpath("88").unlink(missing_ok=True)
        shutil.copy(tmp_path / "whole" / name, tmp_path / "cut" / name)
    (tmp_path / "cut/tile/entries/003").write_bytes(b"half of it")
    port = await mirrored(tmp_path / "cut", 1030)
    assert await verified(port) == 1030


async def test_times_that_run_back_where_a_mirror_grows_are_found(tmp_path: Path) -> None:
    await mirrored(tmp_path, 256)
    late = [*ENTRIES[:256], *(sample_entry(n, FIRST_RECORDED - timedelta(hours=1)) for n in range(256, 300))]
    for new_only in (False, True):
        with pytest.raises(WrongTime, match=r"^entry 256 "):
            await write_mirror(MemoryLog(late), tmp_path, KEY.verifier, new_only=new_only)
    assert (await MirrorPort(tmp_path, KEY.verifier).checkpoint()).size == 256


async def test_what_cannot_be_read_is_damage_but_for_a_right(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NotThere, match="is this a mirror, or a log's address"):
        await MirrorPort(tmp_path, KEY.verifier).checkpoint()
    port = await mirrored(tmp_path, 300)
    bundle = tmp_path / "tile/entries/000"
    bundle.unlink()
    with pytest.raises(NotThere, match="tile/entries/000"):
        await verified(port)
    bundle.symlink_to("000")  # to itself
    with pytest.raises(CorruptBatch, match=r"tile/entries/000 cannot be read \(Too many levels"):
        await verified(port)
    for error, expected in ((OSError(5, "Input/output error"), CorruptBatch), (PermissionError(13, "no"), OSError)):
        monkeypatch.setattr(Path, "read_bytes", Mock(side_effect=error))
        with pytest.raises(expected):
            await verified(port)


async def test_a_log_that_was_changed_forked_or_lost_its_tail_is_refused_and_the_mirror_stays(tmp_path: Path) -> None:
    changed = MemoryLog(ENTRIES[:300])
    changed.stored[7] = b"changed"
    with pytest.raises(WrongTree):
        await write_mirror(changed, tmp_path, KEY.verifier)
    assert not (tmp_path / "checkpoint").exists()
    await mirrored(tmp_path, 300)
    before = (tmp_path / "checkpoint").read_bytes()
    with pytest.raises(ForkedLog, match="two histories"):
        await write_mirror(MemoryLog([b"other", *ENTRIES[1:400]]), tmp_path, KEY.verifier)
    with pytest.raises(ForkedLog, match="lost its tail"):
        await mirrored(tmp_path, 200)
    assert (tmp_path / "checkpoint").read_bytes() == before


async def test_a_log_with_other_rotations_is_a_fork_though_its_entries_are_alike(tmp_path: Path) -> None:
    for seed, is_first in ((b"n", True), (b"m", False)):
        log, key = MemoryLog(ENTRIES[:300]), LogKey(KEY.name, seed * 32)
        step = sign_transition(KEY, key, FIRST_RECORDED, (200, root_of(ENTRIES[:200])))
        log.history, log.note = KeyHistory.of(KEY.verifier, [step]), key.sign_checkpoint(300, log.root)
        with nullcontext() if is_first else pytest.raises(ForkedLog, match="two histories"):
            await write_mirror(log, tmp_path, KEY.verifier)


async def test_entries_are_read_back_from_any_index_and_proofs_are_made_from_a_mirror(tmp_path: Path) -> None:
    port = await mirrored(tmp_path, 600)
    for first in (0, 1, 255, 256, 300, 599, 600, 1000):
        assert [entry async for entry in mirror_entries(tmp_path, first)] == ENTRIES[first:600], first
    assert await inclusion_proof(port, 300, 600) == await inclusion_proof(MemoryLog(ENTRIES[:600]), 300, 600)
