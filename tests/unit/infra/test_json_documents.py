"""Documents with whole numbers of any size, as commands print them and the API answers, and as they are read again."""

from __future__ import annotations

import json
from typing import Any

import click
import orjson
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from infra.command_line.output import print_json
from infra.json_documents import from_json, to_json, with_long_numbers_as_texts

REACH = 2_049 * (2**53 - 1)
"""What 2,049 airings reach at most: more than 64 bits."""
near_limits = st.sampled_from([2**53, 2**63, 2**64, 10**18, 10**19, 10**20]).flatmap(
    lambda limit: st.integers(-2, 2).flatmap(lambda away: st.sampled_from([limit + away, -limit + away]))
)
documents = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), near_limits, st.text(), st.from_regex("[0-9]{18,21}")),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(), inner, max_size=3)),
    max_leaves=10,
)


@given(documents, st.booleans())
def test_what_is_read_is_what_was_written(document: Any, indented: bool) -> None:
    text = to_json(document, indented=indented)
    assert json.loads(text) == document
    found = from_json(text)
    assert (found, repr(found)) == (document, repr(document)), "a fraction equals some whole numbers"


def test_the_form_is_the_same_with_and_without_a_long_number_and_a_command_prints_every_digit() -> None:
    for indented in (False, True):
        short, long = (to_json({"ar": "وصول", "aired": [1, n]}, indented=indented) for n in (7, REACH))
        assert long == short.replace(b"7", str(REACH).encode())
    assert orjson.loads(to_json({"reach": REACH}))["reach"] != REACH, "why `from_json` is needed"
    plan = click.Command("plan", callback=lambda: print_json({"awareness": {"reach": REACH}}, indented=True))
    assert f'"reach": {REACH}\n' in CliRunner().invoke(plan).output


def test_what_json_does_not_have_is_refused() -> None:
    for value in (object(), {1: REACH}, "\ud800"):
        with pytest.raises(TypeError):
            to_json([REACH, value])
    deep = [b"[" * 100_000 + inner + b"]" * 100_000 for inner in (b"1", b"99999999999999999999")]
    for text in (b"{", b"[99999999999999999999", b"\xff", b"[99999999999999999999, \xff]", *deep):
        with pytest.raises(ValueError, match=r"."):
            from_json(text)


def test_a_sequence_number_of_more_than_53_bits_is_a_text() -> None:
    document = {"highest": 2**53, "seen": [[1, 2**53 - 1], [10**20 - 1, 10**20 - 1]], "index": None, "ok": True}
    long = str(10**20 - 1)
    expected = {"highest": str(2**53), "seen": [[1, 2**53 - 1], [long, long]], "index": None, "ok": True}
    assert with_long_numbers_as_texts(document) == expected
