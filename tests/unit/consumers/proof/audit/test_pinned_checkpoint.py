"""What an auditor accepted stays accepted: no slower command, no withheld rotation and no damage replaces it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from consumers.proof.audit import pinned_checkpoint as kept_module
from consumers.proof.audit.pinned_checkpoint import (
    AcceptedMeanwhile,
    DamagedCheckpoint,
    ForkedLog,
    KeptCheckpoint,
    NotKept,
    OtherKeys,
    require_reached,
)
from infra.command_line.exit_codes import ExitCode, exit_code
from infra.log.key_history import KeyHistory, sign_transition
from infra.log.signed_note import Checkpoint, LogKey
from infra.private_keys.key_files import NoVerifier, read_verifier
from infra.settings import Settings
from tests.every import every
from tests.world.memory_log import KEY, root_of, sample_entries

ENTRIES = sample_entries(20)
NEXT = LogKey(KEY.name, b"n" * 32)
STEP = sign_transition(KEY, NEXT, datetime(2026, 1, 1, tzinfo=UTC), (10, root_of(ENTRIES[:10])))
FIRST = KeyHistory((KEY.verifier,))
BOTH = KeyHistory.of(KEY.verifier, [STEP])


def signed(key: LogKey, size: int, entries: list[bytes] = ENTRIES) -> Checkpoint:
    note = key.sign_checkpoint(size, root_of(entries[:size]))
    return KeyHistory((key.verifier,)).parse_checkpoint(note)


@pytest.fixture
def kept(tmp_path: Path) -> KeptCheckpoint:
    return KeptCheckpoint(tmp_path, KEY.verifier)


@every("first", [None, 5])
@every("size", [7, 12])
def test_what_another_command_accepted_meanwhile_is_compared_first(
    tmp_path_factory: pytest.TempPathFactory, first: int | None, size: int
) -> None:
    """The other history may be another fork: of two that were shown at once, neither is lost."""
    folder = tmp_path_factory.mktemp("kept")
    kept, slow = KeptCheckpoint(folder, KEY.verifier), KeptCheckpoint(folder, KEY.verifier)
    known = None if first is None else signed(KEY, first)
    if known is not None:
        kept.write(known)
    assert (kept.read(FIRST), slow.read(FIRST)) == (known, known)
    kept.write(signed(KEY, 9))
    with pytest.raises(AcceptedMeanwhile) as found:
        slow.write(signed(KEY, size))
    assert exit_code(found.value) == ExitCode.TRY_AGAIN
    assert slow.read(FIRST) == signed(KEY, 9)
    slow.write(signed(KEY, 12))
    assert kept.read(FIRST) == signed(KEY, 12)
    assert [path.name for path in kept.path.parent.iterdir()] == [kept.path.name]


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    kept = KeptCheckpoint(tmp_path / "file" / "state", KEY.verifier)
    for store in (kept.prepare, lambda: kept.write(signed(KEY, 9))):
        with pytest.raises(NotKept, match="--state"):
            store()


def test_what_is_kept_already_is_not_written_again_and_another_tree_of_its_size_is_not_accepted(
    kept: KeptCheckpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept.write(signed(KEY, 9))
    monkeypatch.setattr(kept_module, "replace_file", lambda path, data: pytest.fail("a folder may be read-only"))
    with pytest.raises(ForkedLog, match="two histories"):
        kept.write(signed(KEY, 9, [b"other", *ENTRIES]))
    kept.write(signed(KEY, 9))
    assert kept.read(FIRST) == signed(KEY, 9)


def test_rotations_withheld_or_later_are_named_and_nobody_deletes_the_file(kept: KeptCheckpoint) -> None:
    kept.write(signed(NEXT, 20))
    assert kept.read(BOTH) == signed(NEXT, 20)
    with pytest.raises(OtherKeys, match=f"{NEXT.verifier.key_id.hex()}.*withholds or replaced") as found:
        kept.read(FIRST)
    assert "delete" not in str(found.value)
    kept.path.unlink()
    kept = KeptCheckpoint(kept.path.parent, KEY.verifier)
    kept.write(signed(KEY, 20))  # the first key signed more than the rotation at 10 lets it sign
    with pytest.raises(OtherKeys, match="withholds or replaced"):
        kept.read(BOTH)


def test_a_damaged_file_is_called_damaged(kept: KeptCheckpoint) -> None:
    kept.write(signed(KEY, 9))
    another_size = kept.path.read_text().replace("\n9\n", "\n20\n")
    another_key = LogKey("other.example/0", b"o" * 32).sign_checkpoint(9, root_of(ENTRIES[:9]))
    for damaged in ("", "nothing\n", another_size, another_key):
        kept.path.write_text(damaged)
        with pytest.raises(DamagedCheckpoint, match="delete it"):
            kept.read(FIRST)
    kept.path.write_bytes(b"\xff\xfe")
    with pytest.raises(DamagedCheckpoint):
        kept.write(signed(KEY, 9))


def test_a_new_key_without_its_rotations_is_no_first_visit(kept: KeptCheckpoint, tmp_path: Path) -> None:
    """The auditor gives the new vkey, and the server withholds `keys`."""
    new, alone = KeptCheckpoint(tmp_path, NEXT.verifier), KeyHistory((NEXT.verifier,))
    assert (new.read(alone), new.strangers(alone)) == (None, [])
    kept.write(signed(KEY, 9))
    assert (new.read(alone), new.strangers(alone)) == (None, [kept.path])
    kept.write(signed(NEXT, 20))
    assert (new.read(alone), new.strangers(alone)) == (signed(NEXT, 20), [])
    assert (new.read(BOTH), new.strangers(BOTH)) == (signed(NEXT, 20), [])


def test_a_log_that_ends_before_the_given_key_took_over_is_a_fork() -> None:
    """Who stole the replaced key can sign another history up to the rotation."""
    for size in (9, 10, 20):
        require_reached(BOTH, KEY.verifier, signed(KEY, size))
    require_reached(BOTH, NEXT.verifier, signed(NEXT, 10))
    with pytest.raises(ForkedLog, match="took over at 10"):
        require_reached(BOTH, NEXT.verifier, signed(KEY, 9))


def test_the_key_is_given_or_in_its_file_and_else_it_is_wrong_use(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    assert read_verifier(settings, KEY.verifier.vkey) == KEY.verifier
    with pytest.raises(NoVerifier, match="give --vkey"):
        read_verifier(settings, None)
    with pytest.raises(NoVerifier, match=r"--vkey: the verifier key of .* has 29 bytes"):
        read_verifier(settings, KEY.verifier.vkey[:-4])
    settings.log_folder.mkdir()
    (settings.log_folder / "log.vkey").write_text(f"{KEY.verifier.vkey}\n")
    assert read_verifier(settings, None) == KEY.verifier
