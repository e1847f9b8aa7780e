"""When read models are committed, as of which index, under which id, and in chunks of which size."""

from __future__ import annotations

from datetime import timedelta

from consumers.proof.commitments.chunks import CHUNK_ROWS_MAX, next_limit
from consumers.proof.commitments.commitment import DAY, Growth, event_id
from consumers.replay.fold.past_rows import BLOCK_ENTRIES
from tests.every import every


def grown(entries: int, committed: int, since: timedelta = timedelta()) -> Growth:
    return Growth(entries, entries, committed, committed, since)


@every(
    ("growth", "due"),
    [
        (grown(9_999, 0), False),
        (grown(10_000, 0), True),
        (grown(19_999, 10_000), False),
        (grown(549_999, 500_000), False),
        (grown(550_000, 500_000), True),
        # After a day, however long the log is, where it has grown by what the platform does not add itself.
        (grown(501, 500, DAY), True),
        (grown(1_000_001, 1_000_000, DAY), True),
        (grown(501, 500, timedelta(hours=23, minutes=59)), False),
        (grown(500, 500, timedelta(days=9)), False),
        (Growth(600, 500, 500, 500, DAY), False),
        (Growth(601, 501, 500, 500, DAY), True),
        # A clock that was set back never keeps it waiting.
        (grown(501, 500, timedelta(hours=-5)), True),
        (grown(500, 500, timedelta(hours=-5)), False),
    ],
)
def test_it_is_due_when_the_log_has_grown_by_a_tenth_and_10_000_or_a_day_has_passed(growth: Growth, due: bool) -> None:
    assert growth.due is due


def test_the_next_index_is_the_blocks_beginning_or_else_the_position_and_never_one_that_was_committed() -> None:
    first = BLOCK_ENTRIES
    assert Growth(first - 1, 9).indexes == [first - 1]
    assert Growth(first, 9).indexes == [first]
    assert Growth(first + 700, 9).indexes == [first, first + 700]
    assert Growth(first + 700, 9, first).indexes == [first + 700]
    assert Growth(first + 700, 9, first + 700).indexes == []
    assert Growth(2 * first + 1, 9, first + 700).indexes == [2 * first, 2 * first + 1]
    # What a block leaves out is committed the next day.
    assert Growth(first + 700, 4_000, 0, 0, DAY).count_before(first) == 3_300
    assert Growth(first + 700, 4_000, first, 3_300, DAY).due


def test_an_id_names_the_last_entry_and_the_version_since_another_version_gives_other_rows() -> None:
    assert event_id("revenue.account", "2-bbbbbbbbbbbb", 8) == "committed.revenue.account.v2-bbbbbbbbbbbb.i7"
    assert event_id("log-keys", None, 8) == "committed.log-keys.i7"


def test_a_chunk_becomes_as_large_as_its_time_allows() -> None:
    found = [next_limit(rows, took_s) for rows, took_s in ((4_096, 0.01), (4_096, 0.03), (4_096, 0.06), (1, 9.0))]
    assert found == [8_192, 4_096, 2_048, 1]
    assert next_limit(CHUNK_ROWS_MAX, 0.01) == CHUNK_ROWS_MAX
