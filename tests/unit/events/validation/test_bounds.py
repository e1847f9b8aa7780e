"""The bounds of lists, objects, refusals and pointers: what is beyond has one fault and is not looked into."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from consumers.registrar.recovery.restored import event_of_record
from events.values.bounds import FAULTS_MAX, MEMBERS_MAX
from events.values.json_pointer import pointer_of
from events.wire.codec import STRUCTURED_HEADERS
from events.wire.entry import entry_bytes, parse_entry
from tests.every import every
from tests.unit.events.judgements import faults_of, faults_of_event, refused, verdict_on
from tests.world.events import NATIONAL_ID, TEXT, changed, encoded, golden_event, initiative, sender_of
from tests.world.refused_events import Faults

LISTS: list[tuple[str, str, list[Any]]] = [
    ("service.launched", "/data/channels", ["web"] * 10),
    ("campaign.triggered", "/data/channels", ["tv"] * 10),
    ("partnership.workshop-announced", "/data/partners", [TEXT] * 100),
    ("partnership.workshop-held", "/data/partners", [TEXT] * 100),
    ("project.registered", "/data/phases", [{"phase": number, "name": TEXT} for number in range(1, 51)]),
    ("partnership.signed", "/data/services", [f"S-{number}" for number in range(200)]),
    (
        "partnership.signed",
        "/data/terms/bands",
        [{"up_to_halalas": number or None, "partner_bp": 1} for number in [*range(1, 50), 0]],
    ),
]


@every(("name", "pointer", "full"), LISTS)
def test_a_list_at_its_bound_is_accepted_and_beyond_it_one_fault(name: str, pointer: str, full: list[Any]) -> None:
    event = golden_event(name)
    assert faults_of_event(changed(event, pointer, full)) == []
    for beyond in (full[0], {"\0": ["\0", 2**60, 1.5]}):
        assert faults_of_event(changed(event, pointer, [*full, beyond])) == [("invalid-value", pointer)]


def test_a_term_of_400_periods_is_accepted_and_401_are_one_fault() -> None:
    event = golden_event("partnership.signed")
    event["data"]["terms"] |= {"starts_on": "1990-01-01", "ends_on": "2023-04-30", "calendar": "gregorian"}
    labels = [f"{year}-{month:02d}" for year in range(1990, 2024) for month in range(1, 13)]
    expected = [{"period": label, "amount_halalas": 0} for label in labels]
    assert faults_of_event(changed(event, "/data/terms/expected", expected[:400])) == []
    longer = changed(event, "/data/terms/ends_on", "2023-05-31")
    faults = faults_of_event(changed(longer, "/data/terms/expected", expected[:401]))
    assert faults == [("invalid-value", "/data/terms/expected")]


def many(count: int = MEMBERS_MAX + 1, value: Any = "\0") -> dict[str, Any]:
    return {f"m{number}": value for number in range(count)}


@every(
    ("pointer", "expected"),
    [
        ("/data/name", [("invalid-value", "/data/name")]),
        ("/data/x", [("invalid-value", "/data/x"), ("unknown-field", "/data/x")]),
        ("/x", [("invalid-value", "/x"), ("unknown-field", "/x")]),
        ("/subject", [("invalid-value", "/subject")]),
        ("/data", [("invalid-value", "/data")]),
    ],
)
def test_an_object_with_more_than_64_members_is_one_fault(pointer: str, expected: Faults) -> None:
    assert faults_of_event(changed(initiative(), pointer, many())) == expected


def test_64_members_are_each_checked_and_an_event_with_more_has_this_fault_alone_but_for_personal_data() -> None:
    name = {**TEXT, **many(MEMBERS_MAX - 2, 1)}
    assert len(faults_of_event(changed(initiative(), "/data/name", name))) == MEMBERS_MAX - 2
    assert faults_of_event(initiative(correlationid=NATIONAL_ID, **many())) == [
        ("invalid-value", ""),
        ("personal-data", "/correlationid"),
    ]

    assert faults_of_event(initiative(time="never", **many())) == [("invalid-value", "")]
    data = encoded({**initiative()["data"], "on": "never"})
    assert "bad-header" in dict(faults_of(data, [("ce_a0", b"\xff")]))
    assert faults_of(data, [(f"ce_a{number}", b"x") for number in range(65)]) == [("invalid-value", "")]


@every(
    ("pointer", "value", "expected"),
    [
        ("/data/name", many(value=NATIONAL_ID), [("invalid-value", "/data/name"), ("personal-data", "/data/name/m0")]),
        (
            "/x",
            many(value=[{"a-b": {"c": NATIONAL_ID}}]),
            [("invalid-value", "/x"), ("unknown-field", "/x"), ("personal-data", "/x/m0/0")],
        ),
        ("/x", {**many(), NATIONAL_ID: 1}, [("invalid-value", "/x"), ("personal-data", "/x"), ("unknown-field", "/x")]),
    ],
)
def test_personal_data_is_found_in_what_is_beyond_a_bound(pointer: str, value: Any, expected: Faults) -> None:
    verdict = refused(encoded(changed(initiative(), pointer, value)))
    assert [(f.code, f.pointer) for f in verdict.faults][: len(expected)] == expected
    assert not verdict.keep_raw


def test_a_list_beyond_its_bound_hides_only_what_is_in_it() -> None:
    event = changed(golden_event("partnership.signed"), "/data/terms/bands", [{}] * 10_000)
    event = changed(event, "/data/services", [NATIONAL_ID] * 201)
    event["data"]["signed_on"] = "never"
    faults = faults_of_event(event)
    assert [fault for fault in faults if fault[0] != "personal-data"] == [("invalid-value", "/data/services")]
    assert len(faults) == FAULTS_MAX


def test_a_refusal_lists_the_first_100_faults_by_pointer_then_code() -> None:
    verdict = refused(encoded(initiative(x=["\0"] * 300, time="never")))
    everything = [
        ("/time", "invalid-value"),
        ("/x", "unknown-field"),
        *((f"/x/{number}", "invalid-value") for number in range(300)),
    ]
    assert [(f.pointer, f.code) for f in verdict.faults] == sorted(everything)[:FAULTS_MAX]
    assert verdict.unlisted == len(everything) - FAULTS_MAX


@every(
    ("name", "shown"),
    [
        ("remark", "/data/remark"),
        ("_x9", "/data/_x9"),
        ("x" * 64, f"/data/{'x' * 64}"),
        ("x" * 65, "/data"),
        ("", "/data"),
        ("a-b", "/data"),
        ("a/b", "/data"),
        ("a~b", "/data"),
        ("حقل", "/data"),
        ("a\n", "/data"),
        ("9a", "/data"),
        ("12345", "/data/12345"),
        ("123456", "/data"),
        ("01", "/data"),
        (f"x_{NATIONAL_ID}", "/data"),
    ],
)
def test_a_pointer_ends_where_a_name_is_no_plain_word(name: str, shown: str) -> None:
    event = initiative()
    event["data"][name] = {"y": [2**60]}
    below = f"{shown}/y/0" if shown != "/data" else "/data"
    expected = [("number-out-of-range", below), ("unknown-field", shown)]
    if NATIONAL_ID in name:
        expected.append(("personal-data", "/data"))
    assert sorted(faults_of_event(event)) == sorted(expected)
    assert pointer_of(["data", name, "y", 0]) == below
    # It disturbs no rule over several members.
    assert ("subject-mismatch", "/subject") in faults_of_event({**event, "subject": "initiative/I-2"})


def test_an_entry_beyond_the_bounds_is_read_and_recovered_as_before() -> None:
    event = changed(golden_event("partnership.signed"), "/data/services", [f"S-{number}" for number in range(201)])
    raw = encoded(event)
    entry = parse_entry(7, entry_bytes("2006-01-01T00:00:00.000000Z", "agency.health.events/0/3", raw))
    assert len(entry.data["services"]) == 201
    record = SimpleNamespace(offset=3, value=raw, headers=STRUCTURED_HEADERS)
    taken = event_of_record(record, verdict_on(raw, agency=sender_of(event)), sender_of(event))
    assert taken is not None
    assert taken.event_bytes == raw
