"""The files of a signer's keys: modes, missing and foreign files, and a rotation that is interrupted anywhere."""

from __future__ import annotations

import os
import stat
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from infra.log.key_history import Transition, sign_transition
from infra.log.signed_note import InvalidKey, LogKey, PrivateKey, parse_vkey
from infra.private_keys import key_files
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
from infra.private_keys.private_file import read_private

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
    before = os.umask(0)
    try:
        first = made(folder, NAME)
    finally:
        os.umask(before)
    assert made(folder, NAME) == first
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (folder, folder / "log.skey")]
    assert modes == [0o700, 0o600]
    assert parse_vkey((folder / "log.vkey").read_text().strip()) == first.verifier
    assert sorted(p.name for p in folder.iterdir()) == ["log.skey", "log.vkey"]
    (folder / "log.vkey").unlink()
    assert loaded(folder, NAME) == first
    assert (folder / "log.vkey").read_text() == first.verifier.vkey + "\n", "a lost one is written again"


def test_a_key_that_is_not_the_one_that_was_given_out_or_of_another_log_is_not_used(tmp_path: Path) -> None:
    mine = made(tmp_path, NAME)
    other = made(tmp_path / "elsewhere", NAME)
    (tmp_path / "log.skey").write_text(other.skey)
    with pytest.raises(InvalidKey, match=r"log\.vkey names the public key .*: put both files back"):
        made(tmp_path, NAME)
    (tmp_path / "log.skey").write_text(mine.skey)
    assert loaded(tmp_path, NAME) == mine
    with pytest.raises(InvalidKey, match="belongs to"):
        made(tmp_path, "log.example/1")
    (tmp_path / "log.skey").write_bytes(b"\xff")
    with pytest.raises(InvalidKey, match=r"log\.skey holds no key"):
        loaded(tmp_path, NAME)
    with pytest.raises(InvalidKey, match="neither spaces"):
        made(tmp_path / "new", "log example")


def test_a_lost_key_is_not_replaced_by_a_new_one(tmp_path: Path) -> None:
    """Neither where its public half was given out, nor where it has signed, nor where none may be made."""
    for trace in ("log.vkey", "checkpoint"):
        folder = tmp_path / trace
        made(folder, NAME)
        (folder / "log.skey").unlink()
        (folder / "log.vkey").rename(folder / trace)
        with pytest.raises(InvalidKey, match="put the file back"):
            made(folder, NAME)
    (tmp_path / "empty").mkdir()
    with pytest.raises(InvalidKey, match="put the file back"):
        loaded(tmp_path / "empty", NAME)
    assert list((tmp_path / "empty").iterdir()) == []


def a_key() -> LogKey:
    return LogKey(NAME, os.urandom(32))


def rotated(folder: Path, *, overlap_days: int = 7) -> tuple[PrivateKey, LogKey, Transition]:
    """A folder whose prepared key is to replace the first, and the rotation as the registrar would store it."""
    files = KeyFiles(folder, "log", NAME)
    old, new = load_or_create_keys(files).current, a_key()
    write_next(files, NextKey(new, overlap_days))
    return old, new, sign_transition(old, new, NOW + timedelta(days=overlap_days), TREE)


def test_who_reads_the_keys_beside_a_rotation_has_the_new_one(
    tmp_path: Path, files: KeyFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, new, step = rotated(tmp_path)
    steps = [step]

    def rotates_behind(path: Path) -> str | None:
        text = read_private(path)
        if path == files.current and steps:
            adopt(files, steps.pop())
        return text

    monkeypatch.setattr(key_files, "read_private", rotates_behind)
    assert load_keys(files).current == new
    assert not files.next.exists()


def contents(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir()}


def test_a_prepared_key_signs_once_the_rotation_is_stored_both_in_the_overlap(tmp_path: Path, files: KeyFiles) -> None:
    old, new, step = rotated(tmp_path)
    ring = load_keys(files)
    assert (ring.current, ring.previous, ring.history.transitions) == (old, None, ())
    prepared = next_key(files)
    assert prepared is not None
    assert (prepared.key, prepared.overlap_days) == (new, 7)
    ring = adopt(files, step)
    assert ring.signing(NOW) == [new, old]
    assert ring.signing(NOW + timedelta(days=7)) == [new]
    assert ring.history.keys == (old.verifier, new.verifier)
    assert sorted(contents(tmp_path)) == ["log.history", "log.skey", "log.skey.previous", "log.vkey"]
    assert parse_vkey(contents(tmp_path)["log.vkey"].strip()) == new.verifier
    assert {stat.S_IMODE(p.stat().st_mode) for p in tmp_path.glob("*.skey*")} == {0o600}
    assert ring.fault(NOW) is None
    files.previous.unlink()
    ring = load_keys(files)
    assert ring.signing(NOW) == [new]
    assert "should sign until 2026-01-08T00:00:00Z" in (ring.fault(NOW) or "")
    assert ring.fault(NOW + timedelta(days=8)) is None, "the overlap is over"


def test_without_an_overlap_the_old_key_signs_no_more_and_an_older_database_does_not_undo_it(
    tmp_path: Path, files: KeyFiles
) -> None:
    _, second, step = rotated(tmp_path, overlap_days=0)
    assert adopt(files, step).signing(NOW) == [second]
    assert load_keys(files, []).current == second, "from before the rotation"
    third = a_key()
    write_next(files, NextKey(third, 0))
    adopt(files, sign_transition(second, third, NOW, (9, bytes(32))))
    assert load_keys(files, [step]).signing(NOW) == [third], "from between two rotations"
    files.current.unlink()
    with pytest.raises(InvalidKey, match="put the file back"):
        load_or_create_keys(files)  # no file is made in the place of a lost one


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
        # The history, the previous key, the key, the prepared one, the public half.
        with pytest.raises(KeyboardInterrupt) if failing < 5 else nullcontext():
            load_keys(files, [step])
    assert load_keys(files, [step]) == KeyRing(new, old, load_keys(files).history)
    kept = sorted(name for name in contents(tmp_path) if not name.startswith("."))
    assert kept == ["log.history", "log.skey", "log.skey.previous", "log.vkey"]


def test_a_standby_without_the_new_key_halts_and_with_it_takes_over(tmp_path: Path, files: KeyFiles) -> None:
    old, new, step = rotated(tmp_path)
    prepared = files.next.rename(tmp_path / "elsewhere")
    before = contents(tmp_path)
    with pytest.raises(InvalidKey, match=r"replaced at size 5: import the new key with `yesser keys import`"):
        load_keys(files, [step])
    assert contents(tmp_path) == before
    prepared.rename(files.next)
    assert load_keys(files, [step]).signing(NOW) == [new, old]


def test_a_history_that_is_made_up_forks_or_is_damaged_halts(tmp_path: Path, files: KeyFiles) -> None:
    old, _, step = rotated(tmp_path)
    with pytest.raises(InvalidKey, match="someone wrote to the database"):
        load_keys(files, [sign_transition(a_key(), a_key(), NOW, TREE)])
    adopt(files, step)
    with pytest.raises(InvalidKey, match="two histories of keys differ"):
        load_keys(files, [sign_transition(old, a_key(), NOW, TREE)])
    files.history.write_text(files.history.read_text().replace("2026", "2027"))
    with pytest.raises(InvalidKey, match=r"log\.history is damaged"):
        load_keys(files)


def test_no_key_file_that_others_may_read_is_used(tmp_path: Path, files: KeyFiles) -> None:
    adopt(files, rotated(tmp_path)[2])
    write_next(files, NextKey(a_key()))
    for name in ("log.skey", "log.skey.previous", "log.skey.next"):
        (tmp_path / name).chmod(0o640)
        with pytest.raises(InvalidKey, match=f"others may read .*{name}: run `chmod 600`"):
            load_keys(files)
        (tmp_path / name).chmod(0o600)


def test_the_public_half_is_replaced_whole(tmp_path: Path, files: KeyFiles, monkeypatch: pytest.MonkeyPatch) -> None:
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
