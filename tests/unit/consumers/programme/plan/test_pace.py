"""The plan against the calendar: the day that counts, and the part that would be done by then."""

from __future__ import annotations

from consumers.programme.plan.pace import Measured, days_between, elapsed_days, expected, measured
from tests.every import every

STARTS, ENDS = "2004-02-21", "2008-12-28"


@every(
    ("adopted", "recorded", "latest", "day"),
    [
        ("2004-02-21", "2006-05-01", "2005-12-01", Measured("2006-05-01", "recorded")),
        ("2008-12-28", "2009-06-01", "2008-11-01", Measured("2009-06-01", "recorded")),  # it has ended
        ("2026-11-26", "2026-11-26", "2006-12-03", Measured("2006-12-03", "steps")),  # history
        ("2026-11-26", "2026-11-26", "2206-12-03", Measured("2026-11-26", "steps")),  # a mistyped year
        ("2026-11-26", "2026-11-26", None, Measured(STARTS, "steps")),
    ],
)
def test_the_day_is_the_logs_or_the_last_steps(adopted: str, recorded: str, latest: str | None, day: Measured) -> None:
    assert measured(STARTS, ENDS, adopted, recorded, latest) == day


def test_days_count_from_the_first_to_the_last() -> None:
    assert days_between("2004-02-21", "2004-02-21") == 1
    assert days_between("2004-01-01", "2004-12-31") == 366
    assert days_between("2004-02-21", "2004-02-20") == 0
    assert elapsed_days(STARTS, ENDS, "2004-02-20") == 0
    assert elapsed_days(STARTS, ENDS, STARTS) == 1
    assert elapsed_days(STARTS, ENDS, ENDS) == elapsed_days(STARTS, ENDS, "2026-01-01") == days_between(STARTS, ENDS)
    # What is expected is whole and never above the target.
    assert [expected(150, elapsed, 365) for elapsed in (0, 1, 2, 3, 182, 364, 365)] == [0, 0, 0, 1, 74, 149, 150]
    assert expected(6, 0, 0) == 6, "a plan without days is due at once"
