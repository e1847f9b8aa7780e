"""A progress bar on stderr, where that is a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn


@dataclass(frozen=True, slots=True)
class Bar:
    """What is shown of some work."""

    _bar: Progress
    _task: TaskID

    def to(self, done: int, total: int | None = None) -> None:
        """So much is done; the total may be given late."""
        self._bar.update(self._task, completed=done, total=total)

    def on(self, more: int) -> None:
        """So much more is done."""
        self._bar.update(self._task, advance=more)


@contextmanager
def progress_bar(name: str, total: int | None = None) -> Iterator[Bar]:
    console = Console(stderr=True)
    columns = (TextColumn("{task.description:<12}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeRemainingColumn(), console=console, disable=not console.is_terminal) as bar:
        yield Bar(bar, bar.add_task(name, total=total))
