"""Which state of the plan is asked for, and the links to the states beside it."""

from __future__ import annotations

from consumers.console.pages.plan.overview import Moment, moment_of, steps
from tests.every import every


@every(
    ("index", "recorded", "moment"),
    [
        ("", "", Moment()),
        (" ", " ", Moment()),
        ("0", "", Moment(index=0, typed_index="0")),
        (" 400 ", "", Moment(index=400, typed_index="400")),
        ("-1", "", Moment(typed_index="-1", fault="index")),
        ("4e3", "", Moment(typed_index="4e3", fault="index")),
        ("٤٠٠", "", Moment(index=400, typed_index="٤٠٠")),
        ("۴۰۰", "", Moment(index=400, typed_index="۴۰۰")),
        ("४००", "", Moment(typed_index="४००", fault="index")),
        ("", "٢٠٢٦-١١-٢٥", Moment(recorded="2026-11-25T20:59:59.999999Z", typed_time="٢٠٢٦-١١-٢٥")),
        ("9" * 17, "", Moment(typed_index="9" * 17, fault="index")),
        ("9007199254740993", "", Moment(typed_index="9007199254740993", fault="index")),
        ("5", "2026-11-25", Moment(typed_index="5", typed_time="2026-11-25", fault="both")),
        ("", "yesterday", Moment(typed_time="yesterday", fault="time")),
        ("", "2026-02-30", Moment(typed_time="2026-02-30", fault="time")),
        ("", "0001-01-01", Moment(recorded="1925-01-01T00:00:00.000000Z", typed_time="0001-01-01")),
        ("", "9999-12-31", Moment(recorded="2077-12-31T00:00:00.000000Z", typed_time="9999-12-31")),
        ("", "0001-01-01T0:00", Moment(recorded="1925-01-01T00:00:00.000000Z", typed_time="0001-01-01T0:00")),
        ("", "2026-11-25", Moment(recorded="2026-11-25T20:59:59.999999Z", typed_time="2026-11-25")),
        ("", "2026-11-25T08:00", Moment(recorded="2026-11-25T05:00:00.000000Z", typed_time="2026-11-25T08:00")),
        (
            "",
            "2026-11-25T08:00:00.5z",
            Moment(recorded="2026-11-25T08:00:00.500000Z", typed_time="2026-11-25T08:00:00.5z"),
        ),
    ],
)
def test_what_somebody_types_is_an_index_or_a_time(index: str, recorded: str, moment: Moment) -> None:
    assert moment_of(index, recorded) == moment


def test_a_date_may_be_that_of_what_occurred() -> None:
    chosen = Moment(occurred="2006-01-01", typed_time="٢٠٠٦-٠١-٠١", by_occurrence=True)
    assert moment_of("", "٢٠٠٦-٠١-٠١", "occurred") == chosen
    assert not moment_of("", "2006-01-01", "occurred").is_now
    assert moment_of("", "x", "occurred") == Moment(typed_time="x", by_occurrence=True, fault="time")


def test_the_links_lead_from_the_first_entry_to_the_present_and_no_further() -> None:
    beginning = {"first": None, "earlier": None, "later": "/plan?as_of_index=20", "newest": "/plan"}
    assert steps(0, 1_000) == beginning
    assert steps(995, 1_000) == {
        "first": "/plan?as_of_index=0",
        "earlier": "/plan?as_of_index=975",
        "later": "/plan?as_of_index=1000",
        "newest": "/plan",
    }
    assert steps(1_000, 1_000)["later"] is None
    assert set(steps(0, 0).values()) == {None}
