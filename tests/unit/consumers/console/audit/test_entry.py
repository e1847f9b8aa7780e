"""An entry as a page shows it: field by field, and red as soon as a byte is not what was signed."""

from __future__ import annotations

from typing import Any

import orjson

from consumers.console.pages.audit.entry import ROWS_MAX, EntryView, entry_view, pretty
from consumers.console.pages.audit.routes import history_of
from consumers.console.pages.workspace.entered import explained
from events.schema_tools.refusal_examples import golden_example
from infra.log.key_history import sign_transition
from infra.log.merkle import leaf_hash
from infra.log.signed_note import LogKey
from producers.sdk.answers import EventError
from tests.every import every
from tests.unit.consumers.console.audit import proofs
from tests.unit.consumers.console.audit.proofs import Wrong, encoded, proof_of, signed, state_of, wrong_proofs
from tests.world.memory_log import KEY

CHANGED = proofs.ENTRIES[proofs.INDEX].replace(b"7", b"8", 1)
OTHER_ENTRY = {"entry": CHANGED.decode(), "leaf": encoded(leaf_hash(CHANGED))}


@every(
    ("changes", "pinned", "state"),
    [
        ({}, KEY, "good"),
        ({"entry": CHANGED.decode()}, KEY, "changed"),
        (OTHER_ENTRY, KEY, "not-in-tree"),
        ({}, proofs.ELSEWHERE, "other-key"),
        (OTHER_ENTRY, proofs.ELSEWHERE, "not-in-tree"),
        ({}, None, "no-key"),
    ],
)
async def test_a_proof_holds_for_what_was_signed(changes: dict[str, Any], pinned: LogKey | None, state: str) -> None:
    assert state_of(await proof_of(signed(20, KEY)) | changes, pinned) == state


@every("wrong", wrong_proofs)
async def test_a_checkpoint_in_the_logs_name_that_no_known_key_signed_is_red(wrong: Wrong) -> None:
    assert state_of(await proof_of(wrong.note, wrong.size, wrong.rotations), wrong.pinned) == "not-signed"


def raw(name: str, **changed: Any) -> bytes:
    event = orjson.loads(golden_example(name))
    event["data"] |= changed
    address = "agency.health.events/0/17"
    return orjson.dumps({"recordedtime": "2026-11-01T06:00:00.000000Z", "from": address, "event": event})


def seen(name: str, **changed: Any) -> EntryView:
    view = entry_view(3, raw(name, **changed))
    assert view is not None
    return view


def test_the_fields_of_an_event_have_their_names_and_meanings_and_a_row_each() -> None:
    view = seen("service.launched")
    assert (view.entry.index, view.entry.type, view.is_refusal) == (3, "service.launched", False)
    rows = {row.path: row for row in view.fields}
    assert rows["on"].meaning is not None
    assert isinstance(rows["channels"].value, list)
    rows = {row.path: row for row in seen("partnership.signed").fields}
    assert rows["partner.name.ar"].meaning == rows["partner.name.en"].meaning is not None
    rate = rows["terms.bands[0].partner_bp"]
    assert (rate.name, rate.meaning is None) == ("partner_bp", False)


def test_a_refusal_says_why() -> None:
    view = seen("registrar.refused")
    assert view.is_refusal
    first, second, later = explained([*view.errors, EventError(code="of-a-later-release", detail="Later.")])
    for fault in (first, second):
        assert fault.remedy is not None
        assert fault.detail.ar != fault.detail.en
    assert (later.remedy, later.detail.en) == (None, "Later.")


def test_no_entry_is_too_large_for_a_page_and_bytes_that_are_none_are_shown_as_they_are() -> None:
    view = seen("service.launched", channels=[{"n": number} for number in range(ROWS_MAX + 9)])
    assert (len(view.fields), view.is_cut) == (ROWS_MAX, True)
    for bad in (b"", b"{", b"[]", b'{"recordedtime":1}', b"\xff\xfe"):
        assert entry_view(0, bad) is None, bad
        assert isinstance(pretty(bad), str), bad


def test_the_keys_of_the_log_are_those_that_rotations_connect_with_the_consoles_own() -> None:
    step = sign_transition(KEY, proofs.SECOND, proofs.UNTIL, (10, b"\0" * 32))
    for known in (KEY, proofs.SECOND):
        found = history_of(known.verifier, [step.note]) or []
        assert found == [(KEY.verifier, 0), (proofs.SECOND.verifier, 10)]
    assert history_of(proofs.STRANGE.verifier, [step.note]) is None, "a chain of somebody's own"
    assert history_of(proofs.ELSEWHERE.verifier, [step.note]) == [], "nothing is wrong"
    assert history_of(KEY.verifier, [step.note.replace("\n10\n", "\n11\n")]) is None
