"""The throughput of the last minutes, from the sizes of signed checkpoints."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from consumers.console.pages.operations.routes import MINUTES, per_minute
from tests.world.pages import OFFICE, page

NOW = datetime(2026, 3, 1, 12, 0, 30, tzinfo=UTC)


def ago(seconds: int) -> datetime:
    return NOW - timedelta(seconds=seconds)


def test_each_minute_has_what_was_signed_in_it() -> None:
    minutes = per_minute([(ago(1), 100), (ago(20), 90), (ago(40), 70), (ago(100), 40), (ago(5_000), 10)], NOW)
    assert len(minutes) == MINUTES
    assert [grown for _, grown in minutes[-3:]] == [30, 30, 30]
    assert minutes[-1][0] == NOW.replace(second=0)
    assert sum(grown for _, grown in minutes) == 90
    for signed in ([(ago(5_000), 10)], []):
        assert all(grown == 0 for _, grown in per_minute(signed, NOW)), "the log rests"


async def test_the_trail_is_not_searched_for_what_it_cannot_hold() -> None:
    assert (await page(OFFICE, "/operations/trail?operator=a%00b")).status_code == 422
