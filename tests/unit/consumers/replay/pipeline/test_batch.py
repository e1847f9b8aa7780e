"""Records of the log's topic become runs of consecutive entries, and only entries of the log's tree are applied."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.replay.pipeline.batch import Batch, LeafMismatch, parse_records
from consumers.replay.pipeline.log_feed import PORTION_BYTES, PORTION_RECORDS, portions
from infra.log.merkle import leaf_hash
from tests.every import every
from tests.world.logs import small_entry as entry


@dataclass(frozen=True)
class Shipped:
    """A record of the log's topic."""

    offset: int
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]
    topic: str = "yesser.log"


def record(index: int, offset: int = 0) -> Shipped:
    return Shipped(offset, entry(index), (("index", b"%d" % index), ("leaf", leaf_hash(entry(index)).hex().encode())))


def parsed(indexes: list[int]) -> list[Batch]:
    return parse_records([record(index, offset) for offset, index in enumerate(indexes)])


def test_consecutive_indexes_are_one_batch_which_can_be_cut_at_the_position() -> None:
    (batch,) = parsed([4, 5, 6])
    assert (batch.first_index, batch.end) == (4, 7)
    assert batch.leaves == b"".join(leaf_hash(entry(i)) for i in (4, 5, 6))
    assert batch.size_bytes == sum(len(entry(i)) for i in (4, 5, 6))
    assert [e.id for e in batch.entries] == ["e4", "e5", "e6"]
    assert [e.index for e in batch.entries] == [4, 5, 6]
    batch.traces = ["t"]
    rest = batch.part(2, 3)
    assert (rest.first_index, rest.end, rest.leaves, rest.traces) == (6, 7, leaf_hash(entry(6)), ["t"])
    assert batch.part(3, 3).entries == []


@given(st.lists(st.integers(0, 9), max_size=30))
def test_repeats_and_gaps_begin_a_new_batch_and_nothing_is_dropped(indexes: list[int]) -> None:
    batches = parsed(indexes)
    assert [e.index for batch in batches for e in batch.entries] == indexes
    for batch in batches:
        assert [e.index for e in batch.entries] == list(range(batch.first_index, batch.end))
    assert all(a.end != b.first_index for a, b in itertools.pairwise(batches))


@every(
    ("value", "index"),
    [(entry(0), None), (entry(0), b"x"), (None, b"0"), (b"{}", b"0"), (b"not json", b"0")],
)
def test_a_record_that_is_no_entry_halts_with_its_offset(value: bytes | None, index: bytes | None) -> None:
    strange = Shipped(7, value, () if index is None else (("index", index),))
    with pytest.raises(LeafMismatch, match=r"offset 7 of yesser\.log"):
        parse_records([record(0), strange])


def test_entries_that_hash_to_the_logs_leaves_pass_and_those_that_were_read_from_it_are_not_compared_again() -> None:
    (batch,) = parsed(list(range(300)))
    batch.check(b"".join(leaf_hash(entry(i)) for i in range(300)))
    Batch(0, batch.entries, None, 1).check(b"another")


@given(changed=st.integers(0, 4))
def test_one_changed_entry_is_named(changed: int) -> None:
    leaves = [leaf_hash(entry(10 + i)) for i in range(5)]
    leaves[changed] = leaf_hash(entry(10 + changed) + b" ")
    (batch,) = parsed(list(range(10, 15)))
    with pytest.raises(LeafMismatch, match=f"index {10 + changed} "):
        batch.check(b"".join(leaves))


@every(
    ("count", "words"),
    [
        (0, "holds index 5, but the database holds 5 .*`yesser recover`"),
        (2, "holds index 7, but the database holds 7 .*`yesser recover`"),
        (4, "there are more leaves than entries from index 5 on"),
    ],
)
def test_an_entry_beyond_the_database_shows_an_older_copy_and_too_many_leaves_halt_too(count: int, words: str) -> None:
    (batch,) = parsed([5, 6, 7])
    with pytest.raises(LeafMismatch, match=words):
        batch.check(b"".join(leaf_hash(entry(5 + i)) for i in range(count)))


def test_records_are_parsed_in_portions_of_a_bounded_number_and_size() -> None:
    many = [record(i, i) for i in range(2 * PORTION_RECORDS + 1)]
    assert [len(portion) for portion in portions(many)] == [PORTION_RECORDS, PORTION_RECORDS, 1]
    large = [Shipped(i, bytes(PORTION_BYTES // 2 + 1), ()) for i in range(5)]
    assert [len(portion) for portion in portions(large)] == [2, 2, 1]
    assert list(portions([])) == []
    assert parsed([]) == []
