"""The report: a page of all parts that were measured, made from their figures, which are kept beside it.

    docs/figures.json ── page ──▶ docs/figures.md

A run replaces the parts that it has measured. So the page is never edited, and each part says when and where it ran.
"""

from __future__ import annotations

import os
import platform
import re
import statistics
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec
import psutil

from bench.figures import Figures, number
from infra.embedded.servers.jars import lock_text, parse_lock
from infra.embedded.servers.postgres import installation
from infra.json_documents import to_json

OWN_PAGE: Final = Path(__file__).parents[1] / "docs" / "figures.md"
MODEL: Final = re.compile(r"^model name\s*: (.*)$", re.MULTILINE)
HEAD: Final = """# Figures

`make bench` writes this page; [what is compared, and how](decisions/what-the-bench-compares.md). A figure is the
median of the runs, and a ratio that of the runs' own ratios: a machine differs more from run to run than within one."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A line at the top: a figure of a part, beside the row of a peer. The goal is that of the figure, or of the ratio
    where there is a peer."""

    title: str
    part: str
    row: str
    column: str
    peer: str | None = None
    goal: str = ""


@dataclass(frozen=True, slots=True)
class Chapter:
    """How a part stands on the page. The size has a unit."""

    title: str
    unit: str


def now(part: str, size: int) -> Figures:
    """Empty figures of a part that is about to be measured on this machine."""
    model = MODEL.search(Path("/proc/cpuinfo").read_text(encoding="utf-8"))
    memory_gib = psutil.virtual_memory().total / 2**30
    return Figures(
        part,
        size,
        measured_on=datetime.now(UTC).date().isoformat(),
        machine=f"{os.cpu_count()} × {model[1] if model else platform.machine()}, {memory_gib:.0f} GiB; load average"
        f" {os.getloadavg()[0]:.2f} before",
        versions=versions(),
    )


def versions() -> dict[str, str]:
    """Of what every part runs on; a peer prints its own."""
    kafka = next(jar.version for jar in parse_lock(lock_text()) if jar.artifact == "kafka-clients")
    postgres = subprocess.run(
        [installation() / "bin" / "postgres", "--version"], check=True, capture_output=True, text=True
    ).stdout
    return {"Python": platform.python_version(), "PostgreSQL": postgres.split()[2], "Kafka": kafka}


def read(page: Path) -> dict[str, Figures]:
    """The parts whose figures are kept beside the page; none where there is no such file."""
    kept = page.with_suffix(".json")
    if not kept.exists():
        return {}
    return {each.part: each for each in msgspec.json.decode(kept.read_bytes(), type=list[Figures])}


def write(page: Path, parts: Mapping[str, Figures], chapters: Mapping[str, Chapter], shown: Sequence[Shown]) -> None:
    """The page and the figures that it is made from."""
    ordered = [parts[part] for part in chapters if part in parts]
    page.parent.mkdir(exist_ok=True)
    page.with_suffix(".json").write_bytes(to_json(ordered, indented=True) + b"\n")
    page.write_text(text(ordered, chapters, shown), encoding="utf-8")


def text(parts: Sequence[Figures], chapters: Mapping[str, Chapter], shown: Sequence[Shown]) -> str:
    """The page in Markdown."""
    by_name = {each.part: each for each in parts}
    top = [line for each in shown if each.part in by_name and (line := _top_line(each, by_name[each.part]))]
    blocks = [HEAD, _table(("", "median", "to the peer", "goal", "measured"), top)]
    for each in parts:
        chapter = chapters[each.part]
        blocks += [f"## {chapter.title}", _where(each, chapter.unit), _rows(each), *each.notes]
    return "\n\n".join(blocks) + "\n"


def _top_line(shown: Shown, figures: Figures) -> tuple[str, ...] | None:
    found = figures.of(shown.row, shown.column)
    if not found:
        return None
    ratio = figures.ratio(shown.row, shown.peer, shown.column) if shown.peer else None
    median = f"{number(statistics.median(found))} {shown.column}"
    return shown.title, median, "" if ratio is None else f"{ratio:.2f}", shown.goal, figures.measured_on


def _where(figures: Figures, unit: str) -> str:
    runs = max((len(found) for row in figures.rows.values() for found in row.values()), default=0)
    named = ", ".join(f"{name} {version}" for name, version in figures.versions.items())
    what = f"{figures.measured_on}: {figures.size:,} {unit}; median of {runs}"
    return ". ".join(filter(None, (what, figures.machine, named))) + "."


def _rows(figures: Figures) -> str:
    columns = list(dict.fromkeys(column for row in figures.rows.values() for column in row))
    lines = [(row, *(_cell(figures.of(row, column)) for column in columns)) for row in figures.rows]
    return _table(("", *columns), lines)


def _cell(found: Sequence[float]) -> str:
    return number(statistics.median(found)) if found else ""


def _table(heads: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    rows = [heads, ["---", *("---:" for _ in heads[1:])], *lines]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in rows)
