"""An entry as a page shows it: field by field, and red as soon as a byte is not what was signed."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from consumers.console.pages.audit.entry import ROWS_MAX, entry_view, pretty
from consumers.console.pages.audit.routes import history_of
from consumers.console.pages.workspace.faults import explained
from events.schema_tools.refusal_examples import golden_example
from infra.log.key_history import sign_transition
from infra.log.merkle import leaf_hash
from infra.log.signed_note import LogKey
from tests.every import every
from tests.unit.consumers.console.audit.proofs import (
    ELSEWHERE,
    ENTRIES,
    INDEX,
    SECOND,
    STRANGE,
    UNTIL,
    Wrong,
    encoded,
    proof_of,
    signed,
    state_of,
    wrong_proofs,
)
from tests.world.memory_log import KEY

CHANGED = ENTRIES[INDEX].replace(b"7", b"8", 1)
OTHER_ENTRY = {"entry": CHANGED.decode(), "leaf": encoded(leaf_hash(CHANGED))}


@every(
    ("changes", "pinned", "state"),
    [
        ({}, KEY, "good"),
        ({"entry": CHANGED.decode()}, KEY, "changed"),
        (OTHER_ENTRY, KEY, "not-in-tree"),
        ({}, ELSEWHERE, "other-key"),
        (OTHER_ENTRY, ELSEWHERE, "not-in-tree"),
        ({}, None, "no-key"),
    ],
)
async def test_a_proof_holds_only_for_what_was_signed(
    changes: dict[str, Any], pinned: LogKey | None, state: str
) -> None:
    assert state_of(await proof_of(signed(20, KEY)) | changes, pinned) == state


@every("wrong", wrong_proofs)
async def test_a_checkpoint_in_the_logs_name_that_no_known_key_signed_is_red(wrong: Wrong) -> None:
    assert state_of(await proof_of(wrong.note, wrong.size, wrong.rotations), wrong.pinned) == "not-signed"


def raw(name: str, **changed: Any) -> bytes:
    event = orjson.loads(golden_example(name))
    event["data"] |= changed
    address = "agency.health.events/0/17"
    return orjson.dumps({"recordedtime": "2026-11-01T06:00:00.000000Z", "from": address, "event": event})


def test_the_fields_of_an_event_have_their_names_and_meanings() -> None:
    view = entry_view(3, raw("service.launched"))
    assert view is not None
    assert (view.entry.index, view.entry.type, view.is_refusal) == (3, "service.launched", False)
    rows = {row.path: row for row in view.fields}
    assert rows["on"].meaning is not None
    assert isinstance(rows["channels"].value, list)


def test_lists_of_objects_and_both_languages_have_a_row_each() -> None:
    view = entry_view(0, raw("partnership.signed"))
    assert view is not None
    rows = {row.path: row for row in view.fields}
    assert rows["partner.name.ar"].meaning == rows["partner.name.en"].meaning is not None
    assert rows["terms.bands[0].partner_bp"].name == "partner_bp"
    assert rows["terms.bands[0].partner_bp"].meaning is not None


def test_a_refusal_says_why() -> None:
    view = entry_view(0, raw("registrar.refused"))
    assert view is not None
    assert view.is_refusal
    first, second, later = explained([*view.errors, {"code": "of-a-later-release", "detail": "Later."}])
    for fault in (first, second):
        assert fault.remedy is not None
        assert fault.detail.ar != fault.detail.en
    assert (later.remedy, later.detail.en) == (None, "Later.")


def test_no_entry_is_too_large_for_a_page() -> None:
    view = entry_view(0, raw("service.launched", channels=[{"n": number} for number in range(ROWS_MAX + 9)]))
    assert view is not None
    assert (len(view.fields), view.is_cut) == (ROWS_MAX, True)


@pytest.mark.parametrize("bad", [b"", b"{", b"[]", b'{"recordedtime":1}', b"\xff\xfe"])
def test_bytes_that_are_no_entry_are_shown_as_they_are(bad: bytes) -> None:
    assert entry_view(0, bad) is None
    assert isinstance(pretty(bad), str)


def test_the_keys_of_the_log_are_those_that_rotations_connect_with_the_consoles_own() -> None:
    step = sign_transition(KEY, SECOND, UNTIL, (10, b"\0" * 32))
    for known in (KEY, SECOND):
        found = history_of(known.verifier, [step.note]) or []
        assert found == [(KEY.verifier, 0), (SECOND.verifier, 10)]
    assert history_of(STRANGE.verifier, [step.note]) is None, "a chain of somebody's own"
    assert history_of(ELSEWHERE.verifier, [step.note]) == [], "nothing is wrong"
    assert history_of(KEY.verifier, [step.note.replace("\n10\n", "\n11\n")]) is None
