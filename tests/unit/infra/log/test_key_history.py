"""The history of a signing key: what a verifier that knows one key of it accepts, at which size."""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import sha256

import pytest

from infra.log.key_history import KeyHistory, parse_transition, parse_transitions, sign_transition
from infra.log.signed_note import InvalidNote, LogKey, checkpoint_text, parse_checkpoint, sign_note
from tests.every import every

NAME = "log.example/0"
FIRST, SECOND, THIRD, STRANGE = (LogKey(NAME, bytes([i]) * 32) for i in range(4))
ROOT = sha256(b"root").digest()
UNTIL = datetime(2026, 2, 1, tzinfo=UTC)
STEPS = [sign_transition(FIRST, SECOND, UNTIL, (10, ROOT)), sign_transition(SECOND, THIRD, UNTIL, (20, ROOT))]
HISTORY = KeyHistory.of(FIRST.verifier, STEPS)


def signed(size: int, *keys: LogKey) -> str:
    return sign_note(checkpoint_text(NAME, size, ROOT), keys)


def test_a_rotation_is_read_back_and_whoever_knows_one_key_knows_all() -> None:
    assert parse_transitions(HISTORY.text()) == STEPS
    assert parse_transitions("") == []
    for known in (FIRST, SECOND, THIRD):
        assert KeyHistory.of(known.verifier, STEPS) == HISTORY
    with pytest.raises(InvalidNote, match="is not in the history of keys"):
        KeyHistory.of(STRANGE.verifier, STEPS)
    without_a_tree = [sign_transition(FIRST, SECOND, UNTIL, None)]
    assert parse_transitions(KeyHistory.of(SECOND.verifier, without_a_tree).text()) == without_a_tree


@every(
    ("size", "keys", "accepted"),
    [
        (9, [FIRST], True),
        (10, [FIRST], True),
        (10, [SECOND], True),
        (11, [FIRST], False),
        (11, [FIRST, SECOND], True),
        (11, [SECOND], True),
        (9, [SECOND], False),
        (21, [SECOND], False),
        (21, [STRANGE], False),
        (10**9, [THIRD], True),
    ],
)
def test_a_checkpoint_needs_a_key_in_force_at_its_size(size: int, keys: list[LogKey], accepted: bool) -> None:
    if accepted:
        assert HISTORY.parse_checkpoint(signed(size, *keys)).size == size
    else:
        with pytest.raises(InvalidNote):
            HISTORY.parse_checkpoint(signed(size, *keys))


def test_in_the_overlap_a_verifier_of_either_key_accepts_and_no_wrong_signature_is_ignored() -> None:
    for known in (FIRST, SECOND):
        assert parse_checkpoint(signed(11, SECOND, FIRST), known.verifier).size == 11
    other = signed(12, FIRST).splitlines()[-1]
    with pytest.raises(InvalidNote, match="signature"):
        HISTORY.parse_checkpoint(f"{signed(11, SECOND)}{other}\n")


@every("keys", [[FIRST], [SECOND], [STRANGE, SECOND], [FIRST, STRANGE]])
def test_a_rotation_needs_both_signatures(keys: list[LogKey]) -> None:
    text = STEPS[0].note.partition("\n\n")[0] + "\n"
    with pytest.raises(InvalidNote):
        parse_transition(sign_note(text, keys))


def test_no_bit_of_a_rotation_can_be_changed_and_a_checkpoint_is_none() -> None:
    text = STEPS[0].note
    for place in range(len(text)):
        changed = text[:place] + chr(ord(text[place]) ^ 1) + text[place + 1 :]
        with pytest.raises(InvalidNote):
            parse_transition(changed)
    with pytest.raises(InvalidNote):
        parse_transition(signed(10, FIRST, SECOND))
    with pytest.raises(InvalidNote):
        HISTORY.parse_checkpoint(text)


def test_rotations_follow_each_other_and_of_two_histories_the_longer_holds_unless_they_fork() -> None:
    with pytest.raises(InvalidNote, match="does not replace"):
        KeyHistory.of(FIRST.verifier, [STEPS[0], sign_transition(FIRST, THIRD, UNTIL, (20, ROOT))])
    with pytest.raises(InvalidNote, match="order"):
        KeyHistory.of(FIRST.verifier, [STEPS[1], sign_transition(THIRD, FIRST, UNTIL, (19, ROOT))])
    with pytest.raises(InvalidNote, match="used again"):
        KeyHistory.of(FIRST.verifier, [STEPS[0], sign_transition(SECOND, FIRST, UNTIL, (20, ROOT))])
    short = KeyHistory.of(FIRST.verifier, STEPS[:1])
    assert short.continued(HISTORY) == HISTORY.continued(short) == HISTORY
    fork = KeyHistory.of(FIRST.verifier, [sign_transition(FIRST, STRANGE, UNTIL, (10, ROOT))])
    with pytest.raises(InvalidNote, match="differ"):
        fork.continued(HISTORY)
