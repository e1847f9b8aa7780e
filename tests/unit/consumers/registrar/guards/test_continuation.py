"""The checkpoints among the values of the topic: which count, and which stop the registrar."""

from __future__ import annotations

import pytest

from consumers.registrar.guards.continuation import Fork, checkpoints_of, newest
from infra.log.key_history import KeyHistory
from infra.log.signed_note import LogKey
from tests.every import every

KEY = LogKey("log.example/0", bytes(range(32)))
HISTORY = KeyHistory((KEY.verifier,))
OTHER_KEY = LogKey(KEY.name, bytes(32))
OTHER_LOG = LogKey("log.example/1", bytes(32))


def signed(key: LogKey, size: int) -> bytes:
    return key.sign_checkpoint(size, bytes(32)).encode()


def test_the_newest_is_the_largest_wherever_it_stands() -> None:
    values = [signed(KEY, size) for size in (3, 9, 10, 9, 2)]
    found = checkpoints_of(values, HISTORY, "topic")
    assert [checkpoint.size for checkpoint in found] == [3, 9, 10, 2], "the same note counts once"
    last = newest(found)
    assert last is not None
    assert last.size == 10
    assert newest([]) is None


def test_what_is_of_no_log_or_of_another_one_is_left_out() -> None:
    values = [b"", b"nonsense", b"\xff", signed(OTHER_LOG, 7), signed(KEY, 1)]
    assert [checkpoint.size for checkpoint in checkpoints_of(values, HISTORY, "topic")] == [1]


@every("value", [signed(OTHER_KEY, 7), signed(KEY, 7).replace(b"7", b"8", 1), f"{KEY.name}\n\xff".encode("latin-1")])
def test_a_checkpoint_of_this_log_that_its_key_did_not_sign_stops(value: bytes) -> None:
    with pytest.raises(Fork, match=r"topic holds a checkpoint that log\.skey did not sign"):
        checkpoints_of([signed(KEY, 1), value], HISTORY, "topic")
