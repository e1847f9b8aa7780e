"""When an entry occurred, and which moment the options of a command name."""

from __future__ import annotations

from typing import Any

from click.testing import CliRunner

from consumers.programme.campaigns.commands import list_command
from consumers.programme.plan.commands import anomalies, plan
from consumers.replay.as_of.point_in_time import PointInTime, occurred_on, riyadh_date_of
from events.wire.entry import Entry
from tests.every import every
from tests.oracle.log import make_entry, make_event
from tests.world.entries import entry_of

TIME = "2026-11-24T22:30:00Z"
RECORDED = "2026-11-25T08:00:00.000000Z"


def entry(data: dict[str, Any]) -> Entry:
    event = make_event("service.launched", "health", "service/S", data, "a") | {"time": TIME}
    return entry_of(make_entry(0, event, RECORDED))


@every(
    ("data", "on"),
    [
        ({"on": "2026-10-01", "signed_on": "2026-09-01"}, "2026-10-01"),  # then the single date; of two dates none
        ({"collected_on": "2026-09-01", "amount_halalas": 5}, "2026-09-01"),
        ({"starts_on": "2026-01-01", "ends_on": "2030-12-31"}, "2026-11-25"),
        # dates within objects do not count
        ({"signed_on": "2026-02-03", "terms": {"starts_on": "2026-03-01", "ends_on": "2027-03-01"}}, "2026-02-03"),
        ({"effective_from": "1427-01"}, "2026-11-25"),
    ],
)
def test_an_entry_occurred_on_its_date_or_at_its_time(data: dict[str, Any], on: str) -> None:
    assert occurred_on(entry(data)) == on


@every(
    ("time", "on"),
    [
        ("2026-11-24T20:59:59.999999999Z", "2026-11-24"),
        ("2026-11-24T21:00:00Z", "2026-11-25"),
        ("2026-11-25t02:00:00+05:00", "2026-11-25"),
        ("2026-11-25T01:59:59+05:00", "2026-11-24"),
        ("1925-01-01T00:00:00-23:59", "1925-01-02"),
    ],
)
def test_a_time_is_a_date_in_riyadh(time: str, on: str) -> None:
    assert riyadh_date_of(time) == on


@every("command", [plan, anomalies, list_command])
@every(
    ("arguments", "words"),
    [
        (["--as-of-index", "1", "--as-of-occurred", "2026-11-25"], "only one of"),
        (["--as-of-recorded", "2026-11-25T08:00:00Z", "--as-of-index", "1"], "only one of"),
        (["--as-of-recorded", "2026-11-25T08:00:00"], "not a time with offset"),
        (["--as-of-recorded", "yesterday"], "not a time with offset"),
        (["--as-of-recorded", "9999-12-31T23:59:59-03:00"], "not a time with offset"),
        (["--as-of-recorded", "0001-01-01T00:00:00+03:00"], "not a time with offset"),
        (["--as-of-occurred", "20261125"], "not a Gregorian date"),
        (["--as-of-occurred", "2026-02-30"], "not a Gregorian date"),
    ],
)
def test_a_moment_that_is_none_is_said(command: Any, arguments: list[str], words: str) -> None:
    result = CliRunner().invoke(command, arguments)
    assert result.exit_code == 2
    assert words in " ".join(result.output.replace("│", " ").split())


def test_a_moment_of_the_past_is_said_in_both_languages() -> None:
    assert PointInTime().words() is None
    for moment in (PointInTime(index=5), PointInTime(occurred="2026-11-25")):
        words = moment.words()
        assert words is not None
        assert " · " in words
