"""A mirror keeps the texts of its entries while the log has them, and none that the log withholds."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec import UNSET
from msgspec.structs import replace

from consumers.proof.audit.mirror import write_mirror
from consumers.proof.audit.port import CorruptBatch, MirrorPort
from consumers.proof.audit.texts import HeldText, TextsHeld, TextsReport, WatchedLog
from events.wire.entry import entry_bytes
from infra.log.layout import texts_path
from infra.log.ports.bundle_texts import BundleText, WrongText, parse_texts, text_lines
from infra.log.ports.port import LogPort
from infra.log.ports.tree import require_tree
from tests.every import every
from tests.world.logs_with_texts import LogWithTexts, service_suspended, workshop_held
from tests.world.memory_log import KEY, MemoryLog
from tests.world.records import RECORDED, withheld

NAME = "Sara Alqahtani"


def log_with_texts() -> LogWithTexts:
    """Three bundles; texts in the first and the second."""
    built = LogWithTexts().fill(10).add(service_suspended("s1", NAME), workshop_held("w1", NAME)).fill(300)
    return built.add(service_suspended("s2", "Nora")).fill(520)


async def mirrored(folder: Path, log: LogPort, *, new_only: bool = False) -> Path:
    await write_mirror(log, folder, KEY.verifier, new_only=new_only)
    return folder


async def report(log: LogPort) -> TextsReport | None:
    watched = WatchedLog(log)
    checkpoint = await watched.checkpoint()
    await require_tree(watched, checkpoint.size, checkpoint.root)
    return await watched.report()


async def verified(folder: Path) -> TextsReport | None:
    return await report(MirrorPort(folder, KEY.verifier))


def files_with(folder: Path, name: str = NAME) -> list[str]:
    """The files that hold these bytes."""
    return sorted(
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_file() and name.encode() in path.read_bytes()
    )


def texts_of(folder: Path, number: int = 0) -> list[BundleText]:
    return parse_texts((folder / texts_path(number)).read_bytes())


async def test_texts_stand_beside_their_bundles_and_a_log_without_any_has_no_file(tmp_path: Path) -> None:
    built = log_with_texts()
    folder = await mirrored(tmp_path / "mirror", built.log)
    assert files_with(folder) == ["texts/000"]
    assert [text.key for text in texts_of(folder)] == [(10, "reason"), (11, "partners"), (11, "place")]
    assert texts_of(folder, 1) == [built.texts[300, "reason"]]
    assert not (folder / "texts/002").exists()
    assert await verified(folder) == TextsReport(4, 0, 0, [])
    plain = await mirrored(tmp_path / "plain", LogWithTexts().fill(300).log)
    assert not (plain / "texts").exists()
    assert await verified(plain) is None


@every("new_only", [False, True])
async def test_what_is_withheld_later_is_deleted_at_the_next_run_however_late(tmp_path: Path, new_only: bool) -> None:
    built = log_with_texts()
    tests = tmp_path / str(new_only)
    before, between = tests / "before", tests / "between"
    await mirrored(before, built.log)
    left = before / "texts/.000.4711"
    left.write_bytes((before / "texts/000").read_bytes())
    built.withhold(10, "reason").fill(700)
    await mirrored(between, built.log)
    built.withhold(11, "place").withhold(11, "partners").fill(1_000)
    after = await mirrored(tests / "after", built.log)
    for folder in (before, between, after):
        await mirrored(folder, built.log, new_only=new_only)
        assert files_with(folder) == []
        assert texts_of(folder) == [built.texts[10, "reason"], built.texts[11, "partners"], built.texts[11, "place"]]
        assert await verified(folder) == TextsReport(1, 3, 0, [])
        assert files_with(folder, "Nora") == ["texts/001"], "nothing else is missing"
    assert not left.exists()


async def test_a_source_that_refuses_to_forget_cannot_bring_a_text_back(tmp_path: Path) -> None:
    built = log_with_texts()
    old = built.texts[10, "reason"]
    built.withhold(10, "reason")
    honest = built.log
    shown = built.texts[10, "reason"]
    built.texts[10, "reason"] = old
    folder = await mirrored(tmp_path / "mirror", built.log)
    assert texts_of(folder)[0] == shown
    assert await verified(folder) == TextsReport(3, 1, 0, [])
    found = await report(built.log)
    held = HeldText(10, "/data/reason", len(built.entries) - 1, "texts/000")
    assert found == TextsReport(4, 0, 0, [held])
    with pytest.raises(TextsHeld, match=r"/data/reason of entry 10 \(texts/000\)"):
        found.require_none_held("here")
    assert await report(honest) == TextsReport(3, 1, 0, [])


async def test_a_mirror_that_lacks_texts_says_so_and_takes_them_from_a_source_that_has_them(tmp_path: Path) -> None:
    built = log_with_texts()
    poor = built.log
    poor.stored_texts = []
    folder = await mirrored(tmp_path / "mirror", poor)
    assert await verified(folder) == TextsReport(0, 0, 4, [])
    await mirrored(folder, built.log)
    assert await verified(folder) == TextsReport(4, 0, 0, [])


async def test_who_says_withheld_without_an_entry_that_withholds_is_not_believed(tmp_path: Path) -> None:
    built = log_with_texts()
    log = MemoryLog(built.entries)
    built.withhold(10, "reason")
    log.stored_texts = [built.texts[key] for key in sorted(built.texts)]
    folder = await mirrored(tmp_path / "mirror", log)
    assert await verified(folder) == TextsReport(3, 0, 1, []), "the entry is not signed yet"
    lie = replace(built.texts[10, "reason"], withheld_by=5)
    lie = replace(lie, text=lie.text.replace(str(len(built.entries) - 1), "5"))
    log.stored_texts = [lie if text.key == lie.key else text for text in log.stored_texts]
    with pytest.raises(WrongText, match="entry 5 does not withhold it"):
        await report(log)


@every("change", ["text", "salt", "sha256", "member", "no-salt", "twice"])
async def test_a_text_that_does_not_give_its_hash_is_found_and_not_copied(tmp_path: Path, change: str) -> None:
    built = log_with_texts()
    sound = built.texts[10, "reason"]
    wrong = {
        "text": replace(sound, text=sound.text.replace("leave", "leaVe")),
        "salt": replace(sound, salt="00" * 16),
        "sha256": replace(sound, sha256="00" * 32),
        "member": replace(sound, member="on"),
        "no-salt": replace(sound, salt=UNSET),
        "twice": replace(sound, text=sound.text.replace("{", '{"en":"hidden",', 1)),
    }[change]
    built.texts[10, "reason"] = wrong
    with pytest.raises(WrongText, match="of entry 10"):
        await mirrored(tmp_path / "mirror", built.log)
    assert files_with(tmp_path / "mirror") == []
    with pytest.raises(WrongText, match="of entry 10"):
        await report(built.log)


async def test_a_text_is_compared_as_it_is_read_not_as_it_is_spelled(tmp_path: Path) -> None:
    built = log_with_texts()
    sound = built.texts[10, "reason"]
    built.texts[10, "reason"] = replace(sound, text=sound.text.replace(":", " : ").replace("Sara", "S\\u0061ra"))
    assert await verified(await mirrored(tmp_path / "mirror", built.log)) == TextsReport(4, 0, 0, [])


async def test_a_damaged_file_of_texts_is_named(tmp_path: Path) -> None:
    folder = await mirrored(tmp_path / "mirror", log_with_texts().log)
    for damaged in (b"{", b"\xff\n", b'{"index":10}\n'):
        (folder / "texts/000").write_bytes(damaged)
        with pytest.raises(CorruptBatch, match="texts/000"):
            await verified(folder)


async def test_only_the_first_entry_after_a_text_withholds_it(tmp_path: Path) -> None:
    """An entry cannot withhold a text of a later one; what is withheld again stays withheld by the first."""
    early = entry_bytes(RECORDED, "agency.platform.events/0/0", withheld(10, "reason"))
    built = LogWithTexts()
    built.entries.append(early)
    built.fill(10).add(service_suspended("s1", NAME)).fill(20)
    folder = await mirrored(tmp_path / "mirror", built.log)
    assert await verified(folder) == TextsReport(1, 0, 0, [])
    built.withhold(10, "reason")
    shown = built.texts[10, "reason"]
    built.add(withheld(10, "reason"), withheld(11, "reason"))
    await mirrored(folder, built.log)
    assert text_lines([shown]) == (folder / "texts/000").read_bytes()
    assert await verified(folder) == TextsReport(0, 1, 0, [])
