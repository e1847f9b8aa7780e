"""A progress bar on stderr, where that is a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn


class Update(Protocol):
    """Moves a bar: to `completed`, or further by `advance`; `total` may be given late."""

    def __call__(
        self, *, completed: float | None = None, advance: float | None = None, total: float | None = None
    ) -> None: ...


@contextmanager
def progress_bar(name: str, total: int | None = None, unit: str = "") -> Iterator[Update]:
    console = Console(stderr=True)
    columns = (TextColumn("{task.description:<12}"), BarColumn(), MofNCompleteColumn(), TextColumn(unit))
    with Progress(*columns, TimeRemainingColumn(), console=console, disable=not console.is_terminal) as bar:
        yield partial(bar.update, bar.add_task(name, total=total))
