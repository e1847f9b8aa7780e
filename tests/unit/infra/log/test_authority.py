"""Who has authority, folded from entries and compared with the tables."""

from __future__ import annotations

from typing import Any

import pytest

from events.wire.codec import build_event
from events.wire.entry import entry_bytes
from infra.log.authority import Authority, Change, TableDiffers, changes_in, differences
from infra.log.key_history import KeyHistory
from infra.log.signed_note import InvalidNote, LogKey
from infra.log.verified_authority import KeptAuthority, parse_kept
from tests.every import every

NAME = {"ar": "جهة\nالصحة", "en": "Health"}
REASON = {"ar": "سبب", "en": "reason"}
KEY = LogKey("log.example/0", b"k" * 32)
HISTORY = KeyHistory((KEY.verifier,))


def registered(index: int, code: str = "health", role: str = "agency") -> Change:
    return Change("registry.agency-registered", {"code": code, "role": role, "name": NAME}, index, f"agency.{code}")


def changed(index: int, change: str, code: str = "health") -> Change:
    return Change(f"registry.agency-{change}", {"code": code, "reason": REASON}, index, f"{change}.{code}")


def folded(*changes: Change) -> Authority:
    authority = Authority()
    authority.apply(changes)
    return authority


def agency_row(code: str = "health", role: str = "agency", index: int = 2) -> dict[str, Any]:
    return {"code": code, "role": role, "name": NAME, "registered_index": index}


def suspension_row(index: int | None, code: str = "health") -> dict[str, Any]:
    return {"agency": code, "reason": REASON, "index": index}


def test_the_first_registration_of_a_code_is_final_and_a_suspension_holds_until_it_ends() -> None:
    authority = folded(registered(2), registered(5, role="office"))
    assert (authority.agencies["health"].role, authority.agencies["health"].index) == ("agency", 2)
    assert folded(registered(2), changed(3, "suspended")).suspensions["health"].index == 3
    assert not folded(registered(2), changed(3, "suspended"), changed(4, "resumed")).suspensions
    again = folded(changed(3, "suspended"), changed(4, "resumed"), changed(5, "suspended"))
    assert again.suspensions["health"].index == 5


def test_only_entries_about_authority_are_read() -> None:
    told: list[tuple[str, dict[str, Any]]] = [
        ("registry.agency-registered", {"code": "health", "role": "agency", "name": NAME}),
        ("projection.committed", {"name": "registry.agency-suspended.v1"}),
        ("registrar.catalogue-adopted", {"sha256": "a" * 64, "release": "1"}),
    ]
    about: dict[str, Any] = {"agency": "platform", "subject": "agency/health", "time": "2005-01-01T00:00:00Z"}
    entries = [
        entry_bytes(
            "2005-01-01T00:00:00.000000Z",
            f"agency.platform.events/0/{number}",
            build_event(type=kind, id=f"e{number}", data=data, **about),
        )
        for number, (kind, data) in enumerate(told)
    ]
    assert [(change.type, change.index) for change in changes_in(7, entries)] == [
        ("registry.agency-registered", 7),
        ("registrar.catalogue-adopted", 9),
    ]


@every(
    ("agencies", "words"),
    [
        ([agency_row(role="office")], 'agency, health: the table has .*"office".*the log gives .*"agency".*index 2'),
        ([agency_row(index=3)], "platform.agency, health: .* at index 2"),
        ([], "platform.agency, health: the table has no row, .* at index 2"),
        ([agency_row(), agency_row("spy", "office", 9)], "platform.agency, spy: .* the log gives no row at index 9"),
    ],
)
def test_a_changed_agency_is_named_with_both_values(agencies: list[dict[str, Any]], words: str) -> None:
    assert not differences(folded(registered(2)), [agency_row()], [])
    [difference] = differences(folded(registered(2)), agencies, [])
    with pytest.raises(TableDiffers, match=words):
        raise TableDiffers(difference)


@every(
    ("rows", "expected"),
    [([], [3]), ([suspension_row(9)], [3]), ([suspension_row(None)], []), ([suspension_row(3)], [])],
)
def test_a_changed_suspension_is_found_and_no_open_request(rows: list[dict[str, Any]], expected: list[int]) -> None:
    authority = folded(registered(2), registered(4, "labour"), changed(3, "suspended"))
    agencies = [agency_row("labour", index=4), agency_row()]
    assert [difference.index for difference in differences(authority, agencies, rows)] == expected
    assert not differences(folded(registered(2)), [agency_row()], [suspension_row(None)])
    [unknown] = differences(folded(registered(2)), [agency_row()], [suspension_row(7)])
    assert (unknown.table, unknown.key, unknown.expected) == ("platform.suspension", "health", None)


def test_a_note_gives_what_was_kept_and_another_one_is_refused() -> None:
    adopted = Change("registrar.catalogue-adopted", {"sha256": "a" * 64, "release": "1"}, 4, "c")
    kept = KeptAuthority(6, b"r" * 32, folded(registered(2), changed(3, "suspended"), adopted))
    note = kept.note(KEY)
    assert parse_kept(note, HISTORY) == kept
    with pytest.raises(InvalidNote):
        parse_kept(note, KeyHistory((LogKey(KEY.name, b"x" * 32).verifier,)))
    with pytest.raises(InvalidNote):
        parse_kept(note.replace('"agency"', '"office"'), HISTORY)
    with pytest.raises(InvalidNote, match="not about authority"):
        parse_kept(KEY.sign_checkpoint(6, b"r" * 32), HISTORY)
