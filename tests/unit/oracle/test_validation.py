"""The oracle's validation: codes and pointers of refusals, duplicates and conflicts."""

from __future__ import annotations

import json

import pytest

from tests.every import every
from tests.oracle.log import JsonObject, make_event
from tests.oracle.personal import has_personal_number, luhn_holds
from tests.oracle.reading import NotJson, scan
from tests.oracle.validation import Agency, Registrar, Verdict, fill

PERSONAL = "1000000008"


def initiative(**changes: object) -> JsonObject:
    text = {"ar": "نص", "en": "text"}
    data = {"initiative_id": "I", "name": text, "aim": text, "on": "2005-05-05"}
    event = make_event("awareness.initiative-announced", "health", "initiative/I", data, "e1")
    return event | changes


def judge(*lines: bytes) -> list[Verdict]:
    return Registrar(Agency("health")).publish(lines).verdicts


def line(event: JsonObject) -> bytes:
    return json.dumps(event).encode()


def test_a_good_event_is_accepted() -> None:
    assert [verdict.kind for verdict in judge(line(initiative()))] == ["accepted"]


@every(
    ("changes", "faults"),
    [
        ({"type": None}, (("missing-field", "/type"),)),
        ({"data": None}, (("missing-field", "/data"),)),
        ({"data_base64": "e30="}, (("unknown-field", "/data_base64"),)),
        ({"data_base64": None}, ()),
        ({"source": "urn:yesser:agency:customs"}, (("foreign-source", "/source"),)),
        ({"source": "health"}, (("invalid-value", "/source"),)),
        ({"time": "2005-05-05T05:05:05"}, (("invalid-value", "/time"),)),
        ({"time": "2078-05-05T05:05:05Z"}, (("date-out-of-range", "/time"),)),
        ({"sequence": "0" * 20}, (("invalid-value", "/sequence"),)),
        ({"subject": "initiative/J"}, (("subject-mismatch", "/subject"),)),
        ({"correlationid": PERSONAL}, (("personal-data", "/correlationid"),)),
        ({PERSONAL: "x"}, (("personal-data", ""), ("unknown-field", ""))),
        ({"type": "sa.gov.yesser.2.v1"}, (("unknown-type", "/type"),)),
    ],
)
def test_each_fault_of_the_envelope_has_its_code_and_pointer(
    changes: JsonObject, faults: tuple[tuple[str, str], ...]
) -> None:
    assert judge(line(initiative(**changes)))[0].faults == faults


@every(
    ("raw", "faults"),
    [
        (b"[]", (("not-json", ""),)),
        (b"\xef\xbb\xbf{}", (("not-json", ""),)),
        (b'{"a": NaN}', (("not-json", ""),)),
        (b'{"a": 01}', (("not-json", ""),)),
        (b'{"a": "\xff"}', (("not-utf8", ""),)),
        (b'{"a": 1, "\\u0061": 2}', (("duplicate-name", ""),)),
        (b'{"a": ' + b"[" * 16 + b"]" * 16 + b"}", (("too-deep", ""),)),
        (b'{"a": ' + b"[" * 20_000 + b"]" * 20_000 + b"}", (("too-deep", ""),)),
        (b'{"a": "' + b"x" * 61_440 + b'"}', (("too-large", ""),)),
        (b'{"a": "1000000008"', (("not-json", ""), ("personal-data", ""))),
    ],
)
def test_what_stops_reading_is_listed_alone_but_for_personal_data(
    raw: bytes, faults: tuple[tuple[str, str], ...]
) -> None:
    assert judge(raw)[0].faults == faults


def test_all_faults_of_form_are_listed() -> None:
    event = initiative(subject="initiative/J")
    event["data"] = {**event["data"], "on": "1900-01-01", "remark": 1, "name": None}
    assert judge(line(event))[0].faults == (
        ("invalid-value", "/data/name"),
        ("date-out-of-range", "/data/on"),
        ("unknown-field", "/data/remark"),
        ("subject-mismatch", "/subject"),
    )


def test_what_is_beyond_a_bound_is_one_fault_and_is_searched_for_personal_data_only() -> None:
    many: JsonObject = {f"m{number}": "\0" for number in range(64)}
    assert judge(line(initiative(**many)))[0].faults == (("invalid-value", ""),)
    event = initiative(x={**many, "y": PERSONAL})
    assert judge(line(event))[0].faults == (
        ("invalid-value", "/x"),
        ("unknown-field", "/x"),
        ("personal-data", "/x/y"),
    )


def test_the_first_100_faults_by_pointer_are_listed_and_pointers_show_plain_words_only() -> None:
    event = initiative(time="never", x=[PERSONAL] * 200)
    faults = judge(line(event))[0].faults
    assert len(faults) == 100
    assert faults[:4] == (
        ("invalid-value", "/time"),
        ("unknown-field", "/x"),
        ("personal-data", "/x/0"),
        ("personal-data", "/x/1"),
    )
    odd = judge(line(initiative(**{"a-b": {"c": PERSONAL}})))[0].faults
    assert odd == (("personal-data", ""), ("unknown-field", ""))


def test_form_comes_before_authority_and_authority_before_identity() -> None:
    plan = make_event("plan.amended", "health", "plan/P", {"plan_id": "P"}, "e1")
    assert {code for code, _ in judge(line(plan))[0].faults} == {"missing-field"}
    targets = {"infrastructure_projects": 0, "national_applications": 0, "services": {"1": 0, "2": 0, "3": 0}}
    plan["data"] |= {"targets": targets, "reason": {"ar": "س", "en": "x"}}
    verdicts = judge(line(initiative()), line(plan))
    assert verdicts[1].faults == (("not-authorised", "/type"),)


def test_another_key_order_white_space_and_sequence_make_a_duplicate_and_another_time_a_conflict() -> None:
    event = initiative()
    again = dict(reversed(list(event.items()))) | {"sequence": "0" * 19 + "7", "partitionkey": None}
    changed = event | {"time": "2015-06-06T06:06:06Z"}
    verdicts = judge(line(event), json.dumps(again, indent=1).replace("\n", " ").encode(), line(changed))
    assert [verdict.kind for verdict in verdicts] == ["accepted", "duplicate", "conflict"]
    assert verdicts[1].of_line == 1
    assert verdicts[2].faults == (("conflict", ""),)


def test_a_refused_record_claims_no_id() -> None:
    wrong = initiative(subject="initiative/J")
    assert [verdict.kind for verdict in judge(line(wrong), line(initiative()))] == ["refused", "accepted"]


def test_blank_lines_are_skipped_but_numbered() -> None:
    assert [verdict.line for verdict in judge(b"", b" \t", line(initiative()))] == [3]


def test_a_line_that_the_topic_cannot_hold_is_not_sent() -> None:
    verdict = judge(b"{" + b" " * 130_000 + b"}")[0]
    assert (verdict.kind, verdict.sent, verdict.faults) == ("refused", False, (("too-large", ""),))


def test_only_what_an_object_lacks_is_filled_in() -> None:
    assert fill(b"not json {", "health") == b"not json {"
    assert fill(b'[{"a":1}]', "health") == b'[{"a":1}]'
    added = b'"specversion":"1.0","source":"urn:yesser:agency:health","datacontenttype":"application/json"'
    assert fill(b" { }", "health") == b" {" + added + b" }"
    assert fill(b'{"source":null,"specversion":"1.0","datacontenttype":"x"}', "health").startswith(b'{"source":null')


@every(
    ("text", "personal"),
    [
        (PERSONAL, True),
        ("رقم ١٠٠٠٠٠٠٠٠٨، شكرا", True),
        ("۱۰۰۰۰۰۰۰۰۸", True),
        ("event." + PERSONAL, True),
        ("A" + PERSONAL, False),
        (PERSONAL + "هـ", False),
        ("1234567890", False),
        ("3000000004", False),
        ("10000000080", False),
    ],
)
def test_a_national_id_is_a_whole_run_of_ten_digits_with_a_check_digit(text: str, personal: bool) -> None:
    assert has_personal_number(text) is personal


def test_the_check_digit_is_luhns() -> None:
    assert luhn_holds("79927398713")
    assert not luhn_holds("79927398710")


@every("text", ["", "{", "{]", "[}", "[1,]", '{"a"}', '{"a":}', '{"a":1,}', "{1:2}", "1 2", '"\t"', "{}}", "[1 2]"])
def test_what_is_no_json_is_seen_without_recursion(text: str) -> None:
    with pytest.raises(NotJson):
        scan(text)


def test_an_id_of_ten_digits_is_refused_whether_or_not_the_check_digit_holds() -> None:
    for number, code in (("1000000009", "id-looks-personal"), (PERSONAL, "personal-data")):
        event = initiative(subject=f"initiative/{number}")
        event["data"] = {**event["data"], "initiative_id": number}
        assert (code, "/data/initiative_id") in judge(line(event))[0].faults
