"""When read models are committed, and as of which index; and a year of slow logs, hour by hour, in virtual time."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import pairwise

import pytest

from consumers.commitments.commitment import event_id
from consumers.commitments.growth import DAY, ENTRIES_MIN, GROWTH_DIVISOR, Growth
from consumers.fold.past_rows import BLOCK_ENTRIES
from consumers.fold.version import FoldVersion
from consumers.registry import CONSUMERS
from tests.every import every

TABLES = {name: [table.name for table in consumer.tables] for name, consumer in CONSUMERS.items()}
YEAR_DAYS = 365
HOUR = timedelta(hours=1)


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
def test_it_is_due_when_the_log_has_grown_by_a_tenth_and_by_ten_thousand_entries_or_a_day_has_passed(
    growth: Growth, due: bool
) -> None:
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


@dataclass
class Platform:
    """A log, consumers that apply it, the notes of what was committed, and a registrar."""

    size: int
    of_its_own: int = 0
    """Commitments and refusals among the entries."""
    clock: timedelta = timedelta()
    versions: dict[str, FoldVersion] = field(default_factory=lambda: dict.fromkeys(TABLES, FoldVersion(1, "a" * 64)))
    positions: dict[str, int] = field(default_factory=dict)
    counted: tuple[int, int] = (0, 0)
    """The entries that the projections have applied, and those of its own among them."""
    notes: dict[tuple[str, str], tuple[int, int, timedelta]] = field(default_factory=dict)
    """(consumer, version) → index, entries that count, time."""
    registered: dict[str, str] = field(default_factory=dict)
    """Event id → what it says of the rows: another version gives others."""
    accepted: dict[str, list[tuple[timedelta, int]]] = field(default_factory=lambda: defaultdict(list))
    """Read model → when it was committed, and at which index."""
    verdicts: Counter[str] = field(default_factory=Counter)

    def growth(self, name: str) -> Growth:
        """As `commit.sql` reads it."""
        position = self.positions[name]
        label = self.versions[name].label
        index, count, _ = self.notes.get((name, label), (0, 0, None))
        last = max((at for (one, _), (_, _, at) in self.notes.items() if one == name), default=timedelta())
        counted, own = self.counted
        return Growth(position, counted - own - max(0, counted - position), index, count, self.clock - last)

    def apply(self, *, without: str | None = None) -> None:
        self.positions |= {name: self.size for name in TABLES if name != without}
        self.counted = self.size, self.of_its_own

    def look(self, *, by_hand: bool = False) -> None:
        """What the relay does twice a second, or an operator."""
        for name in TABLES:
            growth = self.growth(name)
            if by_hand or growth.due:
                self._commit(name, growth)

    def _commit(self, name: str, growth: Growth) -> None:
        version = self.versions[name]
        for index in growth.indexes:
            ids = {event_id(f"{name}.{table}", version.label, index): table for table in TABLES[name]}
            if not ids.keys() <= self.registered.keys():
                self.notes[name, version.label] = index, growth.count_before(index), self.clock
                for id, table in ids.items():
                    self.register(id, f"{name}.{table}", index, f"{table} {index} {version.sha256}")
                return

    def register(self, id: str, name: str, index: int, rows: str) -> None:
        """As the registrar: a duplicate adds nothing, a conflict a refusal."""
        if id not in self.registered:
            self.registered[id] = rows
            self.accepted[name].append((self.clock, index))
        elif self.registered[id] == rows:
            self.verdicts["duplicate"] += 1
            return
        else:
            self.verdicts["conflict"] += 1
        self.size += 1
        self.of_its_own += 1


@pytest.mark.parametrize(
    ("first", "per_day"),
    [
        (5_000, 50),
        (5_000, 10_000),
        (2_000_000, 50),
        pytest.param(0, 1_000, marks=pytest.mark.accept),
        pytest.param(20_000, 1_000, marks=pytest.mark.accept),
    ],
)
def test_a_year_of_a_slow_log_has_one_commitment_a_day_of_each_read_model(per_day: int, first: int) -> None:
    platform = Platform(first)
    old_notes: dict[tuple[str, str], tuple[int, int, timedelta]] = {}
    by_hand = passes_of_rules = 0
    for hour in range(24 * YEAR_DAYS):
        day, hour_of_day = divmod(hour, 24)
        platform.clock += HOUR
        platform.size += (hour_of_day + 1) * per_day // 24 - hour_of_day * per_day // 24
        if (day, hour_of_day) == (100, 9):  # an upgrade
            platform.versions = {name: FoldVersion(2, "b" * 64) for name in TABLES}
        if day in (50, 150, 151, 250) and hour_of_day == 3:  # a rule's version is raised, and again, and taken back
            sha256 = {50: "c", 150: "d", 151: "e", 250: "d"}[day] * 64
            platform.versions["campaigns"] = FoldVersion(platform.versions["campaigns"].number, sha256)
            passes_of_rules += 1
        if (day, hour_of_day) == (200, 5):
            platform.clock -= 2 * HOUR
        if (day, hour_of_day) == (220, 5):
            platform.clock += 3 * HOUR
        if (day, hour_of_day) == (294, 0):
            old_notes = dict(platform.notes)
        if (day, hour_of_day) == (300, 0):  # a copy of six days ago is restored, and the log recovered
            platform.notes = old_notes
        platform.apply(without="revenue" if 120 <= day < 122 else None)
        if day % 60 == 30 and hour_of_day < 3:
            platform.look(by_hand=True)
            by_hand += 1
        for _ in range(2):  # it looks again and again: that brings nothing more
            platform.look()
            platform.apply(without="revenue" if 120 <= day < 122 else None)
    assert platform.verdicts == {}, "no duplicate and no refusal"
    # The clock of the test was set ahead for three hours, and revenue stood still for two days.
    longest = DAY + 4 * HOUR
    for name, commitments in platform.accepted.items():
        at = [when for when, _ in commitments]
        assert at[0] <= DAY + HOUR, "the first day"
        waited = [later - earlier for earlier, later in pairwise(at)]
        limit = 2 * DAY + longest if name.startswith("revenue.") else longest
        assert max(waited) <= limit, (name, max(waited))
        # By a tenth, by hand, and once for each new version besides the one a day.
        by_a_tenth = max(0, per_day * YEAR_DAYS // ENTRIES_MIN) if first < GROWTH_DIVISOR * ENTRIES_MIN else 6
        assert YEAR_DAYS - 20 <= len(at) <= YEAR_DAYS + by_a_tenth + by_hand + passes_of_rules + 4, name


def test_a_log_that_stands_is_committed_to_its_end_and_then_no_more() -> None:
    platform = Platform(5_000)
    for _ in range(24 * 30):
        platform.clock += HOUR
        platform.apply()
        platform.look()
    assert {len(commitments) for commitments in platform.accepted.values()} == {2}, "the block, and the end"
    assert all(index >= 5_000 for index in (commitments[-1][1] for commitments in platform.accepted.values()))
