"""Events that validation refuses, each with its faults: codes with pointers."""

from __future__ import annotations

from typing import Any

from events.wire.envelope import EVENT_BYTES_MAX
from tests.world.events import NATIONAL_ID, encoded, initiative

Faults = list[tuple[str, str]]
Row = tuple[str, str, Any, str]
"""A name, the pointer of what is changed, its value (`...`: left out), and the codes of the faults, which are at this
pointer unless another one follows the code (`-`: that of the whole event)."""
NO_LUHN = "1064971269"
ARABIC_ID = "١٠٦٤٩٧١٢٦٨"
PERSIAN_ID = "۱۰۶۴۹۷۱۲۶۸"
GOOD = encoded(initiative())
HIDDEN = GOOD.replace(b'{"ar"', b'{"en" : "x","ar"', 1).replace(b"Home", b"\\u0022:Home")


def _faults(pointer: str, codes: str) -> Faults:
    parts = [part.partition(" ") for part in codes.split(", ") if part]
    return [(code, {"": pointer, "-": ""}.get(other, other)) for code, _, other in parts]


def _meant(rows: list[Row]) -> list[tuple[str, str, Any, Faults]]:
    return [(name, pointer, value, _faults(pointer, codes)) for name, pointer, value, codes in rows]


_UNREADABLE: list[tuple[str, bytes | None, str]] = [
    ("a null value", None, "tombstone"),
    ("nothing", b"", "not-json"),
    ("white space", b"  ", "not-json"),
    ("text", b'"text"', "not-json"),
    ("null", b"null", "not-json"),
    ("a list", b"[" + GOOD + b"]", "not-json"),
    ("two objects", GOOD + GOOD, "not-json"),
    ("half an object", GOOD[:-1], "not-json"),
    ("a trailing comma", GOOD[:-1] + b",}", "not-json"),
    ("single quotes", GOOD.replace(b'"', b"'"), "not-json"),
    ("a byte order mark", b"\xef\xbb\xbf" + GOOD, "not-json"),
    ("NaN", GOOD.replace(b'"e-1"', b"NaN"), "not-json"),
    ("Infinity", GOOD.replace(b'"e-1"', b"-Infinity"), "not-json"),
    ("a raw control character", GOOD.replace(b"Home", b"Ho\x01me"), "not-json"),
    ("a leading zero", GOOD.replace(b'"e-1"', b"01"), "not-json"),
    ("UTF-16", GOOD.decode().encode("utf-16"), "not-utf8"),
    ("an overlong byte", GOOD.replace(b"Home", b"Ho\xffme"), "not-utf8"),
    ("a surrogate in UTF-8", GOOD.replace(b"Home", b"\xed\xa0\x80"), "not-utf8"),
    ("not UTF-8, and a national id", b'{"a":"\xff1064971268\xff"}', "not-utf8, personal-data"),
    ("not JSON, and a national id", f'{{"a":"{ARABIC_ID}"'.encode(), "not-json, personal-data"),
    ("not JSON, and a national id as a number", b"{1064971268", "not-json, personal-data"),
    ("a name twice", GOOD.replace(b'{"spec', b'{"id":"x","spec', 1), "duplicate-name"),
    ("a name twice by an escape", GOOD.replace(b'{"spec', b'{"\\u0069d":"x","spec', 1), "duplicate-name"),
    ("a name twice, spaced", GOOD.replace(b'{"ar"', b'{"en" \n: "x","ar"', 1), "duplicate-name"),
    ("a name twice, hidden behind an escaped quote", HIDDEN, "duplicate-name"),
    ("a name twice in what is unknown", GOOD.replace(b'{"spec', b'{"x":[{"a":1,"a":2}],"spec', 1), "duplicate-name"),
    ("17 levels", GOOD[:-1] + b',"x":' + b"[" * 16 + b"]" * 16 + b"}", "too-deep"),
    ("30,000 levels", b'{"x":' + b"[" * 30_000 + b"]" * 30_000 + b"}", "too-deep"),
    ("61,441 bytes", GOOD + b" " * (EVENT_BYTES_MAX + 1 - len(GOOD)), "too-large"),
    ("large and personal", b" " * EVENT_BYTES_MAX + b"1064971268", "personal-data, too-large"),
]
UNREADABLE = [(name, raw, _faults("", codes)) for name, raw, codes in _UNREADABLE]

NEEDED = ("specversion", "id", "source", "type", "subject", "time", "data")
ENVELOPE = _meant(
    [
        *((f"no {name}", f"/{name}", ..., "missing-field") for name in NEEDED),
        *((f"{name} null", f"/{name}", None, "missing-field") for name in ("id", "source", "time", "data")),
        ("specversion 0.3", "/specversion", "0.3", "invalid-value"),
        ("specversion as a number", "/specversion", 1.0, "invalid-value"),
        ("an empty id", "/id", "", "invalid-value"),
        ("an id with a space", "/id", "a b", "invalid-value"),
        ("an id with a newline", "/id", "a\n", "invalid-value"),
        ("an id of 129 characters", "/id", "a" * 129, "invalid-value"),
        ("a number as id", "/id", 5, "invalid-value"),
        ("a huge number as id", "/id", 10**30, "number-out-of-range"),
        ("a plain source", "/source", "health", "invalid-value"),
        ("a source with a capital", "/source", "urn:yesser:agency:Health", "invalid-value"),
        ("another agency", "/source", "urn:yesser:agency:interior", "foreign-source"),
        ("the platform's source", "/source", "urn:yesser:agency:platform", "foreign-source"),
        ("an unknown type", "/type", "sa.gov.yesser.service.exploded.v1", "unknown-type"),
        ("a version that is not known", "/type", "sa.gov.yesser.service.launched.v2", "unknown-type"),
        ("a short type", "/type", "service.launched", "unknown-type"),
        ("a number as type", "/type", 7, "invalid-value"),
        ("a NUL in the type", "/type", "a\x00", "invalid-value"),
        ("a foreign subject", "/subject", "initiative/I-2", "subject-mismatch"),
        ("an empty subject", "/subject", "", "invalid-value"),
        ("a newline in the subject", "/subject", "initiative/I-1\n", "invalid-value"),
        ("a number as subject", "/subject", 1, "invalid-value"),
        ("a NUL in the subject", "/subject", "initiative/I-1\x00", "invalid-value"),
        ("no offset", "/time", "2005-05-05T05:05:05", "invalid-value"),
        ("a leap second", "/time", "2016-12-31T23:59:60Z", "invalid-value"),
        ("30 February", "/time", "2005-02-30T05:05:05Z", "invalid-value"),
        ("hour 24", "/time", "2005-02-20T24:00:00Z", "invalid-value"),
        ("offset +24:00", "/time", "2005-02-20T23:00:00+24:00", "invalid-value"),
        ("a bare dot", "/time", "2005-02-20T23:00:00.Z", "invalid-value"),
        ("Arabic digits", "/time", "٢٠٠٥-02-20T23:00:00Z", "invalid-value"),
        ("1924", "/time", "1924-12-31T23:59:59Z", "date-out-of-range"),
        ("2078", "/time", "2078-01-01T00:00:00Z", "date-out-of-range"),
        ("the year 0000", "/time", "0000-02-29T00:00:00Z", "date-out-of-range"),
        ("text/plain", "/datacontenttype", "text/plain", "invalid-value"),
        ("json-seq", "/datacontenttype", "application/json-seq", "invalid-value"),
        ("another schema", "/dataschema", "urn:yesser:schema:service.launched.v1", "invalid-value"),
        ("data as base64", "/data_base64", "e30=", "unknown-field"),
        ("an unknown attribute", "/recordedtime", "2005-05-05T05:05:05Z", "unknown-field"),
        ("sequence zero", "/sequence", "0" * 20, "invalid-value"),
        ("a short sequence", "/sequence", "1", "invalid-value"),
        ("a long sequence", "/sequence", "1" * 21, "invalid-value"),
        ("an Arabic sequence", "/sequence", "١" * 20, "invalid-value"),
        ("a number as sequence", "/sequence", 1, "invalid-value"),
        ("an empty extension", "/correlationid", "", "invalid-value"),
        ("an extension of 257", "/causationid", "é" * 257, "invalid-value"),
        ("a tab in an extension", "/partitionkey", "a\tb", "invalid-value"),
        ("a C1 control character", "/tracestate", "a\x85b", "invalid-value"),
        ("a number as extension", "/traceparent", 1, "invalid-value"),
        ("a slashed Hijri date", "/hijridate", "1425/4/5", "invalid-value"),
        ("data as text", "/data", "{}", "invalid-value"),
        ("data as a list", "/data", [], "invalid-value"),
    ]
)

DATA = _meant(
    [
        ("a missing field", "/data/aim", ..., "missing-field"),
        ("a null field", "/data/aim", None, "invalid-value"),
        ("a text where an object is due", "/data/name", "x", "invalid-value"),
        ("no Arabic", "/data/name/ar", ..., "missing-field"),
        ("empty", "/data/name/en", "", "invalid-value"),
        ("white space", "/data/name/en", " \n\t\u00a0\u3000", "invalid-value"),
        ("2,001 characters", "/data/name/ar", "س" * 2001, "invalid-value"),
        ("a carriage return", "/data/name/ar", "سطر\r\nآخر", "invalid-value"),
        ("DEL", "/data/name/en", "a\x7f", "invalid-value"),
        ("French", "/data/name/fr", "x", "unknown-field"),
        ("a lone surrogate", "/data/name/en", "a\ud800b", "invalid-value"),
        ("a NUL", "/data/name/en", "a\x00b", "invalid-value"),
        ("a NUL in an unknown field", "/data/x", "\x00", "invalid-value, unknown-field"),
        ("a huge number in an unknown field", "/x", 2**53, "number-out-of-range, unknown-field"),
        ("an id with a space", "/data/initiative_id", "I 1", "invalid-value"),
        ("not a date", "/data/on", "2005-2-3", "invalid-value"),
        ("30 February", "/data/on", "2005-02-30", "invalid-value"),
        ("29 February of a common year", "/data/on", "2005-02-29", "invalid-value"),
        ("a day before the table", "/data/on", "1924-07-31", "date-out-of-range"),
        ("a day after the table", "/data/on", "2077-11-17", "date-out-of-range"),
        ("the year 9999", "/data/on", "9999-12-31", "date-out-of-range"),
        ("a Hijri date", "/data/on", "1426-02-30", "invalid-value"),
        ("a time as date", "/data/on", "2005-05-05T00:00:00Z", "invalid-value"),
    ]
)

PERSONAL = _meant(
    [
        ("in a text", "/data/aim/en", f"no {NATIONAL_ID}.", "personal-data"),
        ("in Arabic digits", "/data/aim/ar", f"رقم {ARABIC_ID}، شكرا", "personal-data"),
        ("in Persian digits", "/data/aim/ar", PERSIAN_ID, "personal-data"),
        ("in mixed digits", "/data/aim/ar", "١06٤۹71268", "personal-data"),
        ("between marks", "/data/aim/ar", f"ـَ_{NATIONAL_ID}َ", "personal-data"),
        ("in the id", "/id", f"e.{NATIONAL_ID}", "personal-data"),
        ("as the id", "/id", NATIONAL_ID, "personal-data"),
        ("as an id without Luhn", "/id", NO_LUHN, "id-looks-personal"),
        ("in an extension", "/tracestate", NATIONAL_ID, "personal-data"),
        ("without Luhn in an extension", "/tracestate", NO_LUHN, ""),
        ("in the fraction of the time", "/time", f"2005-05-05T05:05:05.{NATIONAL_ID}+03:00", "personal-data"),
        ("in an unknown name", f"/{NATIONAL_ID}", "x", "personal-data -, unknown-field -"),
        ("in an unknown name of data", f"/data/{NATIONAL_ID}", 1, "personal-data /data, unknown-field /data"),
        ("in the type", "/type", f"sa.{NATIONAL_ID}.v1", "personal-data, unknown-type"),
        ("in the source", "/source", f"urn:yesser:agency:{NATIONAL_ID}", "invalid-value, personal-data"),
        ("in an unknown field", "/x", [{"a": NATIONAL_ID}], "personal-data /x/0/a, unknown-field"),
        ("eleven digits", "/data/aim/en", f"{NATIONAL_ID}0", ""),
        ("a letter before", "/data/aim/en", f"A{NATIONAL_ID}", ""),
        ("a letter after", "/data/aim/ar", f"{NATIONAL_ID}هـ", ""),
        ("a digit of another script after", "/data/aim/ar", f"{NATIONAL_ID}\u0966", ""),
        ("no Luhn in a text", "/data/aim/en", NO_LUHN, ""),
        ("a ten beginning with 3", "/data/aim/en", "3064971264", ""),
    ]
)

_OTHER_TYPES: dict[str, list[Row]] = {
    "revenue.collected": [
        ("zero", "/data/amount_halalas", 0, "invalid-value"),
        ("below zero", "/data/amount_halalas", -1, "invalid-value"),
        ("half a halala", "/data/amount_halalas", 99.5, "invalid-value"),
        ("a fraction", "/data/amount_halalas", 100.0, "invalid-value"),
        ("a text", "/data/amount_halalas", "100", "invalid-value"),
        ("true", "/data/amount_halalas", True, "invalid-value"),
        ("2^53", "/data/amount_halalas", 2**53, "number-out-of-range"),
        ("huge", "/data/amount_halalas", -(10**4000), "number-out-of-range"),
        ("looks personal", "/data/service_id", NO_LUHN, "id-looks-personal"),
    ],
    "revenue.period-closed": [
        ("month 13", "/data/period", "1426-13", "invalid-value"),
        ("month 00", "/data/period", "1426-00", "invalid-value"),
        ("quarter 5", "/data/period", "1426-Q5", "invalid-value"),
        ("a short month", "/data/period", "1426-3", "invalid-value"),
    ],
    "service.registered": [
        ("group 4", "/data/group", 4, "invalid-value"),
    ],
    "service.launched": [
        ("no channel", "/data/channels", [], "invalid-value"),
        ("a fax", "/data/channels/1", "fax", "invalid-value"),
        ("url null", "/data/url", None, "invalid-value"),
        ("url http", "/data/url", "http://a.example/", "invalid-value"),
        ("url relative", "/data/url", "//a.example/", "invalid-value"),
        ("url without host", "/data/url", "https:///x", "invalid-value"),
        ("url with space", "/data/url", "https://a b/", "invalid-value"),
        ("url of 2,001", "/data/url", "https://a.example/" + "x" * 1983, "invalid-value"),
    ],
    "training.certified": [
        ("15 characters", "/data/trainee", "trn_aaaaaaaaaaaaaaa", "invalid-value"),
        ("a digit 1", "/data/trainee", "trn_1111111111111111", "invalid-value"),
    ],
    "project.registered": [
        ("no phases", "/data/phases", [], "invalid-value"),
        ("phases out of order", "/data/phases/0/phase", 2, "invalid-value /data/phases"),
        ("phase 0", "/data/phases/0/phase", 0, "invalid-value"),
    ],
    "partnership.signed": [
        ("a service twice", "/data/services", ["S", "S"], "invalid-value"),
        ("no service", "/data/services", [], "invalid-value"),
        ("an id in a list", "/data/services/1", NO_LUHN, "id-looks-personal"),
        ("an id in an object", "/data/partner/partner_id", NO_LUHN, "id-looks-personal"),
        ("no bands", "/data/terms/bands", [], "invalid-value"),
        ("bands that descend", "/data/terms/bands/1/up_to_halalas", 1, "invalid-value /data/terms/bands"),
        (
            "a band covered before",
            "/data/terms/bands/1/up_to_halalas",
            1_000_000_000,
            "invalid-value /data/terms/bands",
        ),
        ("a hole in expected", "/data/terms/expected/5/period", "1426-12", "invalid-value /data/terms/expected"),
        ("a last band with an end", "/data/terms/bands/2/up_to_halalas", 2**50, "invalid-value /data/terms/bands"),
        ("an endless band", "/data/terms/bands/0/up_to_halalas", None, "invalid-value /data/terms/bands"),
        ("10,001 basis points", "/data/terms/bands/0/partner_bp", 10_001, "invalid-value"),
        ("ends before it starts", "/data/terms/ends_on", "2005-02-09", "invalid-value /data/terms"),
        ("an expected period too few", "/data/terms/expected/11", ..., "invalid-value /data/terms/expected"),
        ("a Gregorian label", "/data/terms/expected/0/period", "2005-02", "invalid-value /data/terms/expected"),
        ("a guarantee without expected", "/data/terms/expected", [], "invalid-value"),
        ("cap missing", "/data/terms/cap", ..., "missing-field"),
    ],
    "plan.adopted": [
        ("a fourth group", "/data/targets/services/4", 1, "unknown-field"),
    ],
}
OTHER_TYPES = [(type_name, *row) for type_name, rows in _OTHER_TYPES.items() for row in _meant(rows)]
