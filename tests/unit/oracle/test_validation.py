"""The oracle's validation: the tables of refusals, duplicates and conflicts, and what a file adds to records."""

from __future__ import annotations

import json

import pytest

from events.validation.verdicts import Agency as Sender
from events.wire.codec import STRUCTURED_HEADERS
from tests.every import every
from tests.oracle.log import make_event
from tests.oracle.reading import NotJson, scan
from tests.oracle.validation import Agency, Registrar, Verdict, fill
from tests.world.events import HEALTH, changed, encoded, golden_event, initiative, sender_of
from tests.world.refused_events import DATA, ENVELOPE, OTHER_TYPES, PERSONAL, UNREADABLE, Faults

SILENT = {
    "a huge number as id",
    "the year 0000",
    "a NUL in an unknown field",
    "a huge number in an unknown field",
    "a guarantee without expected",
}
"""Refused as well, but the contract does not say with which code or pointer."""


def judge(*lines: bytes) -> list[Verdict]:
    return Registrar(Agency("health")).publish(lines).verdicts


def records() -> list[tuple[str, bytes, Sender, Faults]]:
    """The tables of the product's validation, as records of their senders."""
    found = [(name, raw, HEALTH, faults) for name, raw, faults in UNREADABLE if raw is not None]
    for name, pointer, value, faults in (*ENVELOPE, *DATA, *PERSONAL):
        raw = encoded(changed(initiative(), pointer, value)).replace(b"\xed\xa0\x80", b"\\ud800")
        found.append((name, raw, HEALTH, faults))
    for type_name, name, pointer, value, faults in OTHER_TYPES:
        event = golden_event(type_name)
        found.append((name, encoded(changed(event, pointer, value)), sender_of(event), faults))
    return found


@every(("name", "raw", "sender", "faults"), records)
def test_a_tables_record_has_codes_and_pointers(name: str, raw: bytes, sender: Sender, faults: Faults) -> None:
    verdict = Registrar(Agency(sender.code, sender.role)).judge_record(1, raw, STRUCTURED_HEADERS)
    if name in SILENT:
        assert verdict.kind == "refused"
    else:
        assert sorted(verdict.faults) == sorted(faults), "tests/oracle finds others: give it the rule"


def test_form_comes_before_authority_and_authority_before_identity() -> None:
    plan = make_event("plan.amended", "health", "plan/P", {"plan_id": "P"}, "e1")
    assert {code for code, _ in judge(encoded(plan))[0].faults} == {"missing-field"}
    targets = {"infrastructure_projects": 0, "national_applications": 0, "services": {"1": 0, "2": 0, "3": 0}}
    plan["data"] |= {"targets": targets, "reason": {"ar": "س", "en": "x"}}
    verdicts = judge(encoded(initiative()), encoded(plan))
    assert verdicts[1].faults == (("not-authorised", "/type"),)


def test_lines_of_a_file_are_judged_one_after_another_and_blank_ones_are_numbered_only() -> None:
    event = initiative()
    wrong = event | {"subject": "initiative/J"}
    again = dict(reversed(list(event.items()))) | {"sequence": "0" * 19 + "7", "partitionkey": None}
    later = event | {"time": "2015-06-06T06:06:06Z"}
    other_writing = json.dumps(again, indent=1).replace("\n", " ").encode()
    too_long = b"{" + b" " * 130_000 + b"}"
    found = judge(b"", b" \t", encoded(wrong), encoded(event), other_writing, encoded(later), too_long)
    assert [(verdict.line, verdict.kind) for verdict in found] == [
        (3, "refused"),
        (4, "accepted"),
        (5, "duplicate"),
        (6, "conflict"),
        (7, "refused"),
    ]
    assert (found[2].of_line, found[3].faults) == (4, (("conflict", ""),))
    assert (found[4].sent, found[4].faults) == (False, (("too-large", ""),))


def test_only_what_an_object_lacks_is_filled_in() -> None:
    assert fill(b"not json {", "health") == b"not json {"
    assert fill(b'[{"a":1}]', "health") == b'[{"a":1}]'
    added = b'"specversion":"1.0","source":"urn:yesser:agency:health","datacontenttype":"application/json"'
    assert fill(b" { }", "health") == b" {" + added + b" }"
    assert fill(b'{"source":null,"specversion":"1.0","datacontenttype":"x"}', "health").startswith(b'{"source":null')


@every("text", ["", "{", "{]", "[}", "[1,]", '{"a"}', '{"a":}', '{"a":1,}', "{1:2}", "1 2", '"\t"', "{}}", "[1 2]"])
def test_what_is_no_json_is_seen_without_recursion(text: str) -> None:
    with pytest.raises(NotJson):
        scan(text)
