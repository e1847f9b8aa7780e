"""An entry as a page shows it: field by field, and red as soon as a byte is not what was signed."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from consumers.console.pages.audit.entry import ROWS_MAX, entry_view, pretty, proof_state
from consumers.console.pages.audit.routes import history_of
from consumers.console.pages.workspace.faults import explained
from infra.log.key_history import sign_transition
from infra.log.merkle import leaf_hash
from infra.log.proofs import inclusion_proof
from infra.log.signed_note import LogKey, sign_note
from tests.paths import ROOT
from tests.world.memory_log import KEY, MemoryLog, sample_entries

ENTRIES = sample_entries(20)
OTHER = LogKey(KEY.name, b"\x07" * 32)


async def document(index: int = 7) -> dict[str, Any]:
    """As `/v1/proofs/{index}` answers."""
    log = MemoryLog(ENTRIES)
    path = await inclusion_proof(log, index, len(ENTRIES))
    return {
        "index": index,
        "entry": ENTRIES[index].decode(),
        "leaf": base64.b64encode(leaf_hash(ENTRIES[index])).decode(),
        "path": [base64.b64encode(step).decode() for step in path],
        "checkpoint": log.note,
        "rotations": "",
    }


async def test_a_whole_proof_holds() -> None:
    assert proof_state(await document(), KEY.verifier) == "good"


async def test_a_changed_entry_is_red_with_and_without_its_hash() -> None:
    changed = ENTRIES[7].replace(b"7", b"8", 1)
    alone = await document() | {"entry": changed.decode()}
    assert proof_state(alone, KEY.verifier) == "changed"
    both = alone | {"leaf": base64.b64encode(leaf_hash(changed)).decode()}
    assert proof_state(both, KEY.verifier) == "not-in-tree"


async def test_a_checkpoint_of_another_log_is_not_verified_and_not_called_changed() -> None:
    elsewhere = LogKey("another.example/0", b"\x07" * 32)
    assert proof_state(await document(), elsewhere.verifier) == "other-key"
    changed = ENTRIES[7].replace(b"7", b"8", 1)
    both = {"entry": changed.decode(), "leaf": base64.b64encode(leaf_hash(changed)).decode()}
    assert proof_state(await document() | both, elsewhere.verifier) == "not-in-tree"


async def test_a_checkpoint_in_the_logs_own_name_under_an_unknown_key_is_red() -> None:
    """Anyone who can write the database can write such a line, with a key of his own or with none."""
    text = str((await document())["checkpoint"]).partition("\n\n")[0]
    forger = LogKey(KEY.name, b"\x08" * 32)
    garbage = f"{text}\n\n— {KEY.name} {base64.b64encode(b'any!' + bytes(64)).decode()}\n"
    own_chain = sign_transition(OTHER, forger, datetime(2026, 12, 1, tzinfo=UTC), (10, b"\0" * 32)).note
    for forged in (garbage, sign_note(f"{text}\n", [forger])):
        for rotations in ("", own_chain):
            found = await document() | {"checkpoint": forged, "rotations": rotations}
            assert proof_state(found, KEY.verifier) == "not-signed"


async def test_a_checkpoint_without_a_signature_of_its_log_is_red() -> None:
    note = str((await document())["checkpoint"])
    text, _, lines = note.partition("\n\n")
    blob = base64.b64decode(lines.split()[2])
    relabelled = f"{text}\n\n— {KEY.name} {base64.b64encode(OTHER.verifier.key_id + blob[4:]).decode()}\n"
    of_a_witness = f"{text}\n\n— witness.example {lines.split()[2]}\n"
    wrong = f"{text}\n\n— {KEY.name} {base64.b64encode(blob[:4] + bytes(64)).decode()}\n"
    for changed in (relabelled, of_a_witness, wrong):
        assert proof_state(await document() | {"checkpoint": changed}, KEY.verifier) == "not-signed"
    assert proof_state(await document() | {"checkpoint": "no note"}, KEY.verifier) == "not-signed"
    assert proof_state(await document() | {"rotations": "no note"}, KEY.verifier) == "not-signed"


async def test_without_a_key_nothing_is_called_good() -> None:
    assert proof_state(await document(), None) == "no-key"


def raw(name: str, **changed: Any) -> bytes:
    event = orjson.loads((ROOT / f"events/examples/v1/{name}.json").read_bytes())
    event["data"] |= changed
    address = "agency.health.events/0/17"
    return orjson.dumps({"recordedtime": "2026-11-01T06:00:00.000000Z", "from": address, "event": event})


def test_the_fields_of_an_event_have_their_names_and_meanings() -> None:
    view = entry_view(3, raw("service.launched"))
    assert view is not None
    assert (view.index, view.type, view.sender, view.is_refusal) == (3, "service.launched", "health", False)
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
    step = sign_transition(KEY, OTHER, datetime(2026, 12, 1, tzinfo=UTC), (10, b"\0" * 32))
    for known in (KEY, OTHER):
        found = history_of(known.verifier, [step.note]) or []
        assert [(row["from_size"], row["is_current"]) for row in found] == [(0, False), (10, True)]
    assert history_of(LogKey(KEY.name, b"\x08" * 32).verifier, [step.note]) is None, "a chain of somebody's own"
    assert history_of(LogKey("another.example/0", b"\x08" * 32).verifier, [step.note]) == [], "nothing is wrong"
    assert history_of(KEY.verifier, [step.note.replace("\n10\n", "\n11\n")]) is None
