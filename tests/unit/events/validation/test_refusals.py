"""Every refusal code with its pointers: what is sent, and what the agency is told."""

from __future__ import annotations

from typing import Any

import pytest

from events.faults.problems import CODES, CONFLICT
from events.validation.verdicts import Accepted, Agency, Refused
from events.wire.codec import STRUCTURED_HEADERS
from events.wire.envelope import EVENT_BYTES_MAX
from tests.every import every
from tests.unit.events.samples import HEALTH, OFFICE, changed, encoded, golden_event, initiative, sender_of, verdict_on

Faults = list[tuple[str, str]]

NATIONAL_ID = "1064971268"
NO_LUHN = "1064971269"
ARABIC_ID = "١٠٦٤٩٧١٢٦٨"
PERSIAN_ID = "۱۰۶۴۹۷۱۲۶۸"


def faults_of(raw: bytes | None, agency: Agency = HEALTH) -> Faults:
    verdict = verdict_on(raw, STRUCTURED_HEADERS, agency)
    return [(found.code, found.pointer) for found in verdict.faults] if isinstance(verdict, Refused) else []


GOOD = encoded(initiative())

UNREADABLE: list[tuple[str, bytes | None, Faults]] = [
    ("a null value", None, [("tombstone", "")]),
    ("nothing", b"", [("not-json", "")]),
    ("white space", b"  ", [("not-json", "")]),
    ("text", b'"text"', [("not-json", "")]),
    ("null", b"null", [("not-json", "")]),
    ("a list", b"[" + GOOD + b"]", [("not-json", "")]),
    ("two objects", GOOD + GOOD, [("not-json", "")]),
    ("half an object", GOOD[:-1], [("not-json", "")]),
    ("a trailing comma", GOOD[:-1] + b",}", [("not-json", "")]),
    ("single quotes", GOOD.replace(b'"', b"'"), [("not-json", "")]),
    ("a byte order mark", b"\xef\xbb\xbf" + GOOD, [("not-json", "")]),
    ("NaN", GOOD.replace(b'"e-1"', b"NaN"), [("not-json", "")]),
    ("Infinity", GOOD.replace(b'"e-1"', b"-Infinity"), [("not-json", "")]),
    ("a raw control character", GOOD.replace(b"Home", b"Ho\x01me"), [("not-json", "")]),
    ("a leading zero", GOOD.replace(b'"e-1"', b"01"), [("not-json", "")]),
    ("UTF-16", GOOD.decode().encode("utf-16"), [("not-utf8", "")]),
    ("an overlong byte", GOOD.replace(b"Home", b"Ho\xffme"), [("not-utf8", "")]),
    ("a surrogate in UTF-8", GOOD.replace(b"Home", b"\xed\xa0\x80"), [("not-utf8", "")]),
    ("not UTF-8, and a national id", b'{"a":"\xff1064971268\xff"}', [("not-utf8", ""), ("personal-data", "")]),
    ("not JSON, and a national id", f'{{"a":"{ARABIC_ID}"'.encode(), [("not-json", ""), ("personal-data", "")]),
    ("not JSON, and a national id as a number", b"{1064971268", [("not-json", ""), ("personal-data", "")]),
    ("a name twice", GOOD.replace(b'{"spec', b'{"id":"x","spec', 1), [("duplicate-name", "")]),
    ("a name twice by an escape", GOOD.replace(b'{"spec', b'{"\\u0069d":"x","spec', 1), [("duplicate-name", "")]),
    ("a name twice, spaced", GOOD.replace(b'{"ar"', b'{"en" \n: "x","ar"', 1), [("duplicate-name", "")]),
    (
        "a name twice, hidden behind an escaped quote",
        GOOD.replace(b'{"ar"', b'{"en" : "x","ar"', 1).replace(b"Home", b"\\u0022:Home"),
        [("duplicate-name", "")],
    ),
    (
        "a name twice in what is unknown",
        GOOD.replace(b'{"spec', b'{"x":[{"a":1,"a":2}],"spec', 1),
        [("duplicate-name", "")],
    ),
    ("17 levels", GOOD[:-1] + b',"x":' + b"[" * 16 + b"]" * 16 + b"}", [("too-deep", "")]),
    ("30,000 levels", b'{"x":' + b"[" * 30_000 + b"]" * 30_000 + b"}", [("too-deep", "")]),
    ("61,441 bytes", GOOD + b" " * (EVENT_BYTES_MAX + 1 - len(GOOD)), [("too-large", "")]),
    ("large and personal", b" " * EVENT_BYTES_MAX + b"1064971268", [("personal-data", ""), ("too-large", "")]),
]

ENVELOPE: list[tuple[str, str, Any, Faults]] = [
    *(
        (f"no {name}", f"/{name}", ..., [("missing-field", f"/{name}")])
        for name in ("specversion", "id", "source", "type", "subject", "time", "data")
    ),
    *((f"{name} null", f"/{name}", None, [("missing-field", f"/{name}")]) for name in ("id", "source", "time", "data")),
    ("specversion 0.3", "/specversion", "0.3", [("invalid-value", "/specversion")]),
    ("specversion as a number", "/specversion", 1.0, [("invalid-value", "/specversion")]),
    ("an empty id", "/id", "", [("invalid-value", "/id")]),
    ("an id with a space", "/id", "a b", [("invalid-value", "/id")]),
    ("an id with a newline", "/id", "a\n", [("invalid-value", "/id")]),
    ("an id of 129 characters", "/id", "a" * 129, [("invalid-value", "/id")]),
    ("a number as id", "/id", 5, [("invalid-value", "/id")]),
    ("a huge number as id", "/id", 10**30, [("number-out-of-range", "/id")]),
    ("a plain source", "/source", "health", [("invalid-value", "/source")]),
    ("a source with a capital", "/source", "urn:yesser:agency:Health", [("invalid-value", "/source")]),
    ("another agency", "/source", "urn:yesser:agency:interior", [("foreign-source", "/source")]),
    ("the platform's source", "/source", "urn:yesser:agency:platform", [("foreign-source", "/source")]),
    ("an unknown type", "/type", "sa.gov.yesser.service.exploded.v1", [("unknown-type", "/type")]),
    ("a version that is not known", "/type", "sa.gov.yesser.service.launched.v2", [("unknown-type", "/type")]),
    ("a short type", "/type", "service.launched", [("unknown-type", "/type")]),
    ("a number as type", "/type", 7, [("invalid-value", "/type")]),
    ("a NUL in the type", "/type", "a\x00", [("invalid-value", "/type")]),
    ("a foreign subject", "/subject", "initiative/I-2", [("subject-mismatch", "/subject")]),
    ("an empty subject", "/subject", "", [("invalid-value", "/subject")]),
    ("a newline in the subject", "/subject", "initiative/I-1\n", [("invalid-value", "/subject")]),
    ("a number as subject", "/subject", 1, [("invalid-value", "/subject")]),
    ("a NUL in the subject", "/subject", "initiative/I-1\x00", [("invalid-value", "/subject")]),
    ("no offset", "/time", "2005-05-05T05:05:05", [("invalid-value", "/time")]),
    ("a leap second", "/time", "2016-12-31T23:59:60Z", [("invalid-value", "/time")]),
    ("30 February", "/time", "2005-02-30T05:05:05Z", [("invalid-value", "/time")]),
    ("hour 24", "/time", "2005-02-20T24:00:00Z", [("invalid-value", "/time")]),
    ("offset +24:00", "/time", "2005-02-20T23:00:00+24:00", [("invalid-value", "/time")]),
    ("a bare dot", "/time", "2005-02-20T23:00:00.Z", [("invalid-value", "/time")]),
    ("Arabic digits", "/time", "٢٠٠٥-02-20T23:00:00Z", [("invalid-value", "/time")]),
    ("1924", "/time", "1924-12-31T23:59:59Z", [("date-out-of-range", "/time")]),
    ("2078", "/time", "2078-01-01T00:00:00Z", [("date-out-of-range", "/time")]),
    ("the year 0000", "/time", "0000-02-29T00:00:00Z", [("date-out-of-range", "/time")]),
    ("text/plain", "/datacontenttype", "text/plain", [("invalid-value", "/datacontenttype")]),
    ("json-seq", "/datacontenttype", "application/json-seq", [("invalid-value", "/datacontenttype")]),
    ("another schema", "/dataschema", "urn:yesser:schema:service.launched.v1", [("invalid-value", "/dataschema")]),
    ("data as base64", "/data_base64", "e30=", [("unknown-field", "/data_base64")]),
    ("an unknown attribute", "/recordedtime", "2005-05-05T05:05:05Z", [("unknown-field", "/recordedtime")]),
    ("sequence zero", "/sequence", "0" * 20, [("invalid-value", "/sequence")]),
    ("a short sequence", "/sequence", "1", [("invalid-value", "/sequence")]),
    ("a long sequence", "/sequence", "1" * 21, [("invalid-value", "/sequence")]),
    ("an Arabic sequence", "/sequence", "١" * 20, [("invalid-value", "/sequence")]),
    ("a number as sequence", "/sequence", 1, [("invalid-value", "/sequence")]),
    ("an empty extension", "/correlationid", "", [("invalid-value", "/correlationid")]),
    ("an extension of 257", "/causationid", "é" * 257, [("invalid-value", "/causationid")]),
    ("a tab in an extension", "/partitionkey", "a\tb", [("invalid-value", "/partitionkey")]),
    ("a C1 control character", "/tracestate", "a\x85b", [("invalid-value", "/tracestate")]),
    ("a number as extension", "/traceparent", 1, [("invalid-value", "/traceparent")]),
    ("a slashed Hijri date", "/hijridate", "1425/4/5", [("invalid-value", "/hijridate")]),
    ("data as text", "/data", "{}", [("invalid-value", "/data")]),
    ("data as a list", "/data", [], [("invalid-value", "/data")]),
]

DATA: list[tuple[str, str, Any, Faults]] = [
    ("a missing field", "/data/aim", ..., [("missing-field", "/data/aim")]),
    ("a null field", "/data/aim", None, [("invalid-value", "/data/aim")]),
    ("a text where an object is due", "/data/name", "x", [("invalid-value", "/data/name")]),
    ("no Arabic", "/data/name/ar", ..., [("missing-field", "/data/name/ar")]),
    ("empty", "/data/name/en", "", [("invalid-value", "/data/name/en")]),
    ("white space", "/data/name/en", " \n\t\u00a0\u3000", [("invalid-value", "/data/name/en")]),
    ("2,001 characters", "/data/name/ar", "س" * 2001, [("invalid-value", "/data/name/ar")]),
    ("a carriage return", "/data/name/ar", "سطر\r\nآخر", [("invalid-value", "/data/name/ar")]),
    ("DEL", "/data/name/en", "a\x7f", [("invalid-value", "/data/name/en")]),
    ("French", "/data/name/fr", "x", [("unknown-field", "/data/name/fr")]),
    ("a lone surrogate", "/data/name/en", "a\ud800b", [("invalid-value", "/data/name/en")]),
    ("a NUL", "/data/name/en", "a\x00b", [("invalid-value", "/data/name/en")]),
    ("a NUL in an unknown field", "/data/x", "\x00", [("invalid-value", "/data/x"), ("unknown-field", "/data/x")]),
    ("a huge number in an unknown field", "/x", 2**53, [("number-out-of-range", "/x"), ("unknown-field", "/x")]),
    ("an id with a space", "/data/initiative_id", "I 1", [("invalid-value", "/data/initiative_id")]),
    ("not a date", "/data/on", "2005-2-3", [("invalid-value", "/data/on")]),
    ("30 February", "/data/on", "2005-02-30", [("invalid-value", "/data/on")]),
    ("29 February of a common year", "/data/on", "2005-02-29", [("invalid-value", "/data/on")]),
    ("a day before the table", "/data/on", "1924-07-31", [("date-out-of-range", "/data/on")]),
    ("a day after the table", "/data/on", "2077-11-17", [("date-out-of-range", "/data/on")]),
    ("the year 9999", "/data/on", "9999-12-31", [("date-out-of-range", "/data/on")]),
    ("a Hijri date", "/data/on", "1426-02-30", [("invalid-value", "/data/on")]),
    ("a time as date", "/data/on", "2005-05-05T00:00:00Z", [("invalid-value", "/data/on")]),
]

PERSONAL: list[tuple[str, str, Any, Faults]] = [
    ("in a text", "/data/aim/en", f"no {NATIONAL_ID}.", [("personal-data", "/data/aim/en")]),
    ("in Arabic digits", "/data/aim/ar", f"رقم {ARABIC_ID}، شكرا", [("personal-data", "/data/aim/ar")]),
    ("in Persian digits", "/data/aim/ar", PERSIAN_ID, [("personal-data", "/data/aim/ar")]),
    ("in mixed digits", "/data/aim/ar", "١06٤۹71268", [("personal-data", "/data/aim/ar")]),
    ("between marks", "/data/aim/ar", f"ـَ_{NATIONAL_ID}َ", [("personal-data", "/data/aim/ar")]),
    ("in the id", "/id", f"e.{NATIONAL_ID}", [("personal-data", "/id")]),
    ("as the id", "/id", NATIONAL_ID, [("personal-data", "/id")]),
    ("as an id without Luhn", "/id", NO_LUHN, [("id-looks-personal", "/id")]),
    ("in an extension", "/tracestate", NATIONAL_ID, [("personal-data", "/tracestate")]),
    ("without Luhn in an extension", "/tracestate", NO_LUHN, []),
    ("in the fraction of the time", "/time", f"2005-05-05T05:05:05.{NATIONAL_ID}+03:00", [("personal-data", "/time")]),
    ("in an unknown name", f"/{NATIONAL_ID}", "x", [("personal-data", ""), ("unknown-field", "")]),
    ("in an unknown name of data", f"/data/{NATIONAL_ID}", 1, [("personal-data", "/data"), ("unknown-field", "/data")]),
    ("in the type", "/type", f"sa.{NATIONAL_ID}.v1", [("personal-data", "/type"), ("unknown-type", "/type")]),
    (
        "in the source",
        "/source",
        f"urn:yesser:agency:{NATIONAL_ID}",
        [("invalid-value", "/source"), ("personal-data", "/source")],
    ),
    (
        "in an unknown field",
        "/x",
        [{"a": NATIONAL_ID}],
        [("personal-data", "/x/0/a"), ("unknown-field", "/x")],
    ),
    ("eleven digits", "/data/aim/en", f"{NATIONAL_ID}0", []),
    ("a letter before", "/data/aim/en", f"A{NATIONAL_ID}", []),
    ("a letter after", "/data/aim/ar", f"{NATIONAL_ID}هـ", []),
    ("a digit of another script after", "/data/aim/ar", f"{NATIONAL_ID}\u0966", []),
    ("no Luhn in a text", "/data/aim/en", NO_LUHN, []),
    ("a ten beginning with 3", "/data/aim/en", "3064971264", []),
]

OTHER_TYPES: list[tuple[str, str, str, Any, Faults]] = [
    ("revenue.collected", "zero", "/data/amount_halalas", 0, [("invalid-value", "/data/amount_halalas")]),
    ("revenue.collected", "below zero", "/data/amount_halalas", -1, [("invalid-value", "/data/amount_halalas")]),
    ("revenue.collected", "half a halala", "/data/amount_halalas", 99.5, [("invalid-value", "/data/amount_halalas")]),
    ("revenue.collected", "a fraction", "/data/amount_halalas", 100.0, [("invalid-value", "/data/amount_halalas")]),
    ("revenue.collected", "a text", "/data/amount_halalas", "100", [("invalid-value", "/data/amount_halalas")]),
    ("revenue.collected", "true", "/data/amount_halalas", True, [("invalid-value", "/data/amount_halalas")]),
    ("revenue.collected", "2^53", "/data/amount_halalas", 2**53, [("number-out-of-range", "/data/amount_halalas")]),
    (
        "revenue.collected",
        "huge",
        "/data/amount_halalas",
        -(10**4000),
        [("number-out-of-range", "/data/amount_halalas")],
    ),
    ("revenue.collected", "looks personal", "/data/service_id", NO_LUHN, [("id-looks-personal", "/data/service_id")]),
    ("revenue.period-closed", "month 13", "/data/period", "1426-13", [("invalid-value", "/data/period")]),
    ("revenue.period-closed", "month 00", "/data/period", "1426-00", [("invalid-value", "/data/period")]),
    ("revenue.period-closed", "quarter 5", "/data/period", "1426-Q5", [("invalid-value", "/data/period")]),
    ("revenue.period-closed", "a short month", "/data/period", "1426-3", [("invalid-value", "/data/period")]),
    ("service.registered", "group 4", "/data/group", 4, [("invalid-value", "/data/group")]),
    ("service.launched", "no channel", "/data/channels", [], [("invalid-value", "/data/channels")]),
    ("service.launched", "a fax", "/data/channels/1", "fax", [("invalid-value", "/data/channels/1")]),
    ("service.launched", "url null", "/data/url", None, [("invalid-value", "/data/url")]),
    ("service.launched", "url http", "/data/url", "http://a.example/", [("invalid-value", "/data/url")]),
    ("service.launched", "url relative", "/data/url", "//a.example/", [("invalid-value", "/data/url")]),
    ("service.launched", "url without host", "/data/url", "https:///x", [("invalid-value", "/data/url")]),
    ("service.launched", "url with space", "/data/url", "https://a b/", [("invalid-value", "/data/url")]),
    (
        "service.launched",
        "url of 2,001",
        "/data/url",
        "https://a.example/" + "x" * 1983,
        [("invalid-value", "/data/url")],
    ),
    (
        "training.certified",
        "15 characters",
        "/data/trainee",
        "trn_aaaaaaaaaaaaaaa",
        [("invalid-value", "/data/trainee")],
    ),
    ("training.certified", "a digit 1", "/data/trainee", "trn_1111111111111111", [("invalid-value", "/data/trainee")]),
    ("project.registered", "no phases", "/data/phases", [], [("invalid-value", "/data/phases")]),
    ("project.registered", "phases out of order", "/data/phases/0/phase", 2, [("invalid-value", "/data/phases")]),
    ("project.registered", "phase 0", "/data/phases/0/phase", 0, [("invalid-value", "/data/phases/0/phase")]),
    ("partnership.signed", "a service twice", "/data/services", ["S", "S"], [("invalid-value", "/data/services")]),
    ("partnership.signed", "no service", "/data/services", [], [("invalid-value", "/data/services")]),
    ("partnership.signed", "an id in a list", "/data/services/1", NO_LUHN, [("id-looks-personal", "/data/services/1")]),
    (
        "partnership.signed",
        "an id in an object",
        "/data/partner/partner_id",
        NO_LUHN,
        [("id-looks-personal", "/data/partner/partner_id")],
    ),
    ("partnership.signed", "no bands", "/data/terms/bands", [], [("invalid-value", "/data/terms/bands")]),
    (
        "partnership.signed",
        "bands that descend",
        "/data/terms/bands/1/up_to_halalas",
        1,
        [("invalid-value", "/data/terms/bands")],
    ),
    (
        "partnership.signed",
        "a band that the one before covers",
        "/data/terms/bands/1/up_to_halalas",
        1_000_000_000,
        [("invalid-value", "/data/terms/bands")],
    ),
    (
        "partnership.signed",
        "a hole in the expected periods",
        "/data/terms/expected/5/period",
        "1426-12",
        [("invalid-value", "/data/terms/expected")],
    ),
    (
        "partnership.signed",
        "a last band with an end",
        "/data/terms/bands/2/up_to_halalas",
        2**50,
        [("invalid-value", "/data/terms/bands")],
    ),
    (
        "partnership.signed",
        "an endless band before the last",
        "/data/terms/bands/0/up_to_halalas",
        None,
        [("invalid-value", "/data/terms/bands")],
    ),
    (
        "partnership.signed",
        "10,001 basis points",
        "/data/terms/bands/0/partner_bp",
        10_001,
        [("invalid-value", "/data/terms/bands/0/partner_bp")],
    ),
    (
        "partnership.signed",
        "ends before it starts",
        "/data/terms/ends_on",
        "2005-02-09",
        [("invalid-value", "/data/terms")],
    ),
    (
        "partnership.signed",
        "an expected period too few",
        "/data/terms/expected/11",
        ...,
        [("invalid-value", "/data/terms/expected")],
    ),
    (
        "partnership.signed",
        "a Gregorian label",
        "/data/terms/expected/0/period",
        "2005-02",
        [("invalid-value", "/data/terms/expected")],
    ),
    (
        "partnership.signed",
        "a guarantee without expected",
        "/data/terms/expected",
        [],
        [("invalid-value", "/data/terms/expected")],
    ),
    ("partnership.signed", "cap missing", "/data/terms/cap", ..., [("missing-field", "/data/terms/cap")]),
    (
        "plan.adopted",
        "a fourth group",
        "/data/targets/services/4",
        1,
        [("unknown-field", "/data/targets/services/4")],
    ),
]


@every(("name", "raw", "expected"), UNREADABLE)
def test_what_cannot_be_read_is_listed_alone_but_for_personal_data(
    name: str, raw: bytes | None, expected: Faults
) -> None:
    assert faults_of(raw) == expected


@every(("name", "pointer", "value", "expected"), [*ENVELOPE, *DATA, *PERSONAL])
def test_a_fault_of_form_has_its_code_and_pointer(name: str, pointer: str, value: Any, expected: Faults) -> None:
    event = initiative()
    raw = encoded(changed(event, pointer, value)).replace(b"\xed\xa0\x80", b"\\ud800")
    assert sorted(faults_of(raw)) == sorted(expected)


@every(("type_name", "name", "pointer", "value", "expected"), OTHER_TYPES)
def test_a_fault_of_a_type_has_its_code_and_pointer(
    type_name: str, name: str, pointer: str, value: Any, expected: Faults
) -> None:
    event = golden_event(type_name)
    assert faults_of(encoded(changed(event, pointer, value)), sender_of(event)) == expected


def test_every_code_is_in_the_tables() -> None:
    expectations = [row[-1] for row in UNREADABLE]
    expectations += [row[-1] for row in [*ENVELOPE, *DATA, *PERSONAL]] + [row[-1] for row in OTHER_TYPES]
    shown = {code for expected in expectations for code, _ in expected}
    elsewhere = {"bad-header", "not-authorised", CONFLICT.code}
    assert shown | elsewhere == set(CODES)


def test_all_faults_of_form_are_listed_in_the_order_of_their_pointers() -> None:
    event = initiative(id="a b", time="yesterday", remark=1)
    event["data"].update({"on": "2005-02-30", "more": "x"})
    assert faults_of(encoded(event)) == [
        ("unknown-field", "/data/more"),
        ("invalid-value", "/data/on"),
        ("invalid-value", "/id"),
        ("unknown-field", "/remark"),
        ("invalid-value", "/time"),
    ]


def test_an_unknown_field_disturbs_no_rule_over_several_members() -> None:
    event = changed(golden_event("partnership.signed"), "/data/terms/bands/1/up_to_halalas", 1)
    event["data"]["terms"]["bands"][0]["x"] = 1
    assert faults_of(encoded(event)) == [
        ("invalid-value", "/data/terms/bands"),
        ("unknown-field", "/data/terms/bands/0/x"),
    ]


def test_a_subject_is_not_compared_with_a_field_that_is_itself_at_fault() -> None:
    event = initiative(subject="initiative/-a")
    event["data"]["initiative_id"] = "-a"
    assert faults_of(encoded(event)) == [("invalid-value", "/data/initiative_id")]


def test_a_foreign_source_is_listed_only_when_the_form_is_good() -> None:
    event = initiative(source="urn:yesser:agency:interior")
    event["data"]["on"] = "x"
    assert faults_of(encoded(event)) == [("invalid-value", "/data/on")]


def test_a_foreign_source_is_listed_without_the_type_it_may_not_send() -> None:
    event = golden_event("plan.adopted")
    assert faults_of(encoded(event), HEALTH) == [("foreign-source", "/source")]


@pytest.mark.parametrize(
    "name", ["plan.adopted", "service.reassigned", "registry.agency-registered", "campaign.triggered"]
)
def test_an_agency_may_not_send_what_is_the_offices_or_the_platforms(name: str) -> None:
    event = changed(golden_event(name), "/source", HEALTH.source)
    assert faults_of(encoded(event), HEALTH) == [("not-authorised", "/type")]


def test_the_office_may_send_everything_that_an_agency_may_but_nothing_of_the_platforms() -> None:
    of_an_agency = changed(golden_event("service.launched"), "/source", OFFICE.source)
    of_the_platform = changed(golden_event("campaign.triggered"), "/source", OFFICE.source)
    assert isinstance(verdict_on(encoded(of_an_agency), STRUCTURED_HEADERS, OFFICE), Accepted)
    assert faults_of(encoded(of_the_platform), OFFICE) == [("not-authorised", "/type")]


def test_the_platform_sends_only_its_own_types() -> None:
    platform = Agency("platform", "platform")
    event = initiative(source=platform.source)
    assert faults_of(encoded(event), platform) == [("not-authorised", "/type")]
