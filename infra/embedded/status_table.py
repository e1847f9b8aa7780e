"""The status as a small table for people."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from infra.embedded.status import StackStatus
from infra.language import said

_COLOURS = {"ready": "green", "given": "green", "starting": "yellow", "restarting": "yellow", "unready": "yellow"}


def print_status(status: StackStatus, console: Console | None = None) -> None:
    """Print one line a part."""
    table = Table(title=f"Yesser Events in {status.home}", title_justify="left")
    for name in ("part", "state", "pid", "port", "restarts"):
        table.add_column(name, justify="left" if name in ("part", "state") else "right")
    parts = [
        {"name": "kafka", **status.kafka},
        {"name": "postgres", **status.postgres},
        *({"port": process["health_port"], **process} for process in status.processes),
    ]
    for part in parts:
        colour = _COLOURS.get(part["state"], "red")
        values = (part["pid"], part["port"], part["restarts"])
        table.add_row(part["name"], f"[{colour}]{part['state']}[/]", *("" if v is None else str(v) for v in values))
    (console or Console()).print(table)
    for process in status.processes:
        if reason := process.get("halted"):
            halted = said(f"توقف {process['name']}: {reason}.", f"{process['name']} halted: {reason}.", "\n")
            (console or Console()).print(halted, markup=False)
    for topic, pause in status.paused.items():
        until = pause["until"]
        paused = said(
            f"قراءة {topic} بطيئة حتى {until}: {pause['ar']}.", f"{topic} is paused until {until}: {pause['en']}.", "\n"
        )
        (console or Console()).print(paused, markup=False, soft_wrap=True)
    if not status.running:
        stopped = said(
            "النظام لا يعمل: شغّله بـ `yesser up --detach`.",
            "The stack is not running: `yesser up --detach` starts it.",
            "\n",
        )
        (console or Console()).print(stopped)
