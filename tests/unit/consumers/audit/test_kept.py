"""What an auditor accepted stays accepted: no slower command, no withheld rotation and no damage replaces it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from consumers.audit.kept import DamagedCheckpoint, ForkedLog, KeptCheckpoint, OtherKeys
from infra.log.key_history import KeyHistory, sign_transition
from infra.log.signed_note import Checkpoint, LogKey
from tests.unit.consumers.audit.memory_log import KEY, root_of, sample_entries

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


def test_a_command_that_took_longer_does_not_take_back_what_another_accepted(kept: KeptCheckpoint) -> None:
    for size in (5, 9, 7):
        kept.write(signed(KEY, size))
    assert kept.read(FIRST) == signed(KEY, 9)
    assert [path.name for path in kept.path.parent.iterdir()] == [kept.path.name]


def test_another_tree_of_the_same_size_is_not_accepted_beside_it(kept: KeptCheckpoint) -> None:
    kept.write(signed(KEY, 9))
    with pytest.raises(ForkedLog, match="two histories"):
        kept.write(signed(KEY, 9, [b"other", *ENTRIES]))
    kept.write(signed(KEY, 9))
    assert kept.read(FIRST) == signed(KEY, 9)


def test_a_server_that_withholds_the_rotations_is_named_and_nobody_is_told_to_delete_the_file(
    kept: KeptCheckpoint,
) -> None:
    kept.write(signed(NEXT, 20))
    assert kept.read(BOTH) == signed(NEXT, 20)
    with pytest.raises(OtherKeys, match=f"{NEXT.verifier.key_id.hex()}.*withholds or replaced") as found:
        kept.read(FIRST)
    assert "delete" not in str(found.value)


def test_rotations_that_were_not_there_when_it_was_accepted_are_found(kept: KeptCheckpoint) -> None:
    kept.write(signed(KEY, 20))  # the first key signed more than the rotation at 10 lets it sign
    with pytest.raises(OtherKeys, match="withholds or replaced"):
        kept.read(BOTH)


@pytest.mark.parametrize("change", ["", "nothing\n", "20", "another key"])
def test_a_damaged_file_is_called_damaged(kept: KeptCheckpoint, change: str) -> None:
    kept.write(signed(KEY, 9))
    note = kept.path.read_text()
    other = LogKey("other.example/0", b"o" * 32).sign_checkpoint(9, root_of(ENTRIES[:9]))
    kept.path.write_text({"20": note.replace("\n9\n", "\n20\n"), "another key": other}.get(change, change))
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
