"""The quick way against the full one: what it accepts has no fault, and it accepts nearly all that has none."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from events.validation.forms import form_of
from events.validation.full import errors_of
from events.validation.personal_search import may_be_personal, personal_errors
from events.validation.quick import has_no_fault
from events.validation.reading import Claim, read_claim
from events.validation.validate import validate, validate_form
from events.validation.verdicts import Admitted, Agency, Refused, refused
from events.values.personal_data import holds_personal_data, looks_personal
from events.wire.codec import STRUCTURED_HEADERS, canonical_bytes
from events.wire.kafka_binding import Headers, read_headers
from tests.every import every
from tests.unit.events.samples import HEALTH, encoded, golden, initiative, sender_of

GOLDEN = [(path.name, json.loads(raw)) for path, raw in golden()]
NATIONAL_ID = "1064971268"

WRITINGS: list[Callable[[Any], bytes]] = [
    encoded,
    lambda event: json.dumps(event).encode(),
    lambda event: json.dumps(event, separators=(",", ":")).encode(),
    lambda event: json.dumps(event, indent=1, ensure_ascii=False).encode("utf-8", "surrogatepass"),
    lambda event: json.dumps(event, separators=(" ,\n", " \t: ")).encode(),
]

INTERESTING = st.one_of(
    st.sampled_from(
        [
            None,
            True,
            False,
            0,
            -0.0,
            1,
            -1,
            100.0,
            2**53,
            2**53 - 1,
            2**63,
            2**64,
            10**30,
            "",
            " ",
            "x",
            "a\x00",
            [],
            {},
        ]
    ),
    st.sampled_from(
        [
            "\ud800",
            NATIONAL_ID,
            "1064971269",
            "١٠٦٤٩٧١٢٦٨",
            f"\n{NATIONAL_ID}",
            f"a{NATIONAL_ID}",
            "2005-02-30",
            "1424-01-01",
        ]
    ),
    st.sampled_from(
        ["2077-11-17", "2016-02-29", "1426-Q1", "web", "tv", '":', '\\":', '" :', "application/json", "1.0"]
    ),
    st.text(max_size=8),
    st.integers(),
    st.fixed_dictionaries({"ar": st.text(min_size=1, max_size=3), "en": st.text(min_size=1, max_size=3)}),
)
SNIPPETS = st.sampled_from(
    [
        b'"id":"e-1",',
        b'"id" :"e-1",',
        b'"x":null,',
        b'"on":"2005-05-05",',
        b"\\u0022:",
        b"\\u0661\\u0660",
        b"\xef\xbb\xbf",
        b"\xff",
        b"-0",
        b"1e2",
        b".0",
        b"\\u0000",
        b"\\ud800",
        b"1064971268",
        b"\xd9\xa1\xd9\xa0\xd9\xa6\xd9\xa4\xd9\xa9\xd9\xa7\xd9\xa1\xd9\xa2\xd9\xa6\xd9\xa8",
        b'"',
        b"{",
        b"}",
        b" ",
        b":",
    ]
)


def compare(value: bytes, agency: Agency, headers: Headers = STRUCTURED_HEADERS) -> Claim | None:
    """The event of a record that goes the quick way, where the full one must find no fault; else None. The full way,
    with every short cut left out, gives the verdict of both ways in."""
    reading = read_headers(headers)
    claim = read_claim(value, reading)
    form = form_of(claim.event)
    personal = personal_errors(claim, form.shape, reading.attributes)
    quick = not personal and not reading.findings and has_no_fault(claim, form, agency)
    careful = msgspec.structs.replace(claim, written=None)
    assert personal == personal_errors(careful, form.shape, reading.attributes)
    errors = errors_of(careful, form, agency, reading.findings, personal)
    assert not (quick and errors)
    whole, form_alone = validate(value, headers, agency), validate_form(value, headers, agency)
    if isinstance(whole, Refused):
        meant = refused(claim.event, errors, agency, may_keep=whole.keep_raw)
        assert errors
        assert whole == form_alone == meant
    else:
        assert not errors
        assert isinstance(form_alone, Admitted)
        assert (whole.event, whole.event_bytes) == (claim.event, claim.event_bytes)
        assert (form_alone.type, form_alone.id, form_alone.event_bytes) == (whole.type, whole.id, whole.event_bytes)
    return claim if quick else None


def pointers(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place of a JSON value."""
    below = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, item in below for place in pointers(item, (*path, key)))]


@st.composite
def mutated_trees(draw: st.DrawFn) -> tuple[bytes, Agency]:
    """A golden example with one or two members replaced, removed or added, in some writing."""
    event = json.loads(json.dumps(draw(st.sampled_from(GOLDEN))[1]))
    agency, writing = sender_of(event), draw(st.sampled_from(WRITINGS))
    for _ in range(draw(st.integers(0, 2))):
        path = draw(st.sampled_from(pointers(event)))
        if not path:
            event[draw(st.sampled_from(["x", "sequence", "hijridate", "data_base64", NATIONAL_ID]))] = draw(INTERESTING)
            continue
        target = event
        for key in path[:-1]:
            target = target[key]
        if draw(st.booleans()):
            target[path[-1]] = draw(INTERESTING)
        elif isinstance(target, dict):
            del target[path[-1]]
            if draw(st.booleans()):
                target[draw(st.text(max_size=3))] = draw(INTERESTING)
    return writing(event), agency


@st.composite
def mutated_bytes(draw: st.DrawFn) -> tuple[bytes, Agency]:
    """A golden example with bytes cut out and snippets put in."""
    event = draw(st.sampled_from(GOLDEN))[1]
    raw = bytearray(draw(st.sampled_from(WRITINGS))(event))
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(raw)))
        cut = draw(st.sampled_from([0, 0, 1, 2, 5]))
        raw[start : start + cut] = draw(SNIPPETS)
    return bytes(raw), sender_of(event)


@settings(max_examples=600, deadline=None)
@given(mutated_trees())
def test_what_is_quickly_accepted_of_changed_members_has_no_fault(case: tuple[bytes, Agency]) -> None:
    compare(*case)


@settings(max_examples=600, deadline=None)
@given(mutated_bytes())
def test_what_is_quickly_accepted_of_changed_bytes_has_no_fault(case: tuple[bytes, Agency]) -> None:
    compare(*case)


@every("writing", WRITINGS)
@every(("name", "event"), GOLDEN)
def test_every_golden_example_goes_the_quick_way_in_every_writing(
    name: str, event: dict[str, Any], writing: Callable[[Any], bytes]
) -> None:
    assert compare(writing(event), sender_of(event)) is not None


def in_binary_mode(raw: bytes) -> tuple[bytes, Headers] | None:
    try:
        event = json.loads(raw)
        value = json.dumps(event.pop("data")).encode()
        attributes = {name: item for name, item in event.items() if item is not None}
    except (ValueError, KeyError, AttributeError):
        return None
    return value, [
        ("content-type" if name == "datacontenttype" else f"ce_{name}", str(item).encode("utf-8", "surrogatepass"))
        for name, item in attributes.items()
    ]


@settings(max_examples=600, deadline=None)
@given(mutated_trees())
def test_binary_mode_goes_the_quick_way_only_where_the_definition_agrees(case: tuple[bytes, Agency]) -> None:
    raw, agency = case
    binary = in_binary_mode(raw)
    if binary is not None:
        quick = compare(binary[0], agency, binary[1])
        assert quick is None or quick.event_bytes == quick.written == canonical_bytes(quick.event)


@every(("name", "event"), GOLDEN)
def test_every_golden_example_goes_the_quick_way_in_binary_mode(name: str, event: dict[str, Any]) -> None:
    binary = in_binary_mode(encoded(event))
    assert binary is not None
    assert compare(binary[0], sender_of(event), binary[1]) is not None


ODD_HEADERS = st.lists(
    st.tuples(
        st.sampled_from(
            [
                "content-type",
                "Content-Type",
                "ce_id",
                "ce_x",
                "ce_data",
                "ce_\udcff",
                "CE_id",
                "x-a",
                "ce_datacontenttype",
                NATIONAL_ID,
                f"ce_{NATIONAL_ID}",
            ]
        ),
        st.sampled_from([None, b"", b"e-1", b"\xff", b"application/json", b"application/cloudevents+json"])
        | st.just(NATIONAL_ID.encode()),
    ),
    max_size=4,
)


@settings(max_examples=600, deadline=None)
@given(mutated_trees(), ODD_HEADERS, st.booleans())
def test_headers_of_every_kind_get_the_same_verdict_on_every_way(
    case: tuple[bytes, Agency], odd: list[tuple[str, bytes | None]], structured: bool
) -> None:
    raw, agency = case
    binary = None if structured else in_binary_mode(raw)
    value, usual = binary or (raw, STRUCTURED_HEADERS)
    compare(value, agency, [*usual, *odd])
    compare(value, agency, odd)


@every("mark", ['":', '\\":', '" :', ' " : "', "\\", "x"])
@every("writing", WRITINGS)
def test_a_repeated_name_is_seen_beside_texts_that_look_like_names(writing: Callable[[Any], bytes], mark: str) -> None:
    event = initiative()
    event["data"]["name"] = {"ar": mark, "en": mark}
    once = writing(event)
    compare(once, HEALTH)
    for again in (b'{"id":"e-1",', b'{"id" \n: "e-1",', b'{"\\u0069d":"e-1",'):
        twice = once.replace(b"{", again, 1)
        hidden = twice.replace(b'\\":', b"\\u0022:")
        assert compare(twice, HEALTH) is None
        assert compare(hidden, HEALTH) is None


@given(
    st.text(alphabet=st.sampled_from('0123456789١٢٣٠۰۱۲۳aه\n\x01\\"ِ ८'), max_size=30),
    st.sampled_from(["", NATIONAL_ID, "١٠٦٤٩٧١٢٦٨", "۱۰۶۴۹۷۱۲۶۸", "1٠6۴971268", "1064971269"]),
    st.integers(0, 30),
)
def test_what_is_or_looks_personal_is_never_quickly_accepted(text: str, planted: str, place: int) -> None:
    whole = text[:place] + planted + text[place:]
    for shown in (whole, planted):
        if holds_personal_data(shown) or looks_personal(shown):
            assert may_be_personal(canonical_bytes({"x": shown}))
            assert may_be_personal(canonical_bytes({"x": {"y": ["", shown, 1064971268], "z": 1064971268}}))


@pytest.mark.parametrize(
    "escaped", ["\\u0031064971268", "106497126\\u0038", "".join(f"\\u{ord(digit):04x}" for digit in "١٠٦٤٩٧١٢٦٨")]
)
def test_a_national_id_behind_escapes_is_never_quickly_accepted(escaped: str) -> None:
    event = initiative()
    event["data"]["name"]["en"] = "HERE"
    binary = in_binary_mode(encoded(event))
    assert binary is not None
    value, headers = binary
    for text in (escaped, f"no {escaped}.", f"\\n{escaped}"):
        assert compare(encoded(event).replace(b"HERE", text.encode()), HEALTH) is None
        assert compare(value.replace(b"HERE", text.encode()), HEALTH, headers) is None


@pytest.mark.parametrize("text", ["1064971269", "x 1064971269", f"x{NATIONAL_ID}", f"{NATIONAL_ID}0", "2" * 20])
def test_digits_that_are_no_national_id_do_not_send_a_text_the_full_way(text: str) -> None:
    event = initiative()
    event["data"]["name"]["en"] = text
    assert compare(encoded(event), HEALTH) is not None


@every("before", ["", ":", '":', 'a":', '\\":', 'a\\":', '"a":', "{a:", ","])
@every("number", [NATIONAL_ID, "١٠٦٤٩٧١٢٦٨"])
def test_a_text_that_looks_like_a_number_after_a_name_is_searched(before: str, number: str) -> None:
    event = initiative()
    event["data"]["name"]["en"] = f"{before}{number}, and more"
    assert compare(encoded(event), HEALTH) is None
    event["data"]["name"]["en"] = before + number
    assert compare(encoded(event), HEALTH) is None


@pytest.mark.parametrize("amount", [1_064_971_268, 10_649_712_680, 9_007_199_254_740_991])
def test_an_amount_that_looks_like_a_national_id_is_told_from_a_text(amount: int) -> None:
    receipt = next(event for name, event in GOLDEN if name == "revenue.collected.json")
    receipt = json.loads(json.dumps(receipt))
    receipt["data"]["amount_halalas"] = amount
    assert not may_be_personal(canonical_bytes(receipt))
    assert compare(encoded(receipt), sender_of(receipt)) is not None


@every(
    ("text", "suspect"),
    [
        (f"x {NATIONAL_ID} y", True),
        (NATIONAL_ID, True),
        (f"x{NATIONAL_ID}", False),
        (f"{NATIONAL_ID}x", False),
        ("cffdd372-ffbc-4c7c-b0c0-a3264971268b", False),
        ("00000000000000000007", False),
        ("order-1732579200123", False),
        (f"{'1' * 11}{NATIONAL_ID}", False),
        (f"\\u0001{NATIONAL_ID}", True),
        (f"\u00a0{NATIONAL_ID}", True),
        (f"٠{NATIONAL_ID[:-1]}", True),
        ("١٠٦٤٩٧١٢٦", False),
    ],
)
def test_ten_digits_are_found_and_in_ascii_only_where_nothing_adjoins(text: str, suspect: bool) -> None:
    assert may_be_personal(f'{{"x":"{text}"}}'.encode()) is suspect


@given(st.text(alphabet=st.sampled_from("0123456789aZ -_:,"), max_size=14), st.sampled_from(["", NATIONAL_ID]))
def test_in_ascii_the_quick_search_is_exact(text: str, planted: str) -> None:
    shown = canonical_bytes({"x": text + planted + text})
    assert may_be_personal(shown) is (re.search(rb"(?<![A-Za-z0-9])[0-9]{10}(?![A-Za-z0-9])", shown) is not None)
