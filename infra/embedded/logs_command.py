"""`yesser logs [PART]`: the logs of the stack's parts."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, Final

import click

from infra.command_line.output import print_json
from infra.data_dir import DataDir
from infra.embedded.log_lines import LogLine, by_time, parse_lines, readable
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
