"""The fast path against the definition: what it accepts has no fault, and it nearly always accepts what has none."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from events import fast_path
from events.careful_path import judge_carefully
from events.codec import STRUCTURED_HEADERS, canonical_bytes
from events.fast_path import accept_binary_quickly, accept_quickly, admit_array_quickly, admit_quickly
from events.layouts import Layouts, recognise
from events.personal import holds_personal_data, is_suspect
from events.verdicts import Accepted, Admitted, Agency
from tests.unit.events.samples import encoded, golden, sender_of

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


@contextmanager
def having_seen(*events: bytes, sender: Agency) -> Iterator[Layouts]:
    """The fast path as it is after these events, each of which has taught it a layout if it has one."""
    layouts = Layouts(learn_after=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fast_path, "_LAYOUTS", layouts)
        for event in events:
            accept_quickly(event, sender)
        patch.setattr(layouts, "_learn_after", 1_000_000)
        yield layouts


def compare(raw: bytes, agency: Agency, seen: bytes) -> None:
    """The fast path says nothing, or exactly what the definition says, whether or not it has `seen` a similar event."""
    fresh = quick_verdict(raw, agency)
    with having_seen(seen, sender=agency) as layouts:
        alone = quick_verdict(raw, agency)
        array = b"[" + seen + b"," + raw + b"]"
        taken = admit_array_quickly(array, agency, 2)
        if taken is not None:
            assert taken[1] == [seen, raw]
            assert recognise(layouts.of(agency), raw.decode()) is not None
    assert fresh == alone


def quick_verdict(raw: bytes, agency: Agency) -> dict[str, Any] | None:
    """What the fast path says, which is what the careful one says."""
    quick, admitted = accept_quickly(raw, agency), admit_quickly(raw, agency)
    assert (quick is None) == (admitted is None)
    if quick is None or admitted is None:
        return None
    careful = judge_carefully(raw, STRUCTURED_HEADERS, agency)
    assert isinstance(careful, Accepted), careful
    assert _said(quick) == _said(careful)
    assert (admitted.id, admitted.type, admitted.event_bytes) == (careful.id, careful.type, careful.event_bytes)
    return _said(quick)


def _said(verdict: Accepted) -> dict[str, Any]:
    return {name: getattr(verdict, name) for name in (*Admitted.__slots__, *Accepted.__slots__)}


def pointers(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place of a JSON value."""
    below = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, item in below for place in pointers(item, (*path, key)))]


@st.composite
def mutated_trees(draw: st.DrawFn) -> tuple[bytes, Agency, bytes]:
    """A golden example with one or two members replaced, removed or added, in some writing; and it as it was."""
    event = json.loads(json.dumps(draw(st.sampled_from(GOLDEN))[1]))
    agency, writing = sender_of(event), draw(st.sampled_from(WRITINGS))
    seen = writing(event)
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
    return writing(event), agency, seen


@st.composite
def mutated_bytes(draw: st.DrawFn) -> tuple[bytes, Agency, bytes]:
    """A golden example with bytes cut out and snippets put in; and it as it was."""
    event = draw(st.sampled_from(GOLDEN))[1]
    seen = draw(st.sampled_from(WRITINGS))(event)
    raw = bytearray(seen)
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(raw)))
        cut = draw(st.sampled_from([0, 0, 1, 2, 5]))
        raw[start : start + cut] = draw(SNIPPETS)
    return bytes(raw), sender_of(event), seen


@settings(max_examples=600, deadline=None)
@given(mutated_trees())
def test_what_the_fast_path_accepts_of_changed_members_has_no_fault(case: tuple[bytes, Agency, bytes]) -> None:
    compare(*case)


@settings(max_examples=600, deadline=None)
@given(mutated_bytes())
def test_what_the_fast_path_accepts_of_changed_bytes_has_no_fault(case: tuple[bytes, Agency, bytes]) -> None:
    compare(*case)


@pytest.mark.parametrize("writing", WRITINGS)
@pytest.mark.parametrize(("name", "event"), GOLDEN, ids=[name for name, _ in GOLDEN])
def test_every_golden_example_goes_the_quick_way_in_every_writing(
    name: str, event: dict[str, Any], writing: Callable[[Any], bytes]
) -> None:
    raw = writing(event)
    assert accept_quickly(raw, sender_of(event)) is not None
    compare(raw, sender_of(event), raw)


@settings(max_examples=300, deadline=None)
@given(mutated_trees())
def test_binary_mode_goes_the_quick_way_only_where_the_definition_agrees(case: tuple[bytes, Agency, bytes]) -> None:
    raw, agency, _ = case
    try:
        event = json.loads(raw)
        value = json.dumps(event.pop("data")).encode()
        headers = [
            (f"ce_{name}", str(item).encode("utf-8", "surrogatepass"))
            for name, item in event.items()
            if name != "datacontenttype"
        ]
    except (ValueError, KeyError, AttributeError):
        return
    quick = accept_binary_quickly(value, headers, agency)
    if quick is not None:
        careful = judge_carefully(value, headers, agency)
        assert isinstance(careful, Accepted)
        assert _said(quick) == _said(careful)
        assert quick.event_bytes == canonical_bytes(quick.event)


@given(
    st.text(alphabet=st.sampled_from('0123456789١٢٣٠۰۱۲۳aه\n\x01\\"ِ ८'), max_size=30),
    st.sampled_from(["", NATIONAL_ID, "١٠٦٤٩٧١٢٦٨", "۱۰۶۴۹۷۱۲۶۸", "1٠6۴971268"]),
    st.integers(0, 30),
)
def test_the_quick_search_never_overlooks_a_national_id(text: str, planted: str, place: int) -> None:
    whole = text[:place] + planted + text[place:]
    if holds_personal_data(whole):
        assert is_suspect(canonical_bytes({"x": whole}))


@pytest.mark.parametrize(
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
    assert is_suspect(f'{{"x":"{text}"}}'.encode()) is suspect


@given(st.text(alphabet=st.sampled_from("0123456789aZ -_:,"), max_size=14), st.sampled_from(["", NATIONAL_ID]))
def test_in_ascii_the_quick_search_is_exact(text: str, planted: str) -> None:
    shown = canonical_bytes({"x": text + planted + text})
    assert is_suspect(shown) is (re.search(rb"(?<![A-Za-z0-9])[0-9]{10}(?![A-Za-z0-9])", shown) is not None)
