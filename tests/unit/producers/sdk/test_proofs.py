"""A proof holds by itself or it does not."""

from __future__ import annotations

import base64
from datetime import UTC, datetime

import pytest

from events.wire.entry import entry_bytes, event_bytes
from infra.log.key_history import KeyHistory, sign_transition
from infra.log.merkle import leaf_hash, node_hash
from infra.log.signed_note import LogKey
from producers.sdk.acknowledgements import verified_proof
from producers.sdk.answers import Proof
from producers.sdk.problems import NotGenuine
from tests.every import every

KEY = LogKey("log.example/0", bytes(range(32)))
EVENT = b'{"id":"a","text":",\\"event\\":"}'
ENTRY = entry_bytes("2026-11-25T10:00:00.000000Z", "agency.health.events/0/1", EVENT)
OTHER = leaf_hash(b"other")


def proof(**changes: object) -> Proof:
    root = node_hash(OTHER, leaf_hash(ENTRY))
    held = Proof(
        index=1,
        entry=ENTRY.decode(),
        leaf=base64.b64encode(leaf_hash(ENTRY)).decode(),
        size=2,
        path=(base64.b64encode(OTHER).decode(),),
        checkpoint=KEY.sign_checkpoint(2, root),
    )
    return held.model_copy(update=changes)


def test_a_proof_leads_from_the_entry_which_has_the_events_own_bytes_to_the_signed_root() -> None:
    assert event_bytes(proof().entry.encode()) == EVENT
    assert verified_proof(proof(), KEY.verifier).index == 1
    assert verified_proof(proof(), None).index == 1


def test_an_earlier_key_of_the_log_verifies_by_the_rotations_that_the_proof_carries() -> None:
    first = LogKey(KEY.name, b"f" * 32)
    step = sign_transition(first, KEY, datetime.now(UTC), (1, bytes(32)))
    carried = KeyHistory.of(first.verifier, [step]).text()
    assert verified_proof(proof(rotations=carried), first.verifier).index == 1
    for changes in ({}, {"rotations": carried[:-9]}):
        with pytest.raises(NotGenuine, match="entry"):
            verified_proof(proof(**changes), first.verifier)


@every(
    "changes",
    [
        {"entry": ENTRY.decode().replace('"a"', '"b"')},
        {"index": 0},
        {"size": 3},
        {"leaf": base64.b64encode(OTHER).decode()},
        {"leaf": "?"},
        {"path": ()},
        {"path": ("?",)},
        {"checkpoint": "no checkpoint"},
    ],
)
def test_any_change_shows_and_a_checkpoint_of_another_log_is_not_taken(changes: dict[str, object]) -> None:
    for key in (KEY.verifier, None):
        with pytest.raises(NotGenuine, match="entry"):
            verified_proof(proof(**changes), key)
    with pytest.raises(NotGenuine, match="no signature of a known key"):
        verified_proof(proof(), LogKey("log.example/0", bytes(32)).verifier)
