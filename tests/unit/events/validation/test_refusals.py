"""Every refusal code with its pointers: what is sent, and what is answered."""

from __future__ import annotations

from typing import Any

from events.faults.problems import CODES, CONFLICT
from tests.every import every
from tests.unit.events.judgements import accepted, faults_of, faults_of_event
from tests.world.events import HEALTH, OFFICE, PLATFORM, changed, encoded, golden_event, initiative
from tests.world.refused_events import DATA, ENVELOPE, OTHER_TYPES, PERSONAL, UNREADABLE, Faults


@every(("name", "raw", "expected"), UNREADABLE)
def test_what_cannot_be_read_is_one_fault_but_for_personal_data(name: str, raw: bytes | None, expected: Faults) -> None:
    assert faults_of(raw) == expected


@every(("name", "pointer", "value", "expected"), [*ENVELOPE, *DATA, *PERSONAL])
def test_a_fault_of_form_has_its_code_and_pointer(name: str, pointer: str, value: Any, expected: Faults) -> None:
    raw = encoded(changed(initiative(), pointer, value)).replace(b"\xed\xa0\x80", b"\\ud800")
    assert sorted(faults_of(raw)) == sorted(expected), "events/validation finds others"


@every(("type_name", "name", "pointer", "value", "expected"), OTHER_TYPES)
def test_faults_have_code_and_pointer(type_name: str, name: str, pointer: str, value: Any, expected: Faults) -> None:
    assert faults_of_event(changed(golden_event(type_name), pointer, value)) == expected


def test_every_code_is_in_the_tables() -> None:
    rows: tuple[tuple[Any, ...], ...] = (*UNREADABLE, *ENVELOPE, *DATA, *PERSONAL, *OTHER_TYPES)
    shown = {code for row in rows for code, _ in row[-1]}
    untried = set(CODES) - shown - {"bad-header", "not-authorised", CONFLICT.code}
    assert not untried, f"add an event with each of {untried} to tests/world/refused_events.py"


def test_all_faults_of_form_are_listed_in_the_order_of_their_pointers() -> None:
    event = initiative(id="a b", time="yesterday", remark=1)
    event["data"].update({"on": "2005-02-30", "more": "x"})
    pointers = ["/data/more", "/data/on", "/id", "/remark", "/time"]
    assert [pointer for _, pointer in faults_of(encoded(event))] == pointers


def test_a_member_at_fault_disturbs_no_rule_over_several_and_is_not_compared_itself() -> None:
    event = changed(golden_event("partnership.signed"), "/data/terms/bands/1/up_to_halalas", 1)
    event["data"]["terms"]["bands"][0]["x"] = 1
    assert faults_of(encoded(event)) == [
        ("invalid-value", "/data/terms/bands"),
        ("unknown-field", "/data/terms/bands/0/x"),
    ]
    event = changed(initiative(subject="initiative/-a"), "/data/initiative_id", "-a")
    assert faults_of(encoded(event)) == [("invalid-value", "/data/initiative_id")]


def test_a_foreign_source_is_listed_only_when_the_form_is_good_and_without_the_type_it_may_not_send() -> None:
    event = initiative(source="urn:yesser:agency:interior")
    event["data"]["on"] = "x"
    assert faults_of(encoded(event)) == [("invalid-value", "/data/on")]
    assert faults_of(encoded(golden_event("plan.adopted"))) == [("foreign-source", "/source")]


def test_each_sender_may_send_its_own_types_alone() -> None:
    foreign = [
        *((HEALTH, name) for name in ("plan.adopted", "service.reassigned", "registry.agency-registered")),
        *((agency, "campaign.triggered") for agency in (HEALTH, OFFICE)),
        (PLATFORM, "awareness.initiative-announced"),
    ]
    for agency, name in foreign:
        raw = encoded(changed(golden_event(name), "/source", agency.source))
        assert faults_of(raw, agency=agency) == [("not-authorised", "/type")], (agency, name)
    accepted(encoded(changed(golden_event("service.launched"), "/source", OFFICE.source)), agency=OFFICE)
