"""A history is published as agencies do it, all at once, and every verdict is compared with what was written."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tests.oracle.fold import Figures
from tests.oracle.history import Expected, History
from tests.scenarios.system import System

COUNTS = ("lines", "accepted", "duplicates", "conflicts", "refused")
PUBLISHERS_AT_ONCE = 3


def register(system: System, history: History) -> None:
    """Register the agencies of a history; the office is there already."""
    system.add_agencies((agency.code, agency.role) for agency in history.agencies if agency.code != "yesser")


def write_files(history: History, folder: Path) -> dict[str, Path]:
    """The agencies' files."""
    folder.mkdir(parents=True, exist_ok=True)
    files = {agency: folder / f"{agency}.ndjson" for agency in history.lines}
    for agency, path in files.items():
        path.write_bytes(history.file(agency))
    return files


def publish_all(
    system: System, history: History, folder: Path, meanwhile: Callable[[list[Future[Any]]], None] | None = None
) -> dict[str, Any]:
    """Publish every agency's file with `--wait`; the reports by agency. `meanwhile` runs beside it."""
    files = write_files(history, folder)

    def publish(agency: str) -> Any:
        return system.run("publish", str(files[agency]), "--agency", agency, "--raw", "--wait", exits=(0, 1))

    with ThreadPoolExecutor(PUBLISHERS_AT_ONCE) as pool:
        running = {agency: pool.submit(publish, agency) for agency in files}
        if meanwhile is not None:
            meanwhile(list(running.values()))
        return {agency: future.result() for agency, future in running.items()}


def report_differences(agency: str, report: dict[str, Any], expected: Expected, *, was_away: bool = False) -> list[str]:
    """What a report says otherwise than the history was written.

    `was_away`: Kafka did not answer for longer than a publisher waits. What it had stored without an answer is sent
    again, and is a duplicate then.
    """
    counts, meant_counts = {name: report[name] for name in COUNTS}, expected.counts()
    if was_away:
        for numbers in (counts, meant_counts):
            numbers["accepted"] += numbers.pop("duplicates")
    found = [f"{agency}: {counts} instead of {meant_counts}"] if counts != meant_counts else []
    problems: dict[int, list[tuple[str, str]]] = {}
    for row in report["problems"]:
        problems.setdefault(row["line"], []).append((row["code"], row["pointer"]))
    for line in sorted(problems.keys() | expected.problems.keys()):
        said, meant = sorted(problems.get(line, [])), expected.problems.get(line, [])
        if not _same(said, meant):
            found.append(f"{agency} line {line}: {said} instead of {meant}")
    return found


def _same(said: list[tuple[str, str]], meant: list[tuple[str, str | None]]) -> bool:
    """All faults, each with its pointer where the contract fixes it."""
    if sorted(code for code, _ in said) != sorted(code for code, _ in meant):
        return False
    return all(pointer is None or (code, pointer) in said for code, pointer in meant)


def differences(reports: dict[str, Any], history: History, *, was_away: bool = False) -> list[str]:
    """All reports against the history; see `report_differences`."""
    return [
        difference
        for agency, report in reports.items()
        for difference in report_differences(agency, report, history.expected[agency], was_away=was_away)
    ]


def figures_without_indexes(figures: Figures) -> dict[str, Any]:
    """What does not depend on the order in which the agencies' files were read (the rule of an anomaly may)."""
    plan = {name: value for name, value in figures.plan.items() if name != "log_index"}
    return {
        "plan": plan,
        "balances": figures.balances,
        "statements": sorted(json.dumps(_unplaced(row), sort_keys=True) for row in figures.statements),
        "anomalies": sorted((row["type"], row["subject"], row["agency"]) for row in figures.anomaly_rows()),
        "campaigns": sorted(json.dumps(_unplaced(row), sort_keys=True) for row in figures.campaigns),
    }


def _unplaced(row: dict[str, Any]) -> dict[str, Any]:
    placed = ("first_index", "last_index", "closing_index", "cause_index", "campaign_id", "due_on")
    return {name: value for name, value in row.items() if name not in placed}
