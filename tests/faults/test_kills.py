"""kill -9 of anything, at any moment, changes no figure."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.faults.killing import Killer
from tests.oracle.fold import Figures, fold
from tests.oracle.history import MIXED, History, entries_from, generate
from tests.scenarios.figures import tell
from tests.scenarios.judge import judge
from tests.scenarios.load import differences, figures_without_indexes, publish_all, register
from tests.scenarios.system import System, fresh_system

pytestmark = [pytest.mark.stack, pytest.mark.accept]


def publish_under_kills(system: System, history: History, killer: Killer, folder: Path) -> Figures:
    """Publish while the killer is at work; the reports must be those of a quiet day, and the figures the oracle's."""
    register(system, history)
    started = time.monotonic()
    try:
        reports = publish_all(system, history, folder, meanwhile=killer.beside(system))
    finally:
        tell(str(killer))
    tell(f"{sum(map(len, history.lines.values()))} lines: verdicts after {time.monotonic() - started:.1f} s")
    assert differences(reports, history) == []
    system.until_all_ready()
    found = judge(system)
    found.require_clean()
    assert found.figures is not None
    return found.figures


def require_figures_of_a_quiet_day(seed: int, events: int, folder: Path) -> None:
    """The same figures as if nothing had been killed, but for the indexes."""
    history = generate(seed, events, MIXED)
    with fresh_system() as system:
        figures = publish_under_kills(system, history, Killer(seed, count=20), folder)
    assert figures_without_indexes(figures) == figures_without_indexes(fold(entries_from(history)))


@pytest.mark.parametrize("seed", [31, 32])
def test_twenty_kills_under_load_change_no_figure(seed: int, tmp_path: Path) -> None:
    require_figures_of_a_quiet_day(seed, 100_000, tmp_path)


def test_twenty_kills_during_a_small_load_change_no_figure(tmp_path: Path) -> None:
    require_figures_of_a_quiet_day(33, 10_000, tmp_path)
