"""The figures of a bench: rates without the start-up, growth by windows, ratios run by run, a page made of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.__main__ import PARTS, SHOWN
from bench.figures import Figures, growth, rate
from bench.latency import due_by, waits_ms
from bench.report import OWN_PAGE, Chapter, Shown, read, text, write

CHAPTERS = {"throughput": Chapter("Side by side", "events"), "growth": Chapter("A long log", "events")}
BESIDE = Shown("projections, beside a count", "throughput", "projections", "events/s", "streams", "2.00")


def steady(events: int, per_s: float, start_s: float = 2.0) -> list[tuple[float, int]]:
    """A reading every 10 ms: nothing for `start_s`, then a steady rate."""
    waiting = [(n / 100, 0) for n in range(round(100 * start_s))]
    steps = round(100 * events / per_s)
    return waiting + [(start_s + n / 100, round(n * per_s / 100)) for n in range(1, steps + 1)]


def measured() -> Figures:
    figures = Figures("throughput", 300_000, "2026-12-01", "2 × a processor; load 1.50", {"Tessera": "v1.0.4"})
    for row, rates in (("projections", [100.0, 30.0, 80.0]), ("streams", [50.0, 10.0, 40.0])):
        for found in rates:
            figures.add(row, "events/s", found)
    figures.note("Go is not installed.")
    return figures


def test_the_start_up_does_not_count() -> None:
    assert rate(steady(10_000, 1_000)) == pytest.approx(1_000, rel=0.01)
    assert rate([(0.0, 5), (1.0, 5), (2.0, 105)]) == pytest.approx(100)


def test_growth_is_the_last_tenth_to_the_first() -> None:
    assert growth(steady(10_000, 1_000)) == pytest.approx(1, rel=0.02)
    first, second = steady(10_000, 1_000), steady(10_000, 500, 0)
    slower = first + [(first[-1][0] + at, 10_000 + done) for at, done in second]
    assert growth(slower) == pytest.approx(0.5, rel=0.02)
    assert growth([(0.0, 0), (1.0, 500), (2.0, 1_000)]) is None, "too few readings"


def test_ratios_are_medians_of_the_runs_own() -> None:
    assert measured().ratio("projections", "streams", "events/s") == 2.0
    assert measured().ratio("projections", "absent", "events/s") is None


def test_a_wait_counts_from_when_the_event_was_due() -> None:
    """A sender that came late to the second event, and a reading that saw both at once."""
    readings = [(10.0, 0), (10.5, 1), (12.0, 3)]
    assert waits_ms([(10.0, 0), (10.1, 1), (10.2, 2)], readings) == pytest.approx([500, 1_900, 1_800])
    assert [due_by(seconds, 10) for seconds in (0, 0.09, 0.11, 1.0)] == [1, 1, 2, 11]


def test_the_page_says_where_each_part_ran_and_what_it_is_beside() -> None:
    page = text([measured()], CHAPTERS, [BESIDE, Shown("not measured", "growth", "all", "events/s")])
    for line in (
        "| projections, beside a count | 80.0 events/s | 2.00 | 2.00 | 2026-12-01 |",
        "## Side by side",
        "2026-12-01: 300,000 events; median of 3. 2 × a processor; load 1.50. Tessera v1.0.4.",
        "| streams | 40.0 |",
        "Go is not installed.",
    ):
        assert line in page.splitlines(), page
    assert "not measured" not in page


def test_a_run_replaces_only_the_parts_that_it_measured(tmp_path: Path) -> None:
    page = tmp_path / "docs" / "figures.md"
    assert read(page) == {}
    write(page, {"throughput": measured(), "growth": Figures("growth", 5)}, CHAPTERS, [BESIDE])
    write(page, {**read(page), "growth": Figures("growth", 6)}, CHAPTERS, [BESIDE])
    assert read(page) == {"throughput": measured(), "growth": Figures("growth", 6)}
    assert page.read_text(encoding="utf-8").count("## ") == 2


def test_the_page_is_made_from_the_figures_beside_it() -> None:
    """Nobody has written a figure into it."""
    parts = read(OWN_PAGE)
    assert OWN_PAGE.read_text(encoding="utf-8") == text(
        [parts[name] for name in PARTS if name in parts], {name: part.chapter for name, part in PARTS.items()}, SHOWN
    )


def test_each_line_at_the_top_is_of_a_part() -> None:
    assert {shown.part for shown in SHOWN} <= set(PARTS)
