"""Batches read as bytes: what a checksum says of them, and that nothing behind a damaged one is taken for read."""

from __future__ import annotations

import pytest
from aiokafka.record.util import calc_crc32c

from consumers.registrar.raw_record_reader import CorruptBatch, holds_a_batch, parse_batches, record_at
from tests.every import every
from tests.unit.consumers.registrar.brokers import batch, damaged


def values(data: bytes) -> list[tuple[int, bytes | None]]:
    return [(record.offset, record.value) for record in parse_batches(data)]


def test_whole_batches_are_read_and_one_that_is_cut_off_behind_them_is_left() -> None:
    both = bytes(batch(5, b"a", b"b") + batch(7, b"c"))
    assert values(both) == [(5, b"a"), (6, b"b"), (7, b"c")]
    assert values(both[:-1]) == [(5, b"a"), (6, b"b")]
    found = [record_at(both, offset) for offset in range(4, 9)]
    assert [record and record.value for record in found] == [None, b"a", b"b", b"c", None]


def test_what_stands_before_a_damaged_batch_is_read_and_nothing_behind_it() -> None:
    data = bytes(batch(5, b"a") + damaged(batch(6, b"b")) + batch(7, b"c"))
    assert values(data) == [(5, b"a")]
    assert record_at(data, 5) == parse_batches(data)[0]
    with pytest.raises(CorruptBatch, match="offset 6"):
        record_at(bytes(damaged(batch(6, b"b"))), 6)


# a record, its form, its attributes, its length
@every("at", [-1, 16, 22, 11])
def test_a_damaged_batch_is_named(at: int) -> None:
    with pytest.raises(CorruptBatch, match="offset 6"):
        parse_batches(bytes(damaged(batch(6, b"b"), at)))


def test_a_record_has_the_time_at_which_the_broker_stored_its_batch() -> None:
    data = batch(5, b"a", b"b")
    assert [record.timestamp for record in parse_batches(bytes(data))] == [0, 0], "as its sender wrote it"
    data[22] |= 0x08
    data[35:43] = (1_700_000_000_123).to_bytes(8, "big")
    data[17:21] = calc_crc32c(bytes(data[21:])).to_bytes(4, "big")
    assert [record.timestamp for record in parse_batches(bytes(data))] == [1_700_000_000_123] * 2


def test_a_batch_is_there_as_a_whole_or_not() -> None:
    data = bytes(batch(5, b"a"))
    assert holds_a_batch(data)
    assert holds_a_batch(data + b"more")
    assert not any(holds_a_batch(data[:length]) for length in range(len(data)))
