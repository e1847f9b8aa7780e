"""Several agencies publish at once, with repetitions, contradictions and every kind of bad line: all figures exact."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.faults.killing import Killer
from tests.oracle.fold import fold
from tests.oracle.history import HOSTILE, MIXED, Profile, entries_from, generate
from tests.oracle.second_wave import second_wave
from tests.scenarios.figures import tell
from tests.scenarios.judge import Judgement, judge
from tests.scenarios.load import differences, figures_without_indexes, publish_all, register
from tests.scenarios.system import System, fresh_system

pytestmark = pytest.mark.stack


def publish_and_judge(
    system: System, seed: int, events: int, profile: Profile, folder: Path, killer: Killer | None = None
) -> Judgement:
    """Publish a history, and what the campaigns lead to, and compare everything; says how long it took."""
    history = generate(seed, events, profile)
    register(system, history)
    started = time.monotonic()
    reports = publish_all(system, history, folder / "first", killer.beside(system) if killer else None)
    published = time.monotonic()
    assert differences(reports, history) == []
    system.until_all_ready()
    system.settle()
    tell(f"{events} lines: verdicts {published - started:.1f} s, applied {time.monotonic() - started:.1f} s")
    campaigns = [row for row in system.ask("campaigns", "list") if row["owner"] in history.lines]
    answers = second_wave(seed, campaigns, history.lines)
    for agency, lines in answers.items():
        if lines:
            path = folder / f"second-{agency}.ndjson"
            path.write_bytes(b"".join(line + b"\n" for line in lines))
            report = system.run("publish", str(path), "--agency", agency, "--wait")
            assert report["accepted"] == len(lines)
    return judge(system)


def test_a_mixed_history_gives_the_oracles_figures_though_parts_are_killed(system: System, tmp_path: Path) -> None:
    profile = Profile(agencies=("yesser", "justice", "commerce", "labour"))  # of this test alone
    killer = Killer(seed=30, count=4)
    publish_and_judge(system, 20, 1_500, profile, tmp_path, killer).require_clean()
    tell(str(killer))


@pytest.mark.accept
def test_a_hostile_history_gives_exactly_the_figures_of_the_oracle(tmp_path: Path) -> None:
    with fresh_system() as system:
        publish_and_judge(system, 21, 20_000, HOSTILE, tmp_path).require_clean()


@pytest.mark.accept
@pytest.mark.parametrize("seed", [31, 32])
def test_twenty_kills_change_no_figure_of_a_hundred_thousand_lines(seed: int, tmp_path: Path) -> None:
    killer = Killer(seed, count=20)
    with fresh_system() as system:
        publish_and_judge(system, seed, 100_000, MIXED, tmp_path, killer).require_clean()
    tell(str(killer))


@pytest.mark.accept
def test_the_figures_do_not_depend_on_who_is_read_first(tmp_path: Path) -> None:
    history = generate(23, 5_000, MIXED)
    with fresh_system() as system:
        register(system, history)
        assert differences(publish_all(system, history, tmp_path / "files"), history) == []
        found = judge(system)
    found.require_clean()
    assert found.figures is not None
    expected = fold(entries_from(history))
    assert figures_without_indexes(found.figures) == figures_without_indexes(expected)
