"""The rows of a commitment are read in chunks that take a bounded time each."""

from __future__ import annotations

from consumers.commitments import chunks


def test_a_chunk_becomes_as_large_as_its_time_allows() -> None:
    assert chunks.next_limit(4_096, 0.01) == 8_192
    assert chunks.next_limit(4_096, 0.03) == 4_096
    assert chunks.next_limit(4_096, 0.06) == 2_048
    assert chunks.next_limit(1, 9.0) == 1
    assert chunks.next_limit(chunks.CHUNK_ROWS_MAX, 0.01) == chunks.CHUNK_ROWS_MAX
