"""The rows that a batch becomes: segments in bundle form, multiranges of sequences, hashes of records."""

from __future__ import annotations

from hashlib import sha256

from hypothesis import example, given
from hypothesis import strategies as st

from consumers.registrar.batch import SEGMENT_BYTES_MAX, multirange, record_sha256, repeated, segments
from infra.log.bundle import split_bundle
from infra.log.layout import TILE
from infra.log.merkle import leaf_hash
from tests.world.records import Record


@given(first=st.integers(0, 3 * TILE), lengths=st.lists(st.integers(0, 40), max_size=3 * TILE))
def test_segments_hold_every_entry_once_and_never_cross_a_multiple_of_256(first: int, lengths: list[int]) -> None:
    entries = [bytes([i % 251]) * length for i, length in enumerate(lengths)]
    leaves = [leaf_hash(entry) for entry in entries]
    rows = segments(first, entries, leaves)

    assert [entry for _, _, data, _ in rows for entry in split_bundle(data)] == entries
    assert b"".join(found for *_, found in rows) == b"".join(leaves)
    expected = first
    for first_index, count, _, found in rows:
        assert first_index == expected
        assert count >= 1
        assert first_index // TILE == (first_index + count - 1) // TILE
        assert len(found) == 32 * count
        expected += count
    assert expected == first + len(entries)


def test_a_segment_is_full_by_its_entries_or_by_its_bytes() -> None:
    entries = [b"x"] * (2 * TILE + 1)
    found = [(first, count) for first, count, _, _ in segments(0, entries, [bytes(32)] * len(entries))]
    assert found == [(0, 256), (256, 256), (512, 1)]
    ((_, _, data, _),) = segments(0, [b"x" * 65_535], [bytes(32)])
    assert data[:2] == b"\xff\xff"
    rows = segments(0, [b"x" * 59_653] * 300, [bytes(32)] * 300)
    assert sum(count for _, count, _, _ in rows) == 300
    assert {count for _, count, _, _ in rows[:-1]} == {SEGMENT_BYTES_MAX // 59_653, 256 % (SEGMENT_BYTES_MAX // 59_653)}
    assert [first for first, *_ in rows] == [0, *(first + count for first, count, _, _ in rows[:-1])]


@given(st.lists(st.integers(1, 60)))
@example([])
@example([3, 1, 2, 2])
def test_a_multirange_covers_exactly_its_numbers(numbers: list[int]) -> None:
    assert multirange([7, 1, 2]) == "{[1,3),[7,8)}"
    assert multirange([10**20 - 1]) == "{[99999999999999999999,100000000000000000000)}"
    covered: set[int] = set()
    for part in filter(None, multirange(numbers).strip("{}").replace("),[", ") [").split(" ")):
        start, end = map(int, part.strip("[)").split(","))
        assert covered.isdisjoint(range(start - 1, end + 1)), "neighbours are joined"
        covered |= set(range(start, end))
    assert covered == set(numbers)


def test_repeated_numbers_are_those_that_occur_more_than_once() -> None:
    assert repeated([1, 2, 1, 3, 1, 2]) == [1, 1, 2]


def test_a_records_hash_tells_its_parts_apart_and_is_not_of_its_offset() -> None:
    different = [
        *(Record(0, value, []) for value in (None, b"", b"-", b"ab")),
        Record(0, b"a", [("b", b"")]),
        Record(0, b"a", [("b", None)]),
        Record(0, b"a", [("", b"b")]),
        Record(0, b"a", [("b", b""), ("b", b"")]),
        Record(0, b"a", [("b\udcff", b"")]),
    ]
    assert len({record_sha256(record) for record in different}) == 9
    assert record_sha256(Record(1, b"a", [])) == record_sha256(Record(2, b"a", [])) == sha256(b"1:a").digest()
