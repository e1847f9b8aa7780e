"""Schedules: all of them once, and a sample that is spread."""

from __future__ import annotations

import itertools

from tests.simulate.schedule import TIMES_MAX, Fault, Point, Schedule, drawn, enumerated

POINTS = [Point("pg.COMMIT.journal.commit", time) for time in range(1, TIMES_MAX + 3)] + [Point("file.fsync.disk", 1)]


def test_each_fault_comes_once_at_each_point_up_to_a_number_of_times() -> None:
    found = [*enumerated(POINTS)]
    expected = {(p, fault) for p in POINTS if p.time <= TIMES_MAX for fault in p.faults}
    assert sorted(map(str, found)) == sorted(str(Schedule((pair,))) for pair in expected)


def test_a_file_has_no_connection_that_could_be_cut() -> None:
    assert POINTS[-1].faults == [Fault.POWER_OLD, Fault.POWER_NEW]


def test_a_part_of_all_schedules_has_faults_at_early_and_late_points() -> None:
    first = [*itertools.islice(enumerated(POINTS), 12)]
    assert {schedule.faults[0][0].time for schedule in first} >= {1, TIMES_MAX - 1}


def test_a_seed_draws_the_same_schedules_again_and_another_seed_others() -> None:
    def of(seed: int) -> list[str]:
        return [str(schedule) for schedule in itertools.islice(drawn(POINTS, seed), 20)]

    assert of(1) == of(1)
    assert of(1) != of(2)


def test_the_text_of_a_schedule_names_it() -> None:
    for schedule in [Schedule(), *itertools.islice(drawn(POINTS, 3), 20)]:
        assert Schedule.parse(str(schedule)) == schedule
