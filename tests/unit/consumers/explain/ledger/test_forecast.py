"""Forecasts: closed periods are real, the others are priced like real ones under an assumption that is named."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

import pytest

from consumers.documents.document import documents_of
from consumers.documents.ledger.partnerships import RevenuePeriod
from consumers.explain.ledger.forecast_chart import chart_of, svg
from consumers.explain.ledger.what_if import ASSUMPTIONS, NothingSigned, forecast
from tests.every import every
from tests.oracle.fold import fold
from tests.oracle.history import REVENUE, entries_from, generate
from tests.oracle.log import short_type
from tests.world.entries import TEXT
from tests.world.ledger import months, terms
from tests.world.partnership import AGREED, EXPECTED, History, numbered, raw


def test_the_remaining_periods_go_on_at_the_pace_of_the_closed_ones() -> None:
    history = History((40_000, "2005-01-10"), (60_000, "2005-02-10"))
    history.close("2005-01", "2005-02")
    history.collect(7_000, "2005-03-02")

    found = forecast(history.raw())

    assert found.pace == "1/2"
    assert [row.period for row in found.periods] == months(1, 12)
    assert [row.closed for row in found.periods] == [True] * 2 + [False] * 10
    assert [row.net_so_far_halalas for row in found.periods[:4]] == [40_000, 60_000, 7_000, 0]
    at_pace = [row.pace.net_halalas for row in found.periods]
    assert at_pace == [40_000, 60_000] + [50_000] * 10, "what March brought already is part of its half"
    guaranteed, share = 60_000, 35_000
    assert found.top_ups_to_come_halalas.pace == 10 * (guaranteed - share)
    assert found.top_ups_to_come_halalas.nothing == 10 * guaranteed - 4_900
    assert found.top_ups_to_come_halalas.expected == 0


def test_at_a_pace_of_zero_nothing_more_comes_and_what_was_topped_up_is_recovered_where_more_comes() -> None:
    history = History()
    unknown = forecast(history.raw())
    assert unknown.pace is None, "before the first closing all is expected"
    assert {row.pace.net_halalas for row in unknown.periods} == {EXPECTED}
    history.close("2005-01")
    found = forecast(history.raw())
    assert found.pace == "0"
    assert [row.pace.net_halalas for row in found.periods] == [0] * 12
    assert found.top_ups_to_come_halalas.pace == found.top_ups_to_come_halalas.nothing == 11 * 60_000
    assert found.periods[0].expected.top_up_halalas == 60_000
    recovered = [row.expected.recovered_halalas for row in found.periods]
    assert recovered == [0, *[10_000] * 6, *[0] * 5]
    history.collect(3 * EXPECTED, "2005-02-05")
    second = forecast(history.raw()).periods[1]
    kept = [getattr(second, name).net_halalas for name in ASSUMPTIONS]
    assert kept == [3 * EXPECTED] * 3, "what was more than expected is kept"


def test_closed_periods_of_which_nothing_was_expected_do_not_count_for_the_pace() -> None:
    history = History((EXPECTED, "2005-01-10"), (EXPECTED, "2005-02-10"), expected=[], guarantee=None)
    history.close("2005-01", "2005-02")
    assert forecast(history.raw()).pace is None
    history.say("partnership.amended", effective_from="2005-03", terms=terms(**AGREED), reason=TEXT)
    history.collect(EXPECTED // 2, "2005-03-10")
    history.close("2005-03")

    found = forecast(history.raw())

    assert found.pace == "1/2"
    guaranteed, share = 60_000, 35_000
    assert found.top_ups_to_come_halalas.pace == 9 * (guaranteed - share)


def test_nothing_is_to_come_after_a_termination_and_after_the_last_closing() -> None:
    history = History((EXPECTED, "2005-01-10"))
    history.close("2005-01")
    history.say("partnership.terminated", on="2005-03-15", reason=TEXT)
    assert [row.period for row in forecast(history.raw()).periods] == months(1, 3)
    history.close("2005-02", "2005-03")
    found = forecast(history.raw())
    assert all(row.closed for row in found.periods)
    assert found.top_ups_to_come_halalas.nothing == 0
    with pytest.raises(NothingSigned):
        forecast([])


@every("seed", range(5))
def test_closed_periods_are_the_statements_of_the_oracle_under_every_assumption(seed: int) -> None:
    log = entries_from(generate(seed, 300, REVENUE))
    signed = {e["event"]["subject"] for e in log if short_type(e["event"]) == "partnership.signed"}
    for subject in sorted(signed):
        own = numbered(entry for entry in log if entry["event"]["subject"] == subject)
        real = {row["period"]: row for row in fold(own).statements}
        found = forecast(raw(own))
        for row in found.periods:
            if row.closed:
                for figures in (row.pace, row.expected, row.nothing):
                    assert figures.partner_total_halalas == real[row.period]["partner_total_halalas"]
        assert {row.period for row in found.periods if row.closed} == set(real)


def test_the_chart_has_a_bar_for_each_period_and_is_well_formed_with_any_name() -> None:
    history = History((40_000, "2005-01-10"))
    history.close("2005-01")
    found = forecast(history.raw())
    chart = chart_of(found.periods)
    assert len(chart.bars) == 12
    first, second = chart.bars[:2]
    assert first.is_closed
    assert not second.is_closed
    assert first.expected_y < first.net_y < chart.bottom
    assert first.top_up_y < first.net_y, "the top-up stands on what came"
    ElementTree.fromstring(svg(found))


def test_a_top_up_above_revenue_below_zero_stays_in_the_picture() -> None:
    figures = dict.fromkeys(RevenuePeriod.__struct_fields__, 0) | {"closed": True, "expected_halalas": EXPECTED}
    revenue = {"period": "2005-01", "net_halalas": 9 * EXPECTED, "top_up_halalas": 0}
    reversals = {"period": "2005-02", "net_halalas": -17 * EXPECTED, "top_up_halalas": 13 * EXPECTED}
    chart = chart_of(documents_of(RevenuePeriod, (figures | own for own in (revenue, reversals))))
    top = min(line.y for line in chart.lines)
    assert all(top <= y <= chart.bottom for bar in chart.bars for y in (bar.expected_y, bar.net_y, bar.top_up_y))
    assert chart.bars[1].top_up_y < chart.bars[0].net_y < chart.bars[1].net_y == chart.bottom
