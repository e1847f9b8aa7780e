"""What a fault says: the offending value, the rule, and what to do; and never a value that is or may be personal."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from events.faults.details import arabic_of
from events.faults.findings import SHOWN_LENGTH_MAX, shown
from events.validation.verdicts import Agency, Refused
from events.values.personal_data import holds_personal_data
from events.wire.codec import STRUCTURED_HEADERS
from tests.every import every
from tests.unit.events.judgements import refusal_of, refused, verdict_on
from tests.unit.events.mutations import mutated_trees
from tests.world.events import HEALTH, NATIONAL_ID, changed, encoded, golden_event, initiative, sender_of

DETAIL_LENGTH_MAX = 300
"""A sentence and two shortened values."""


def details_of(raw: bytes | None, agency: Agency = HEALTH) -> list[str]:
    return [fault.detail for fault in refused(raw, agency=agency).faults]


ID_FORM = "1–64 of A–Z a–z 0–9 . _ -, the first a letter or digit"
PERIODS = "a month YYYY-01 … YYYY-12 or a quarter YYYY-Q1 … YYYY-Q4"
DIGITS = "20 digits 0–9 from 1 on, with zeros in front"
TIME = "2026-01-31T09:00:00+03:00"
TRAFFIC = "urn:yesser:agency:traffic"
WHOLE = "write a whole number in digits 0–9"

OF_A_VALUE: dict[str, list[tuple[str, Any, str]]] = {
    "service.registered": [
        ("/data/group", "٢", f'"٢" is text; {WHOLE} (2).'),
        ("/data/group", "two", f'"two" is text; {WHOLE}.'),
        ("/data/group", 2.0, f"2.0 is a number with a point or exponent; {WHOLE} (2)."),
        ("/data/group", 2.5, f"2.5 is a number with a point or exponent; {WHOLE}."),
        ("/data/group", True, f"true is a Boolean; {WHOLE}."),
        ("/data/group", None, f"This value is null; {WHOLE}."),
        ("/data/group", [1], f"This value is a list; {WHOLE}."),
        ("/data/group", 4, "4 is not allowed: group is 1, 2 or 3."),
        ("/data/group", 0, "0 is not allowed: group is 1, 2 or 3."),
        # What may be words of a person is never quoted.
        ("/data/name", "x", "This value is text; write an object { … }."),
        ("/data/name/en", 5, "5 is a number; write text in quotes."),
        ("/data/name/en", "", "en has 0 characters; write at least 1."),
        ("/data/name/en", "x" * 2001, "en has 2,001 characters; write at most 2,000."),
        ("/data/name/en", " \n", "en holds only white space; write words."),
        ("/data/name/en", "a\r", "en holds the control character U+000D; remove it."),
        ("/data/name/fr", "x", "Unknown field; remove it or correct its name."),
        ("/data/plan_idd", "x", "Unknown field; remove it or write plan_id."),
        ("/data/nmae", "x", "Unknown field; remove it or write name."),
        ("/data/name/ar", ..., "ar is missing; add it."),
        ("/data/plan_id", "a_b/", f'"a_b/" is not allowed: plan_id is {ID_FORM}.'),
        ("/data/plan_id", "x" * 65, f'"{"x" * 40}…" is not allowed: plan_id is {ID_FORM}.'),
        ("/data/plan_id", "a b", f"This value is not allowed: plan_id is {ID_FORM}."),
        ("/data/plan_id", "سارة", f"This value is not allowed: plan_id is {ID_FORM}."),
        ("/data/plan_id", "s@a.sa", f"This value is not allowed: plan_id is {ID_FORM}."),
        ("/data/plan_id", "a\u202e", f"This value is not allowed: plan_id is {ID_FORM}."),
        ("/data/plan_id", 2**53, "9007199254740992 is beyond ±(2^53 − 1); write a whole number within it."),
        # Ten digits are never quoted, even where they are no national id.
        ("/data/group", int(NATIONAL_ID), "This value is not allowed: group is 1, 2 or 3."),
        ("/data/group", float(NATIONAL_ID), f"This value is a number with a point or exponent; {WHOLE}."),
        ("/data/group", "2064971269", f"This value is text; {WHOLE}."),
        ("/data/group", "٢٠٦٤٩٧١٢٦٩", f"This value is text; {WHOLE}."),
        ("/data/name/en", int(NATIONAL_ID), "This value is a number; write text in quotes."),
    ],
    "service.launched": [
        ("/data/channels/1", "fax", '"fax" is not allowed: channels is web, mobile, kiosk, phone or counter.'),
        ("/data/channels", [], "channels has 0 items; write at least 1."),
        ("/data/channels", "web", "This value is text; write a list [ … ]."),
        ("/data/url", "http://a/", '"http://a/" is not allowed: url is an absolute https URL.'),
        ("/data/on", "1427-02-01", '"1427-02-01" is outside 1924-08-01 … 2077-11-16; write the Gregorian date.'),
        ("/data/on", "2006-2-1", '"2006-2-1" is not a date; write YYYY-MM-DD in the Gregorian calendar.'),
        ("/data/on", "no 1064971269", "This value is not a date; write YYYY-MM-DD in the Gregorian calendar."),
        ("/time", "yesterday", f'"yesterday" is not a time; write it as in {TIME} (RFC 3339 with offset).'),
        ("/subject", "service/SVC-018", '"service/SVC-018" is not the subject of this data; write "service/SVC-017".'),
        ("/specversion", 1.0, '1.0 is a number with a point or exponent; write text in quotes ("1.0").'),
        ("/specversion", 1, '1 is a number; write text in quotes ("1.0").'),
        ("/specversion", "0.3", '"0.3" is not allowed: specversion is 1.0.'),
        ("/sequence", "1", f'"1" is not allowed: sequence is {DIGITS}.'),
        ("/sequence", "0" * 19 + "12", f'"{"0" * 19}12" is not allowed: sequence is {DIGITS}.'),
        ("/sequence", "0" * 20, f'"{"0" * 20}" is not allowed: sequence is {DIGITS}.'),
        ("/sequence", 1, "1 is a number; write text in quotes."),
        ("/type", "service.opened", '"service.opened" is not in the catalogue; use one of its types.'),
        (
            "/type",
            "service.launchd",
            '"service.launchd" is not in the catalogue; use sa.gov.yesser.service.launched.v1 or another of its types.',
        ),
        ("/source", TRAFFIC, f'"{TRAFFIC}" is another agency; write {HEALTH.source}.'),
    ],
    "partnership.signed": [
        ("/data/terms/bands/0/up_to_halalas", 0, "0 is not allowed: up_to_halalas is 1 or more."),
        ("/data/terms/bands/0/partner_bp", 10_001, "10001 is not allowed: partner_bp is 0 to 10000."),
        ("/data/terms/guarantee/recoverable", "yes", '"yes" is text; write true or false.'),
    ],
    "revenue.collected": [
        ("/data/amount_halalas", 0, "0 is not allowed: amount_halalas is 1 or more."),
    ],
    "revenue.period-closed": [
        ("/data/period", "1426-13", f'"1426-13" is not allowed: period is {PERIODS}.'),
    ],
}


@every(("name", "pointer", "value", "detail"), [(name, *row) for name, rows in OF_A_VALUE.items() for row in rows])
def test_a_fault_names_the_value_the_rule_and_what_to_do(name: str, pointer: str, value: Any, detail: str) -> None:
    event = golden_event(name)
    assert details_of(encoded(changed(event, pointer, value)), sender_of(event)) == [detail]
    assert arabic_of(detail) != detail


@every(
    ("raw", "detail"),
    [
        (b'{"a":1,"a":2}', 'The name "a" occurs twice in one object; write it once.'),
        (b'{"a":1,}', "Not well-formed JSON at character 8; write exactly one JSON value."),
        (b'{"a":[1 , ]}', "Not well-formed JSON at character 11; write exactly one JSON value."),
        (b'{"a":1 , \n}', "Not well-formed JSON at character 11; write exactly one JSON value."),
        (b"[1]", "The event is a list; write a JSON object."),
        (b'{"a":"\xff"}', "Byte 7 is not UTF-8; write the whole event as UTF-8."),
        (b" " * 61_441, "The event has 61,441 bytes; shorten it to at most 61,440."),
        (b'{"\\u0031064971268":1,"\\u0031064971268":2}', "A name occurs twice in one object; write it once."),
        (
            encoded(changed(golden_event("plan.adopted"), "/source", HEALTH.source)),
            "An agency may not send plan.adopted; only the programme office may.",
        ),
    ],
)
def test_a_fault_of_the_whole_names_the_place_the_size_or_who_may_send_it(raw: bytes, detail: str) -> None:
    assert details_of(raw) == [detail]


@every("personal", [NATIONAL_ID, f"x {NATIONAL_ID}", "١٠٦٤٩٧١٢٦٨"])
def test_nothing_of_a_record_with_personal_data_is_quoted(personal: str) -> None:
    event = initiative(id="a b", subject="secret subject", time="secret time", remark=personal)
    event["data"]["on"] = "secret"
    text = " ".join(details_of(encoded(event)))
    for kept in ("secret", "a b", personal):
        assert kept not in text
    assert "This value is not a time" in text
    repeated = encoded(event).replace(b"{", b'{"id":"secret","id":"x",', 1)
    assert details_of(repeated) == [
        "A name occurs twice in one object; write it once.",
        "A national id was found here; remove it.",
    ]
    headers = [*STRUCTURED_HEADERS, ("x-user", personal.encode())]
    assert "secret" not in refused(encoded(initiative(time="secret")), headers).faults[0].detail


@given(st.text() | st.integers() | st.floats() | st.text('0123456789١٢\x85\u202e"\\ .', max_size=60))
def test_what_is_shown_is_short_printable_and_never_personal(value: Any) -> None:
    text = shown(value)
    if text is not None:
        assert text.isprintable()
        assert len(text) <= SHOWN_LENGTH_MAX + len('"…"')
        assert not holds_personal_data(text)


@settings(max_examples=500, deadline=None)
@given(mutated_trees())
def test_a_refusal_of_anything_is_well_formed_bounded_and_not_personal(case: tuple[bytes, Agency]) -> None:
    raw, agency = case
    verdict = verdict_on(raw, agency=agency)
    if isinstance(verdict, Refused):
        assert max(len(fault.detail) for fault in verdict.faults) <= DETAIL_LENGTH_MAX
        assert all(arabic_of(fault.detail) != fault.detail for fault in verdict.faults)
        refusal_of(raw, verdict)
