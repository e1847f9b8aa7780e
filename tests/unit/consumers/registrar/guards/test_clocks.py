"""Three clocks: which differences stop the registrar, and which a suspended process explains."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from consumers.registrar.guards.clocks import ClockCheck, ClocksDiffer, ClockSet, TooLate
from events.wire.entry import recorded_time

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
LIMIT_S = 300.0


@dataclass
class Machine:
    """A clock that can be set, and a monotonic one that cannot."""

    set_by_s: float = 0.0
    passed_s: float = 0.0

    def clock(self) -> datetime:
        return NOON + timedelta(seconds=self.set_by_s + self.passed_s)

    def check(self) -> ClockCheck:
        return ClockCheck(self.clock, lambda: 1000.0 + self.passed_s, LIMIT_S)


def test_a_database_or_a_kafka_further_apart_than_the_limit_stops() -> None:
    machine = Machine()
    check = machine.check()
    for within_s in (-LIMIT_S, -1, 0, 1, LIMIT_S):
        check.require_database(machine.clock(), NOON + timedelta(seconds=within_s))
        check.require_kafka(machine.clock(), NOON + timedelta(seconds=within_s))
    for other_s in (-LIMIT_S - 1, LIMIT_S + 1, 3600, -3600):
        with pytest.raises(ClocksDiffer, match="PostgreSQL's shows"):
            check.require_database(machine.clock(), NOON + timedelta(seconds=other_s))
        with pytest.raises(ClocksDiffer, match="Kafka's shows"):
            check.require_kafka(machine.clock(), NOON + timedelta(seconds=other_s))


def test_a_process_that_was_suspended_before_it_read_the_answer_has_no_wrong_clock() -> None:
    machine = Machine()
    asked = machine.clock()
    machine.passed_s = 3600
    for answered_after_s in (0, 1, 3600):
        machine.check().require_kafka(asked, NOON + timedelta(seconds=answered_after_s))


def test_a_batch_that_got_its_time_before_a_suspension_is_not_committed() -> None:
    """The timers decide as of midnight once no entry of before can come any more."""
    machine = Machine()
    recorded = machine.clock()
    machine.passed_s = LIMIT_S
    machine.check().require_batch(recorded, NOON + timedelta(seconds=LIMIT_S))
    machine.passed_s = LIMIT_S + 1
    with pytest.raises(TooLate, match="read again"):
        machine.check().require_batch(recorded, NOON + timedelta(seconds=LIMIT_S + 1))


def test_a_clock_that_is_set_after_kafkas_has_agreed_is_compared_again() -> None:
    machine = Machine()
    check = machine.check()
    machine.set_by_s = 7200
    assert check.now() == machine.clock(), "before the first agreement there is nothing to compare with"
    check.require_kafka(machine.clock(), machine.clock())
    machine.passed_s = 86_400
    assert check.now() == machine.clock()
    machine.set_by_s -= LIMIT_S + 1
    with pytest.raises(ClockSet):
        check.now()


def test_a_log_that_is_ahead_of_both_clocks_stops_until_they_have_reached_it() -> None:
    machine = Machine()
    check = machine.check()
    ahead = recorded_time(NOON + timedelta(seconds=LIMIT_S + 60))
    with pytest.raises(ClocksDiffer, match="The log is ahead of the clock"):
        check.require_past(ahead, NOON)
    machine.passed_s = 61
    check.require_past(ahead, NOON)
    check.require_past("", NOON)
