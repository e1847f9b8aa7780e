"""What runs now: the supervisor's record, checked against the processes that are really there."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from infra.embedded import record as stack_record
from infra.embedded.home import Home
from infra.embedded.identity import Identity, running
from infra.embedded.processes import SERVICES
from infra.settings import Settings


@dataclass(frozen=True, slots=True)
class StackStatus:
    """The state of a stack. `running` says that its supervisor lives; `ready` that every part of it is ready."""

    home: str
    running: bool
    ready: bool
    kafka: dict[str, Any]
    postgres: dict[str, Any]
    processes: list[dict[str, Any]]
    paused: dict[str, dict[str, str]] = field(default_factory=dict)
    """Agencies' topics that the registrar reads slowly: until when, and why in Arabic and English."""

    def document(self) -> dict[str, Any]:
        return {
            "home": self.home,
            "running": self.running,
            "ready": self.ready,
            "kafka": self.kafka,
            "postgres": self.postgres,
            "processes": self.processes,
            "paused": self.paused,
        }


def stack_status(settings: Settings) -> StackStatus:
    """Read the record and look whether the recorded processes live; one that nobody watches is an `orphan`."""
    home = Home.at(settings.home)
    record = stack_record.read(home.record)
    supervisor = record.get("supervisor")
    alive = bool(supervisor and running(Identity(**supervisor)))
    services = {name: _service(settings, record, name, alive) for name in SERVICES}
    processes = [
        {
            "name": entry["name"],
            "pid": _living_pid(entry),
            "state": _state(entry, alive),
            "restarts": entry["restarts"],
            "health_port": entry["health_port"],
            **{name: entry[name] for name in ("port", "halted") if entry.get(name)},
        }
        for entry in record.get("processes", [])
    ]
    return StackStatus(str(home.root), alive, alive and bool(record.get("ready")), **services, processes=processes)


def _service(settings: Settings, record: dict[str, Any], name: str, watched: bool) -> dict[str, Any]:
    if getattr(settings, name) is not None:
        return {"port": None, "pid": None, "state": "given", "restarts": 0}
    entry = record.get(name)
    if entry is None:
        return {"port": None, "pid": None, "state": "absent", "restarts": 0}
    facts = {"port": entry["port"], "restarts": entry["restarts"]}
    return {**facts, "pid": _living_pid(entry), "state": _state(entry, watched)}


def _living_pid(entry: dict[str, Any]) -> int | None:
    if not entry.get("pid") or not entry.get("started"):
        return None
    return entry["pid"] if running(Identity(entry["pid"], entry["started"])) else None


def _state(entry: dict[str, Any], watched: bool) -> str:
    """The recorded state; a part that nobody watches any more is stopped, or an orphan where it still runs."""
    if watched or entry["state"] in ("stopped", "failed"):
        return str(entry["state"])
    return "orphan" if _living_pid(entry) else "stopped"
