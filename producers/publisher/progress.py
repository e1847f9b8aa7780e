"""Progress bars on stderr, where that is a terminal."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, TaskID, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as RichProgress

from producers.publisher.run import Progress


class Bars(Progress):
    """One bar for the bytes read (of `size_bytes`, None if unknown), one for the lines with a verdict."""

    def __init__(self, size_bytes: int | None) -> None:
        self._progress = RichProgress(
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
            disable=not sys.stderr.isatty(),
        )
        self._sending = self._progress.add_task("sending", total=size_bytes)
        self._verdicts: TaskID | None = None

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def read(self, bytes_count: int) -> None:
        self._progress.advance(self._sending, bytes_count)

    def verdicts(self, lines_count: int, of_count: int) -> None:
        if self._verdicts is None:
            self._verdicts = self._progress.add_task("verdicts", total=of_count)
        self._progress.update(self._verdicts, completed=lines_count, total=of_count)

    def waits(self, reason: str) -> None:
        self._progress.console.print(f"yesser: {reason}", markup=False, highlight=False, soft_wrap=True)
