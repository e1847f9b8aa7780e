"""The quick way against the full one: what it accepts has no fault, and it accepts nearly all that has none."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from events.validation.personal_search import may_be_personal
from events.validation.verdicts import Agency
from events.values.personal_data import holds_personal_data, looks_personal
from events.wire.codec import STRUCTURED_HEADERS, canonical_bytes
from events.wire.kafka_binding import Headers
from tests.every import every
from tests.unit.events.judgements import compare
from tests.unit.events.mutations import GOLDEN, WRITINGS, mutated_bytes, mutated_trees
from tests.world.events import HEALTH, NATIONAL_ID, changed, encoded, golden_event, initiative, sender_of


@settings(max_examples=1_200, deadline=None)
@given(mutated_trees() | mutated_bytes())
def test_what_is_quickly_accepted_of_a_changed_event_has_no_fault(case: tuple[bytes, Agency]) -> None:
    compare(*case)


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
def test_every_golden_example_goes_the_quick_way_in_every_writing_and_mode(name: str, event: dict[str, Any]) -> None:
    for writing in WRITINGS:
        assert compare(writing(event), sender_of(event)) is not None
    binary = in_binary_mode(encoded(event))
    assert binary is not None
    assert compare(binary[0], sender_of(event), binary[1]) is not None


ODD_NAMES = st.sampled_from([
    "content-type", "Content-Type", "ce_id", "ce_x", "ce_data", "ce_\udcff", "CE_id", "x-a", "ce_datacontenttype",
    NATIONAL_ID, f"ce_{NATIONAL_ID}",
])  # fmt: skip
ODD_VALUES = st.sampled_from([
    None, b"", b"e-1", b"\xff", b"application/json", b"application/cloudevents+json", NATIONAL_ID.encode(),
])  # fmt: skip
ODD_HEADERS = st.lists(st.tuples(ODD_NAMES, ODD_VALUES), max_size=4)


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


@every("escaped", ["\\u0031064971268", "106497126\\u0038", "".join(f"\\u{ord(digit):04x}" for digit in "١٠٦٤٩٧١٢٦٨")])
def test_a_national_id_behind_escapes_is_never_quickly_accepted(escaped: str) -> None:
    event = changed(initiative(), "/data/name/en", "HERE")
    binary = in_binary_mode(encoded(event))
    assert binary is not None
    value, headers = binary
    for text in (escaped, f"no {escaped}.", f"\\n{escaped}"):
        assert compare(encoded(event).replace(b"HERE", text.encode()), HEALTH) is None
        assert compare(value.replace(b"HERE", text.encode()), HEALTH, headers) is None


def test_digits_that_are_no_national_id_do_not_send_an_event_the_full_way() -> None:
    for text in ("1064971269", "x 1064971269", f"x{NATIONAL_ID}", f"{NATIONAL_ID}0", "2" * 20):
        assert compare(encoded(changed(initiative(), "/data/name/en", text)), HEALTH) is not None, text
    for amount in (1_064_971_268, 10_649_712_680, 9_007_199_254_740_991):
        receipt = changed(golden_event("revenue.collected"), "/data/amount_halalas", amount)
        assert not may_be_personal(canonical_bytes(receipt))
        assert compare(encoded(receipt), sender_of(receipt)) is not None, amount


@every("before", ["", ":", '":', 'a":', '\\":', 'a\\":', '"a":', "{a:", ","])
@every("number", [NATIONAL_ID, "١٠٦٤٩٧١٢٦٨"])
def test_a_text_that_looks_like_a_number_after_a_name_is_searched(before: str, number: str) -> None:
    for text in (f"{before}{number}, and more", before + number):
        assert compare(encoded(changed(initiative(), "/data/name/en", text)), HEALTH) is None


@every(
    ("text", "suspect"),
    [
        (f"{NATIONAL_ID}x", False),
        ("cffdd372-ffbc-4c7c-b0c0-a3264971268b", False),
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
