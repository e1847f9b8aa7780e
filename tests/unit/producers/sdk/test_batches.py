"""Slices keep order and bytes, and stay within the limits."""

from __future__ import annotations

import orjson
import pytest

from producers.sdk.client import batch_of, slices
from producers.sdk.problems import EmptyEvent
from tests.every import every


@every(
    ("events", "number_max", "bytes_max", "expected"),
    [
        ([b"1", b"22", b"333", b"4", b"5"], 2, 100, [(0, [b"1", b"22"]), (2, [b"333", b"4"]), (4, [b"5"])]),
        ([b"1", b"22", b"333", b"4", b"5"], 9, 6, [(0, [b"1", b"22"]), (2, [b"333", b"4"]), (4, [b"5"])]),
        ([b"1", b"22222", b"3"], 9, 3, [(0, [b"1"]), (1, [b"22222"]), (2, [b"3"])]),
        ([], 2, 100, []),
    ],
)
def test_a_slice_is_full_by_number_or_by_bytes_and_what_is_larger_goes_alone(
    events: list[bytes], number_max: int, bytes_max: int, expected: list[tuple[int, list[bytes]]]
) -> None:
    assert list(slices(events, number_max, bytes_max)) == expected


def test_a_batch_is_a_json_array_of_the_events_without_the_white_space_around_them_and_none_is_empty() -> None:
    ((_, events),) = slices([b' {"a": 1}\n', b'{"b":2}'], 9, 100)
    assert events == [b'{"a": 1}', b'{"b":2}']
    assert orjson.loads(batch_of(events)) == [{"a": 1}, {"b": 2}]
    for empty in (b"", b" \n"):
        with pytest.raises(EmptyEvent, match="the event at position 2 is empty"):
            next(slices([b"1", b"2", empty, b"3"], 1, 100))
