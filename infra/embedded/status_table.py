"""The status as a small table for people, within 80 columns."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from infra.embedded.status import StackStatus

_COLOURS = {"ready": "green", "given": "green", "starting": "yellow", "restarting": "yellow", "unready": "yellow"}


def print_status(status: StackStatus, console: Console | None = None) -> None:
    """Print one line a part, then what a person should know of it."""
    out = console or Console()
    out.print(f"Yesser Events in {status.home}", markup=False, highlight=False, soft_wrap=True)
    out.print(_table(status))
    for process in status.processes:
        if reason := process.get("halted"):
            out.print(f"{process['name']} halted: {reason}.", markup=False, soft_wrap=True)
    for topic, pause in status.paused.items():
        said = f"{topic} is paused until {pause['until']}: {pause['en']} / {pause['ar']}."
        out.print(said, markup=False, soft_wrap=True)
    if not status.running:
        out.print("The stack is not running: `yesser up --detach` starts it.")
    elif not status.ready:
        out.print("Not all is ready: `yesser logs PART` shows what a part says.")


def _table(status: StackStatus) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    for name in ("part", "state"):
        table.add_column(name, no_wrap=True)
    for name in ("lag", "pid", "port", "restarts"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("log", no_wrap=True)
    parts: list[dict[str, Any]] = [
        {"name": "kafka", **status.kafka},
        {"name": "postgres", **status.postgres},
        *({"port": process["health_port"], **process} for process in status.processes),
    ]
    for part in parts:
        colour = _COLOURS.get(part["state"], "red")
        numbers = ("" if (v := part.get(name)) is None else str(v) for name in ("lag", "pid", "port", "restarts"))
        table.add_row(part["name"], f"[{colour}]{part['state']}[/]", *numbers, _beside(part.get("log"), status.home))
    return table


def _beside(log: str | None, home: str) -> str:
    """The log's path from the home on, which stands above."""
    return "" if log is None else str(Path(log).relative_to(home))
