"""Decides when the read models of a consumer are committed, and as of which index. Pure: it knows no clock.

Entries that count are all but the commitments and the refusals of the platform's own events. So neither what a
commitment adds to the log nor its refusal brings the next one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from consumers.replay.fold.past_rows import block_start

GROWTH_DIVISOR: Final = 10
"""A commitment is due when the log has grown by this part since the last one: each is a pass over all rows."""
ENTRIES_MIN: Final = 10_000
"""And by this many entries: a part of a short log is soon reached."""
DAY: Final = timedelta(days=1)
"""Every log that has grown is committed within a day."""


@dataclass(frozen=True, slots=True)
class Growth:
    """A consumer has applied `position` entries, of which `entries_count` count.

    `committed_index` and `committed_count` are the same of its last commitment under the version of its rows: a new
    version begins at 0. `since` is the time since its last commitment under any version.
    """

    position: int
    entries_count: int
    committed_index: int = 0
    committed_count: int = 0
    since: timedelta = timedelta()

    @property
    def due(self) -> bool:
        """Whether it has grown by enough since the last commitment, or in a day by anything."""
        grown = self.entries_count - self.committed_count
        if grown < 1 or not self.indexes:
            return False
        # After a clock was set back the time is negative: a commitment is due, and notes the new time.
        is_new_day = not timedelta() <= self.since < DAY
        return is_new_day or grown >= max(ENTRIES_MIN, self.committed_count // GROWTH_DIVISOR)

    @property
    def indexes(self) -> list[int]:
        """What can be committed next, the cheapest first: the beginning of the block, which needs no fold, and the
        position. No index is committed twice under one version."""
        both = dict.fromkeys((block_start(self.position), self.position))
        return [index for index in both if index > self.committed_index]

    def count_before(self, index: int) -> int:
        """The number of entries before `index` that count, at least."""
        return max(0, self.entries_count - (self.position - index))
