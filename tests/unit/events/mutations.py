"""Golden examples with members or bytes changed, in every writing, as strategies of hypothesis."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from events.validation.verdicts import Agency
from tests.world.events import NATIONAL_ID, encoded, golden, sender_of

GOLDEN = [(path.name, json.loads(raw)) for path, raw in golden()]

WRITINGS: list[Callable[[Any], bytes]] = [
    encoded,
    lambda event: json.dumps(event).encode(),
    lambda event: json.dumps(event, separators=(",", ":")).encode(),
    lambda event: json.dumps(event, indent=1, ensure_ascii=False).encode("utf-8", "surrogatepass"),
    lambda event: json.dumps(event, separators=(" ,\n", " \t: ")).encode(),
]

INTERESTING = st.one_of(
    st.sampled_from([None, True, False, 0, -0.0, 1, -1, 100.0, 2**53, 2**53 - 1, 2**63, 2**64, 10**30, [], {}]),
    st.sampled_from(
        ["", " ", "x", "a\x00", "\ud800", "2005-02-30", "1424-01-01", "2077-11-17", "2016-02-29", "1426-Q1"]
    ),
    st.sampled_from([NATIONAL_ID, "1064971269", "١٠٦٤٩٧١٢٦٨", f"\n{NATIONAL_ID}", f"a{NATIONAL_ID}"]),
    st.sampled_from([int(NATIONAL_ID), f"{NATIONAL_ID}0", "\x85", "\u202e" * 50, "x" * 3_000, '"\\' * 50, "{value}"]),
    st.sampled_from(["web", "tv", '":', '\\":', '" :', "application/json", "1.0"]),
    st.text(max_size=8),
    st.integers(),
    st.fixed_dictionaries({"ar": st.text(min_size=1, max_size=3), "en": st.text(min_size=1, max_size=3)}),
)
SNIPPETS = st.sampled_from([
    b'"id":"e-1",', b'"id" :"e-1",', b'"x":null,', b'"on":"2005-05-05",', b"\\u0022:", b"\\u0661\\u0660",
    b"\xef\xbb\xbf", b"\xff", b"-0", b"1e2", b".0", b"\\u0000", b"\\ud800", NATIONAL_ID.encode(), "١٠٦٤٩٧١٢٦٨".encode(),
    b'"', b"{", b"}", b" ", b":",
])  # fmt: skip


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
