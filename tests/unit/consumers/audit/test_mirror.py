"""A mirror is the log, whole and verifiable; it grows without rewriting, and any change in it is found."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from unittest.mock import Mock

import pytest

from consumers.audit.kept import ForkedLog
from consumers.audit.mirror import DamagedMirror, mirror_entries, signed_bundle, write_mirror
from consumers.audit.port import CorruptBatch, MirrorPort, MissingPart, NotThere
from consumers.audit.tree import WrongTime, WrongTree, require_tree
from events.errors import YesserError
from infra.log.merkle import leaf_hash
from infra.log.proofs import inclusion_proof
from tests.world.memory_log import FIRST_RECORDED, KEY, MemoryLog, large_log, sample_entries, sample_entry

ENTRIES = sample_entries(1_300)
LARGE = 66_000


async def mirrored(folder: Path, size: int) -> MirrorPort:
    await write_mirror(MemoryLog(ENTRIES[:size]), folder, KEY.verifier)
    return MirrorPort(folder, KEY.verifier)


def files(folder: Path) -> list[str]:
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


async def verified(port: MirrorPort) -> int:
    checkpoint = await port.checkpoint()
    await require_tree(port, checkpoint.size, checkpoint.root)
    return checkpoint.size


@pytest.mark.parametrize("size", [0, 1, 255, 256, 257, 513, LARGE])
async def test_a_mirror_verifies(tmp_path: Path, size: int) -> None:
    log = large_log() if size == LARGE else MemoryLog(ENTRIES[:size])
    await write_mirror(log, tmp_path, KEY.verifier)
    port = MirrorPort(tmp_path, KEY.verifier)
    assert await verified(port) == size
    assert (await port.checkpoint()).root == log.root


async def test_the_layout_is_that_of_the_specification(tmp_path: Path) -> None:
    await mirrored(tmp_path, 600)
    assert files(tmp_path) == [
        "checkpoint",
        "tile/0/000",
        "tile/0/001",
        "tile/0/002.p/88",
        "tile/1/000.p/2",
        "tile/entries/000",
        "tile/entries/001",
        "tile/entries/002.p/88",
    ]
    assert (tmp_path / "tile/0/000").stat().st_size == 8192


async def test_a_grown_mirror_is_the_same_as_a_new_one_and_keeps_its_full_tiles(tmp_path: Path) -> None:
    for size in (10, 300, 300, 511, 512, 600, 1000):
        report = await write_mirror(MemoryLog(ENTRIES[:size]), tmp_path / "grown", KEY.verifier)
    kept = (tmp_path / "grown/tile/0/000").stat().st_mtime_ns
    report = await write_mirror(MemoryLog(ENTRIES[:1030]), tmp_path / "grown", KEY.verifier)
    assert (tmp_path / "grown/tile/0/000").stat().st_mtime_ns == kept
    # The last full tile and the next partial one, of both kinds; level 1; the checkpoint.
    assert report["files_written"] == 6
    await write_mirror(MemoryLog(ENTRIES[:1030]), tmp_path / "new", KEY.verifier)
    new = {name: (tmp_path / "new" / name).read_bytes() for name in files(tmp_path / "new")}
    grown = {name: (tmp_path / "grown" / name).read_bytes() for name in new}
    assert grown == new


async def test_partial_tiles_go_when_the_full_one_is_there(tmp_path: Path) -> None:
    await mirrored(tmp_path, 200)
    await mirrored(tmp_path, 256)
    assert files(tmp_path) == ["checkpoint", "tile/0/000", "tile/1/000.p/1", "tile/entries/000"]


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


async def test_the_checkpoint_that_was_accepted_is_mirrored_and_no_other_is_asked_for(tmp_path: Path) -> None:
    accepted = await MemoryLog(ENTRIES[:300]).checkpoint()
    log = MemoryLog(ENTRIES[:400])
    log.note = MemoryLog([b"other", *ENTRIES[1:400]]).note
    report = await write_mirror(log, tmp_path, KEY.verifier, checkpoint=accepted)
    assert (report["size"], report["root"]) == (300, accepted.root.hex())
    assert await verified(MirrorPort(tmp_path, KEY.verifier)) == 300


async def test_the_mirror_stands_on_the_checkpoint_while_the_log_goes_on(tmp_path: Path) -> None:
    await write_mirror(MemoryLog(ENTRIES[:700], signed_size=530), tmp_path, KEY.verifier)
    assert await verified(MirrorPort(tmp_path, KEY.verifier)) == 530


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


async def test_a_wrong_entry_is_named(tmp_path: Path) -> None:
    port = await mirrored(tmp_path, 300)
    path = tmp_path / "tile/entries/001.p/44"
    path.write_bytes(path.read_bytes().replace(b'"n":260', b'"n":261'))
    with pytest.raises(WrongTree, match="entry 260 does not agree"):
        await verified(port)


async def fault_of(log: MemoryLog) -> str:
    with pytest.raises(WrongTree) as found:
        await require_tree(log, len(log.stored), log.root)
    return str(found.value)


async def test_the_first_of_several_wrong_entries_is_named() -> None:
    log = MemoryLog(ENTRIES[:600])
    for index in (300, 299, 599):
        log.stored[index] = b"changed"
    assert (await fault_of(log)).startswith("entry 299 does not agree with its stored hash")


async def test_an_entry_that_was_changed_with_its_hash_is_known_to_be_under_the_hash_above() -> None:
    log = MemoryLog(ENTRIES[:600])
    log.stored[300] = log.stored[590] = b"changed"
    log.levels[0][300] = leaf_hash(b"changed")
    assert (await fault_of(log)).startswith("one of the entries 256 to 511 was changed together with its stored hash")


async def test_entries_that_are_as_they_were_signed_are_not_blamed_for_a_changed_hash() -> None:
    for level, number in ((0, 3), (1, 0)):
        log = MemoryLog(ENTRIES[:600])
        log.levels[level][number] = bytes(32)
        fault = await fault_of(log)
        assert fault.startswith(f"stored hash {number} of level {level} was changed")
        assert fault.endswith("the entries are as they were signed")


async def test_what_was_changed_with_all_hashes_above_is_found_by_the_signature() -> None:
    changed = MemoryLog([*ENTRIES[:299], b"changed", *ENTRIES[300:600]])
    changed.root = MemoryLog(ENTRIES[:600]).root
    assert "entries and hashes were changed together after signing" in await fault_of(changed)


@pytest.mark.parametrize("name", ["tile/entries/000", "tile/0/001", "tile/1/000.p/2", "tile/entries/002.p/88"])
async def test_a_damaged_mirror_does_not_grow(tmp_path: Path, name: str) -> None:
    await mirrored(tmp_path, 600)
    file = tmp_path / name
    sound = file.read_bytes()
    file.write_bytes(sound[:40] + bytes([sound[40] ^ 1]) + sound[41:])
    for size in (600, 1000):
        with pytest.raises(DamagedMirror, match=name.partition(".")[0]):
            await mirrored(tmp_path, size)
    assert (await MirrorPort(tmp_path, KEY.verifier).checkpoint()).size == 600
    assert file.read_bytes() != sound, "what was changed is kept as evidence"


async def test_new_only_reads_none_of_the_files_that_are_there(tmp_path: Path) -> None:
    await mirrored(tmp_path, 600)
    (tmp_path / "tile/entries/000").write_bytes(b"damaged")
    await write_mirror(MemoryLog(ENTRIES[:1000]), tmp_path, KEY.verifier, new_only=True)
    with pytest.raises(CorruptBatch, match="tile/entries/000"):
        await verified(MirrorPort(tmp_path, KEY.verifier))


@pytest.mark.parametrize(
    ("damage", "named"),
    [
        (lambda file: file.unlink(), "tile/0/000"),
        (lambda file: file.write_bytes(b""), "tile/0/000"),
        (lambda file: file.write_bytes(file.read_bytes()[:-40]), "tile/0/000"),
        (lambda file: file.write_bytes(file.read_bytes() * 2), "tile/0/000"),
        (lambda file: file.write_bytes(b"x" + file.read_bytes()[1:]), "without --new-only"),
    ],
)
async def test_new_only_blames_the_folder_for_a_damaged_tile_that_it_needs(
    tmp_path: Path, damage: Callable[[Path], object], named: str
) -> None:
    await mirrored(tmp_path, 600)
    damage(tmp_path / "tile/0/000")
    with pytest.raises(DamagedMirror, match=named) as found:
        await write_mirror(MemoryLog(ENTRIES[:1000]), tmp_path, KEY.verifier, new_only=True)
    assert str(found.value).startswith(f"{tmp_path}: ")
    with pytest.raises(DamagedMirror, match="tile/0/000"):
        await mirrored(tmp_path, 1000)


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


@pytest.mark.parametrize("new_only", [False, True])
async def test_times_that_run_back_where_a_mirror_grows_are_found(tmp_path: Path, new_only: bool) -> None:
    await mirrored(tmp_path, 256)
    late = [*ENTRIES[:256], *(sample_entry(n, FIRST_RECORDED - timedelta(hours=1)) for n in range(256, 300))]
    with pytest.raises(WrongTime, match=r"^entry 256 "):
        await write_mirror(MemoryLog(late), tmp_path, KEY.verifier, new_only=new_only)
    assert (await MirrorPort(tmp_path, KEY.verifier).checkpoint()).size == 256


async def test_a_missing_file_is_named_and_a_folder_without_a_checkpoint_is_no_mirror(tmp_path: Path) -> None:
    with pytest.raises(NotThere, match="is this a mirror, or a log's address"):
        await MirrorPort(tmp_path, KEY.verifier).checkpoint()
    port = await mirrored(tmp_path, 300)
    (tmp_path / "tile/entries/000").unlink()
    with pytest.raises(NotThere, match="tile/entries/000"):
        await verified(port)


async def test_a_link_to_itself_and_a_failing_disk_are_damage_and_a_missing_right_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = await mirrored(tmp_path, 300)
    bundle = tmp_path / "tile/entries/000"
    bundle.unlink()
    bundle.symlink_to("000")
    with pytest.raises(CorruptBatch, match=r"tile/entries/000 cannot be read \(Too many levels"):
        await verified(port)
    for error, expected in ((OSError(5, "Input/output error"), CorruptBatch), (PermissionError(13, "no"), OSError)):
        monkeypatch.setattr(Path, "read_bytes", Mock(side_effect=error))
        with pytest.raises(expected):
            await verified(port)


async def test_a_log_whose_entry_was_changed_after_signing_is_not_mirrored(tmp_path: Path) -> None:
    log = MemoryLog(ENTRIES[:300])
    log.stored[7] = b"changed"
    with pytest.raises(WrongTree):
        await write_mirror(log, tmp_path, KEY.verifier)
    assert not (tmp_path / "checkpoint").exists()


async def test_a_log_that_signed_another_history_is_refused_and_the_mirror_stays(tmp_path: Path) -> None:
    await mirrored(tmp_path, 300)
    before = (tmp_path / "checkpoint").read_bytes()
    with pytest.raises(ForkedLog, match="two histories"):
        await write_mirror(MemoryLog([b"other", *ENTRIES[1:400]]), tmp_path, KEY.verifier)
    assert (tmp_path / "checkpoint").read_bytes() == before


async def test_a_log_that_lost_its_tail_is_refused(tmp_path: Path) -> None:
    await mirrored(tmp_path, 300)
    with pytest.raises(ForkedLog, match="lost its tail"):
        await mirrored(tmp_path, 200)


async def test_entries_are_read_back_from_any_index_and_proofs_are_made_from_a_mirror(tmp_path: Path) -> None:
    port = await mirrored(tmp_path, 600)
    for first in (0, 1, 255, 256, 300, 599, 600, 1000):
        assert [entry async for entry in mirror_entries(tmp_path, first)] == ENTRIES[first:600], first
    assert await inclusion_proof(port, 300, 600) == await inclusion_proof(MemoryLog(ENTRIES[:600]), 300, 600)


async def test_progress_ends_at_the_size(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    await write_mirror(MemoryLog(ENTRIES[:600]), tmp_path, KEY.verifier, lambda done, total: seen.append((done, total)))
    assert seen[-1] == (600, 600)
