"""Records of the log's topic become runs of consecutive entries, and only entries of the log's tree are applied."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.pipeline.writer import Batch, LeafMismatch, check_leaves, parse_records
from events.wire.entry import entry_bytes
from infra.log.merkle import leaf_hash
from tests.unit.consumers.registrar.readings import RECORDED, said


@dataclass(frozen=True)
class Shipped:
    """A record of the log's topic."""

    offset: int
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]
    topic: str = "yesser.log"


def entry(index: int) -> bytes:
    return entry_bytes(RECORDED, f"agency.health.events/0/{index}", said(f"e{index}"))


def record(index: int, offset: int = 0) -> Shipped:
    return Shipped(offset, entry(index), (("index", b"%d" % index), ("leaf", leaf_hash(entry(index)).hex().encode())))


def parsed(indexes: list[int]) -> list[Batch]:
    return parse_records([record(index, offset) for offset, index in enumerate(indexes)])


def test_consecutive_indexes_are_one_batch() -> None:
    (batch,) = parsed([4, 5, 6])
    assert (batch.first_index, batch.end) == (4, 7)
    assert batch.raw == [entry(4), entry(5), entry(6)]
    assert [e.id for e in batch.entries] == ["e4", "e5", "e6"]
    assert [e.index for e in batch.entries] == [4, 5, 6]


@given(st.lists(st.integers(0, 9), max_size=30))
def test_repeats_and_gaps_begin_a_new_batch_and_nothing_is_dropped(indexes: list[int]) -> None:
    batches = parsed(indexes)
    assert [e.index for batch in batches for e in batch.entries] == indexes
    for batch in batches:
        assert [e.index for e in batch.entries] == list(range(batch.first_index, batch.end))
    assert all(a.end != b.first_index for a, b in itertools.pairwise(batches))


def test_no_records_are_no_batch() -> None:
    assert parsed([]) == []


def test_a_batch_can_be_cut_at_the_position() -> None:
    (batch,) = parsed([4, 5, 6])
    batch.traces = ["t"]
    rest = batch.without(2)
    assert (rest.first_index, rest.end, rest.raw, rest.traces) == (6, 7, [entry(6)], ["t"])


@pytest.mark.parametrize(
    "strange",
    [
        Shipped(7, entry(0), ()),
        Shipped(7, entry(0), (("index", b"x"),)),
        Shipped(7, None, (("index", b"0"),)),
        Shipped(7, b"{}", (("index", b"0"),)),
        Shipped(7, b"not json", (("index", b"0"),)),
    ],
)
def test_a_record_that_is_no_entry_halts_with_its_offset(strange: Shipped) -> None:
    with pytest.raises(LeafMismatch, match=r"offset 7 of yesser\.log"):
        parse_records([record(0), strange])


def test_entries_that_hash_to_the_logs_leaves_pass() -> None:
    raw = [entry(i) for i in range(300)]
    check_leaves(0, raw, b"".join(map(leaf_hash, raw)))
    check_leaves(5, [], b"")


@given(changed=st.integers(0, 4))
def test_one_changed_entry_is_named(changed: int) -> None:
    raw = [entry(i) for i in range(5)]
    leaves = b"".join(map(leaf_hash, raw))
    raw[changed] += b" "
    with pytest.raises(LeafMismatch, match=f"index {10 + changed} "):
        check_leaves(10, raw, leaves)


@pytest.mark.parametrize("count", [0, 2, 4])
def test_leaves_that_are_missing_or_too_many_halt(count: int) -> None:
    raw = [entry(i) for i in range(3)]
    with pytest.raises(LeafMismatch):
        check_leaves(0, raw, b"".join(leaf_hash(entry(i)) for i in range(count)))
