"""`yesser logs [PART]`: the logs of the stack's parts, in a readable form: time, level, message, then fields.

Our own processes write JSON lines; Kafka and PostgreSQL write text that begins with a time. A line without a time (a
Java stack trace) belongs to the line before.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import textwrap
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final, TypeAlias

import click

from infra.command_line.output import print_json
from infra.data_dir import DataDir
from infra.embedded.processes.log_tail import last_lines
from infra.errors import StackError
from infra.settings import Settings

LOOK_EVERY_S: Final = 0.2


@click.command("logs", short_help="The logs of the stack's parts.")
@click.argument("part", required=False)
@click.option("-n", "--lines", "count", type=click.IntRange(min=0), default=20, help="Number of last lines (20).")
@click.option("--follow", "-f", is_flag=True, help="Follow new lines until ctrl-C.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document per line: part, time, text.")
def logs(part: str | None, count: int, follow: bool, as_json: bool) -> None:
    """Show the last lines of the log of PART (kafka, registrar, …, supervisor), or of all logs in order of time."""
    home = DataDir.at(Settings().home)
    paths = _paths(home, part)
    named = len(paths) > 1
    tails = [Tail(path) for path in paths]
    for line in by_time((tail.last(count) for tail in tails), count):
        _show(line, as_json, named=named)
    while follow:
        new = [tail.new() for tail in tails]
        for line in by_time(new, sum(map(len, new))):
            _show(line, as_json, named=named)
        time.sleep(LOOK_EVERY_S)


def _paths(home: DataDir, part: str | None) -> list[Path]:
    files = sorted(home.logs.glob("*.log"))
    if not files:
        raise StackError(f"There are no logs in {home.logs}: `yesser up --detach` starts the stack.")
    if part is None:
        return files
    if home.log(part) not in files:
        raise StackError(f"There is no log of {part}; logs exist of {', '.join(path.stem for path in files)}.")
    return [home.log(part)]


def _show(line: LogLine, as_json: bool, *, named: bool) -> None:
    if as_json:
        print_json({"part": line.part, "time": line.time, "text": line.text})
    else:
        click.echo(readable(line, shutil.get_terminal_size((80, 24)).columns, named=named))


class Tail:
    """The end of one log, and the lines added to it; a rotated file is followed by the new one."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0
        self._file_id: tuple[int, int] | None = None
        self._time = ""
        self._unfinished = b""

    def last(self, count: int) -> list[LogLine]:
        """The last lines; `new` continues after them."""
        try:
            with self._path.open("rb") as file:
                lines = last_lines(file, count)
                self._offset, self._file_id = file.tell(), _id_of(file)
        except FileNotFoundError:
            return []
        return self._parsed(lines)

    def new(self) -> list[LogLine]:
        """The complete lines added since the last call."""
        try:
            with self._path.open("rb") as file:
                return self._parsed(list(self._added(file)))
        except FileNotFoundError:
            return []

    def _added(self, file: BinaryIO) -> Iterator[str]:
        if _id_of(file) != self._file_id:
            self._offset, self._file_id, self._unfinished = 0, _id_of(file), b""
        file.seek(self._offset)
        data = self._unfinished + file.read()
        self._offset = file.tell()
        whole, _, self._unfinished = data.rpartition(b"\n")
        yield from whole.decode("utf-8", "replace").splitlines()

    def _parsed(self, lines: Sequence[str]) -> list[LogLine]:
        parsed = parse_lines(self._path.stem, lines, self._time)
        if parsed:
            self._time = parsed[-1].time
        return parsed


def _id_of(file: BinaryIO) -> tuple[int, int]:
    state = os.fstat(file.fileno())
    return state.st_dev, state.st_ino


_TIME: Final = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d(?:\.\d+)?)(?:Z| UTC)? ?")
Fields: TypeAlias = dict[str, Any]
"""The members of a line of structured logs, which each message chooses."""
_SHOWN_BY_ITSELF: Final = ("event", "level", "timestamp", "process")
_INDENT: Final = "    "


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line: its part, its time (ISO, or empty) and its text unchanged."""

    part: str
    time: str
    text: str


def parse_lines(part: str, lines: Iterable[str], time: str = "") -> list[LogLine]:
    """The lines of a log in order; `time` is that of the line before the first."""
    parsed = []
    for line in lines:
        time = _time_of(line) or time
        parsed.append(LogLine(part, time, line))
    return parsed


def by_time(logs: Iterable[Iterable[LogLine]], count: int) -> list[LogLine]:
    """The last lines of several logs by time; lines of one log stay in order."""
    merged = sorted((line for log in logs for line in log), key=lambda line: line.time)
    return merged[-count:] if count else []


def readable(line: LogLine, width: int, *, named: bool) -> str:
    """The readable line, folded at `width`; `named` adds its part's name."""
    document = _document(line.text)
    text = line.text if document is None else _sentence(document)
    clock = line.time[11:19]
    if document is None and (time := _TIME.match(text)):
        text = text[time.end() :]
    head = " ".join(filter(None, [clock, line.part if named else ""]))
    return textwrap.fill(
        f"{head} {text}".strip() or " ",
        width,
        subsequent_indent=_INDENT,
        break_on_hyphens=False,
        break_long_words=False,
        replace_whitespace=False,
    )


def _time_of(line: str) -> str:
    document = _document(line)
    if document is not None:
        return str(document.get("timestamp", ""))
    match = _TIME.match(line)
    return f"{match[1]}T{match[2]}" if match else ""


def _document(line: str) -> Fields | None:
    if not line.startswith("{"):
        return None
    try:
        document: Fields = json.loads(line)
    except ValueError:
        return None
    return document


def _sentence(document: Fields) -> str:
    fields = (
        f"{name}={value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}"
        for name, value in document.items()
        if name not in _SHOWN_BY_ITSELF
    )
    return " ".join([str(document.get("level", "")), str(document.get("event", "")), *fields]).strip()
