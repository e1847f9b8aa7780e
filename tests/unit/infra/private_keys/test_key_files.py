"""The files of a signer's keys: modes, missing and foreign files, and a rotation that is interrupted anywhere."""

from __future__ import annotations

import os
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from infra.log.key_history import Transition, sign_transition
from infra.log.signed_note import InvalidKey, LogKey, PrivateKey, parse_vkey
from infra.private_keys.key_files import (
    KeyFiles,
    KeyRing,
    NextKey,
    adopt,
    load_keys,
    load_or_create_keys,
    next_key,
    write_next,
)

NAME = "log.example/0"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
TREE = (5, bytes(32))


def made(folder: Path, name: str) -> PrivateKey:
    return load_or_create_keys(KeyFiles(folder, "log", name)).current


def loaded(folder: Path, name: str) -> PrivateKey:
    return load_keys(KeyFiles(folder, "log", name)).current


@pytest.fixture
def files(tmp_path: Path) -> KeyFiles:
    return KeyFiles(tmp_path, "log", NAME)


def test_the_key_is_made_once_and_only_its_owner_may_read_it(tmp_path: Path) -> None:
    folder = tmp_path / "log"
    first = made(folder, NAME)
    assert made(folder, NAME) == first
    assert stat.S_IMODE((folder / "log.skey").stat().st_mode) == 0o600
    assert parse_vkey((folder / "log.vkey").read_text().strip()) == first.verifier
    assert sorted(p.name for p in folder.iterdir()) == ["log.skey", "log.vkey"]


def test_the_keys_folder_is_its_owners_alone(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        made(tmp_path / "log", NAME)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "log").stat().st_mode) == 0o700


def test_a_key_that_is_not_the_one_that_was_given_out_is_not_used(tmp_path: Path) -> None:
    mine = made(tmp_path, NAME)
    other = made(tmp_path / "elsewhere", NAME)
    (tmp_path / "log.skey").write_text(other.skey)
    with pytest.raises(InvalidKey, match=r"log\.vkey names the public key .*: put both files back"):
        made(tmp_path, NAME)
    (tmp_path / "log.skey").write_text(mine.skey)
    assert loaded(tmp_path, NAME) == mine


def test_a_file_that_holds_no_key_is_named(tmp_path: Path) -> None:
    made(tmp_path, NAME)
    (tmp_path / "log.skey").write_bytes(b"\xff")
    with pytest.raises(InvalidKey, match=r"log\.skey holds no key"):
        loaded(tmp_path, NAME)


def test_a_public_key_that_was_lost_is_written_again(tmp_path: Path) -> None:
    key = made(tmp_path, NAME)
    (tmp_path / "log.vkey").unlink()
    assert loaded(tmp_path, NAME) == key
    assert (tmp_path / "log.vkey").read_text() == key.verifier.vkey + "\n"


def test_a_lost_key_is_not_replaced_by_a_new_one(tmp_path: Path) -> None:
    """Neither where its public half was given out, nor where it has signed."""
    for trace in ("log.vkey", "checkpoint"):
        folder = tmp_path / trace
        made(folder, NAME)
        (folder / "log.skey").unlink()
        (folder / "log.vkey").rename(folder / trace)
        with pytest.raises(InvalidKey, match="put the file back"):
            made(folder, NAME)


def test_where_no_key_may_be_made_none_is(tmp_path: Path) -> None:
    with pytest.raises(InvalidKey, match="put the file back"):
        loaded(tmp_path, NAME)
    assert list(tmp_path.iterdir()) == []


def test_the_key_of_another_log_is_not_used(tmp_path: Path) -> None:
    made(tmp_path, NAME)
    with pytest.raises(InvalidKey, match="belongs to"):
        made(tmp_path, "log.example/1")


def test_an_origin_with_a_space_makes_no_key(tmp_path: Path) -> None:
    with pytest.raises(InvalidKey, match="neither spaces"):
        made(tmp_path, "log example")


def a_key() -> LogKey:
    return LogKey(NAME, os.urandom(32))


def rotated(folder: Path, *, overlap_days: int = 7) -> tuple[PrivateKey, LogKey, Transition]:
    """A folder whose prepared key is to replace the first, and the rotation as the registrar would store it."""
    files = KeyFiles(folder, "log", NAME)
    old, new = load_or_create_keys(files).current, a_key()
    write_next(files, NextKey(new, overlap_days))
    return old, new, sign_transition(old, new, NOW + timedelta(days=overlap_days), TREE)


def contents(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir()}


def test_a_prepared_key_signs_nothing_until_the_rotation_is_stored(tmp_path: Path, files: KeyFiles) -> None:
    old, new, _ = rotated(tmp_path)
    ring = load_keys(files)
    assert (ring.current, ring.previous, ring.history.transitions) == (old, None, ())
    prepared = next_key(files)
    assert prepared is not None
    assert (prepared.key, prepared.overlap_days) == (new, 7)


def test_after_a_rotation_both_keys_sign_until_the_overlap_ends(tmp_path: Path, files: KeyFiles) -> None:
    old, new, step = rotated(tmp_path)
    ring = adopt(files, step)
    assert ring.signing(NOW) == [new, old]
    assert ring.signing(NOW + timedelta(days=7)) == [new]
    assert ring.history.keys == (old.verifier, new.verifier)
    assert sorted(contents(tmp_path)) == ["log.history", "log.skey", "log.skey.previous", "log.vkey"]
    assert parse_vkey(contents(tmp_path)["log.vkey"].strip()) == new.verifier
    assert {stat.S_IMODE(p.stat().st_mode) for p in tmp_path.glob("*.skey*")} == {0o600}


def test_without_an_overlap_the_old_key_signs_no_more(tmp_path: Path, files: KeyFiles) -> None:
    _, new, step = rotated(tmp_path, overlap_days=0)
    assert adopt(files, step).signing(NOW) == [new]


@pytest.mark.parametrize("failing", range(6))
def test_a_rotation_that_was_interrupted_anywhere_is_completed(
    tmp_path: Path, files: KeyFiles, failing: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new, step = rotated(tmp_path)
    steps = 0
    writes = {name: getattr(Path, name) for name in ("replace", "unlink", "write_text")}

    def counted(name: str):  # type: ignore[no-untyped-def]
        def change(self: Path, *arguments: object, **named: object) -> object:
            nonlocal steps
            steps += 1
            if steps > failing:
                raise KeyboardInterrupt
            return writes[name](self, *arguments, **named)

        return change

    with monkeypatch.context() as patched:
        for name in writes:
            patched.setattr(Path, name, counted(name))
        if failing < 5:  # the history, the previous key, the key, the prepared one, the public half
            with pytest.raises(KeyboardInterrupt):
                load_keys(files, [step])
        else:
            load_keys(files, [step])
    assert load_keys(files, [step]) == KeyRing(new, old, load_keys(files).history)
    assert sorted(n for n in contents(tmp_path) if not n.startswith(".")) == [
        "log.history",
        "log.skey",
        "log.skey.previous",
        "log.vkey",
    ]


def test_a_standby_that_has_the_prepared_key_takes_over_by_the_stored_history(tmp_path: Path) -> None:
    old, new, step = rotated(tmp_path / "first")
    standby = KeyFiles(tmp_path / "standby", "log", NAME)
    standby.folder.mkdir()
    for path, key in ((standby.current, old), (standby.next, new)):
        path.touch(0o600)
        path.write_text(key.skey)
    assert load_keys(standby, [step]).signing(NOW) == [new, old]


def test_a_standby_without_the_new_key_halts_and_names_the_remedy(tmp_path: Path, files: KeyFiles) -> None:
    _, _, step = rotated(tmp_path)
    files.next.unlink()
    before = contents(tmp_path)
    with pytest.raises(InvalidKey, match=r"replaced at size 5: import the new key with `yesser keys import`"):
        load_keys(files, [step])
    assert contents(tmp_path) == before


def test_a_history_that_a_thief_of_no_key_made_up_halts(tmp_path: Path, files: KeyFiles) -> None:
    made(tmp_path, NAME)
    strange = sign_transition(a_key(), a_key(), NOW, TREE)
    with pytest.raises(InvalidKey, match="someone wrote to the database"):
        load_keys(files, [strange])


def test_two_histories_of_one_key_halt(tmp_path: Path, files: KeyFiles) -> None:
    old, _, step = rotated(tmp_path)
    adopt(files, step)
    with pytest.raises(InvalidKey, match="two histories of keys differ"):
        load_keys(files, [sign_transition(old, a_key(), NOW, TREE)])


def test_a_database_from_before_the_rotation_does_not_undo_it(tmp_path: Path, files: KeyFiles) -> None:
    _, new, step = rotated(tmp_path)
    adopt(files, step)
    assert load_keys(files, []).current == new


def test_a_database_from_between_two_rotations_does_not_undo_the_second(tmp_path: Path, files: KeyFiles) -> None:
    _, second, step = rotated(tmp_path)
    third = a_key()
    adopt(files, step)
    write_next(files, NextKey(third, 0))
    adopt(files, sign_transition(second, third, NOW, (9, bytes(32))))
    assert load_keys(files, [step]).signing(NOW) == [third]


def test_after_a_rotation_no_file_is_made_in_the_place_of_a_lost_one(tmp_path: Path, files: KeyFiles) -> None:
    _, _, step = rotated(tmp_path)
    adopt(files, step)
    files.current.unlink()
    with pytest.raises(InvalidKey, match="put the file back"):
        load_or_create_keys(files)


def test_a_previous_key_that_is_gone_is_an_alarm_during_the_overlap_only(tmp_path: Path, files: KeyFiles) -> None:
    _, new, step = rotated(tmp_path)
    assert adopt(files, step).fault(NOW) is None
    files.previous.unlink()
    ring = load_keys(files)
    assert ring.signing(NOW) == [new]
    assert "should sign until 2026-01-08T00:00:00Z" in (ring.fault(NOW) or "")
    assert ring.fault(NOW + timedelta(days=8)) is None


@pytest.mark.parametrize("name", ["log.skey", "log.skey.previous", "log.skey.next"])
def test_no_key_file_that_others_may_read_is_used(tmp_path: Path, files: KeyFiles, name: str) -> None:
    _, _, step = rotated(tmp_path)
    adopt(files, step)
    write_next(files, NextKey(a_key()))
    (tmp_path / name).chmod(0o640)
    with pytest.raises(InvalidKey, match=f"others may read .*{name}: run `chmod 600`"):
        load_keys(files)


def test_a_damaged_history_is_named(tmp_path: Path, files: KeyFiles) -> None:
    _, _, step = rotated(tmp_path)
    adopt(files, step)
    files.history.write_text(files.history.read_text().replace("2026", "2027"))
    with pytest.raises(InvalidKey, match=r"log\.history is damaged"):
        load_keys(files)


def test_the_public_half_is_replaced_as_a_whole_or_not_at_all(
    tmp_path: Path, files: KeyFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A machine that lost its power meanwhile would find an empty file, which halts the registrar.
    old = made(tmp_path, NAME)
    new = LogKey(NAME, bytes(32))
    write_next(files, NextKey(new, 30))
    replace = Path.replace

    def replace_others(path: Path, target: Path) -> Path:
        if target == files.vkey:
            raise OSError("no space left")
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", replace_others)
    with pytest.raises(OSError, match="no space left"):
        adopt(files, sign_transition(old, new, NOW + timedelta(days=30), TREE))
    assert parse_vkey(files.vkey.read_text().strip()) == old.verifier
    monkeypatch.undo()
    assert loaded(tmp_path, NAME) == new
    assert parse_vkey(files.vkey.read_text().strip()) == new.verifier
    assert stat.S_IMODE(files.vkey.stat().st_mode) & 0o444 == 0o444
