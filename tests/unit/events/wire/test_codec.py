"""The canonical codec: against the reference implementation of RFC 8785."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
import rfc8785
from hypothesis import example, given
from hypothesis import strategies as st

from events.values.money import INTEGER_MAX
from events.wire.codec import NotCanonical, build_event, canonical_bytes, canonical_event_bytes
from tests.every import every
from tests.unit.events.judgements import accepted
from tests.world.binary_mode import to_binary_mode
from tests.world.events import golden, sender_of

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-INTEGER_MAX, INTEGER_MAX) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@example({"é": 1, "e": 2, "\U0001f600": 3, "\ufb33": 4})
@example({"€": 1, "\r": 2, "1": 3, "\x80": 4, "ö": 5})
@example('\x00\x01\b\t\n\f\r\x1f\x7f/\\"\u2028')
@example(INTEGER_MAX)
@given(JSON_VALUES)
def test_any_value_is_written_as_the_reference_writes_it(value: Any) -> None:
    assert canonical_bytes(value) == rfc8785.dumps(value)


@every("value", [1.0, 2**53, -(2**53), "\ud800", {"\ud800": 1}, {1: 2}, [object()]])
def test_what_has_no_canonical_form_is_refused(value: Any) -> None:
    with pytest.raises(NotCanonical):
        canonical_bytes(value)


def test_an_event_is_built_canonically() -> None:
    built = build_event(
        type="revenue.period-closed",
        agency="health",
        id="close-1",
        subject="partnership/EPAY",
        time="2005-05-01T00:00:00Z",
        data={"period": "1426-03", "partnership_id": "EPAY"},
        sequence=f"{7:020d}",
    )
    assert built == (
        b'{"data":{"partnership_id":"EPAY","period":"1426-03"},"datacontenttype":"application/json","id":"close-1",'
        b'"sequence":"00000000000000000007","source":"urn:yesser:agency:health","specversion":"1.0",'
        b'"subject":"partnership/EPAY","time":"2005-05-01T00:00:00Z","type":"sa.gov.yesser.revenue.period-closed.v1"}'
    )


def test_every_golden_example_is_written_quickly_and_in_binary_mode_as_the_reference_writes_it() -> None:
    for _, raw in golden():
        event = orjson.loads(raw)
        assert canonical_event_bytes(event) == canonical_bytes(event) == rfc8785.dumps(event)
        value, headers = to_binary_mode(event)
        expected = {"datacontenttype": "application/json"} | {k: v for k, v in event.items() if v is not None}
        assert accepted(value, headers, sender_of(event)).event_bytes == rfc8785.dumps(expected)
