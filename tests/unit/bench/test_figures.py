"""The figures of a bench: rates without the start-up, growth by windows, ratios run by run, a table of 80 columns."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from bench.figures import Figures, Latency, growth, rate, show


def steady(events: int, per_s: float, start_s: float = 2.0) -> list[tuple[float, int]]:
    """A reading every 10 ms: nothing for `start_s`, then a steady rate."""
    waiting = [(n / 100, 0) for n in range(round(100 * start_s))]
    steps = round(100 * events / per_s)
    return waiting + [(start_s + n / 100, round(n * per_s / 100)) for n in range(1, steps + 1)]


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
    figures = Figures(100, ratios={("projections", "streams"): 2.0, ("registrar", "absent"): None})
    figures.line("mixed", "projections", "(d) projections").rates += [100.0, 30.0, 80.0]
    figures.line("mixed", "streams", "(k) Kafka Streams").rates += [50.0, 10.0, 40.0]
    assert figures.ratio_rows() == [(("projections", "streams"), 2.0, 2.0)]


def test_everything_is_shown_in_80_columns() -> None:
    figures = Figures(5_000_000, ratios={("registrar", "ceiling"): 0.5})
    for key, title in (("ceiling", "(a) reading alone, aiokafka"), ("registrar", "(c) registrar")):
        line = figures.line("mixed", key, title, 1_000_000)
        line.rates.append(1_234_567.0)
        line.processor_us.append(1_234.5)
        line.memory_mib.append(1_234.5)
        line.growth.append(0.987)
    figures.latencies.append(Latency("all read models", 12.3, 123.4, 15_000, 1_000.0))
    figures.rebuild_s.append(12.34)
    figures.note("(t) Tessera was not run: Go is not installed.")
    shown = io.StringIO()
    show(figures, Console(file=shown, width=200))
    lines = shown.getvalue().splitlines()
    assert max(len(line.rstrip()) for line in lines) <= 80
    for text in ("1,234,567", "0.99", "p99 123 ms", "12.3 s", "(goal 0.5)", "Go is not installed"):
        assert text in shown.getvalue()
    document = figures.document()
    assert document["traffic"]["mixed"]["registrar"]["of_ceiling"] == 1.0
    assert document["latency_ms"][0]["p99"] == 123.4
