"""What runs now: the supervisor's record, checked against the running processes and their ports.

Where others start the processes, as containers do, nothing is recorded here: their leases in the database show them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from infra.data_dir import DataDir
from infra.embedded.processes import record as stack_record
from infra.embedded.processes.identity import Identity, running
from infra.embedded.processes.signals import PROCESSES, SERVICES
from infra.embedded.servers.ports import HOST, accepts
from infra.postgres.sql import queries
from infra.settings import Settings

WORKING: Final = frozenset({"ready", "given"})
LEASED: Final = tuple(p.name for p in PROCESSES if p.port_setting is None and not p.replaces)
"""The processes whose work one copy does at a time, under a lease of its name."""
_SQL: Final = queries("infra.embedded", "status.sql")


@dataclass(frozen=True, slots=True)
class SecondPerson:
    """Whether acts need two people, and the rows of the last 7 days that say that one person did one."""

    in_force: bool
    administrators: int
    alone: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class StackStatus:
    """The state of a stack. `running`: its supervisor runs; `ready`: every part is ready."""

    home: str
    running: bool
    ready: bool
    kafka: dict[str, Any]
    postgres: dict[str, Any]
    processes: list[dict[str, Any]]
    paused: dict[str, dict[str, str]] = field(default_factory=dict)
    """Agencies' paused topics: until when, and why, in Arabic and English."""
    alarms: dict[str, str] = field(default_factory=dict)
    """What the database shows besides the processes: agencies' halted topics, and that the log is not signed."""
    elsewhere: bool = False
    """The processes are those of the database: no stack was ever started here. `ready`: each is active."""
    second_person: SecondPerson | None = None
    """None where the database does not answer."""

    @property
    def is_unknown(self) -> bool:
        """Whether both services are given and nothing was ever started here: others may run the processes."""
        return not self.processes and self.kafka["state"] == self.postgres["state"] == "given"

    def with_leases(self, rows: Iterable[Mapping[str, Any]], alarms: Mapping[str, str] | None = None) -> StackStatus:
        """The status with the processes that have leases (`read_leases`): *active*, *halted*, or *absent* without an
        owner; and with `alarms`. A halted process is active while it tries again."""
        known = {row["name"].removeprefix("consumer."): row for row in rows}
        processes = [_leased(name, known.get(name)) for name in LEASED]
        ready = not alarms and all(process["state"] == "active" for process in processes)
        return replace(self, ready=ready, processes=processes, alarms=dict(alarms or {}), elsewhere=True)

    def with_answers(self, answers: Mapping[str, Mapping[str, Any] | None]) -> StackStatus:
        """The status with the processes' answers at `/readyz`, by name: their lag, their halt, who works under their
        lease, and the paused topics.

        A process that is recorded as ready and gives no answer is *silent*.
        """
        processes = [_answered(process, answers.get(process["name"])) for process in self.processes]
        paused = {
            topic: pause for answer in answers.values() if answer for topic, pause in answer.get("paused", {}).items()
        }
        ready = self.ready and all(process["state"] in WORKING for process in processes)
        return replace(self, ready=ready, processes=processes, paused=paused)

    def targets(self) -> list[dict[str, Any]]:
        """Where the processes serve their metrics, as Prometheus's `file_sd_configs` read it."""
        return [
            {"targets": [_address(process)], "labels": {"instance": process["name"]}}
            for process in self.processes
            if process["health_port"] is not None
        ]


def stack_status(settings: Settings) -> StackStatus:
    """Read the record, and check each part's process and port.

    A part that is recorded as ready and has no process is *ended*; one whose port is closed is *unreachable*; one that
    runs though its supervisor was killed is an *orphan*.
    """
    home = DataDir.at(settings.home)
    record = stack_record.read(home.record)
    supervisor = record.get("supervisor")
    alive = bool(supervisor and running(Identity(**supervisor)))
    services = {name: _service(settings, record, name, alive) for name in SERVICES}
    processes = [
        {
            "name": entry["name"],
            "pid": _living_pid(entry),
            "state": _state(entry, entry["health_port"], alive, entry.get("health_host", HOST)),
            "restarts": entry["restarts"],
            "health_host": entry.get("health_host", HOST),
            "health_port": entry["health_port"],
            "log": str(home.log(entry["name"])),
            **{name: entry[name] for name in ("port", "halted") if entry.get(name)},
        }
        for entry in record.get("processes", [])
    ]
    parts = [*(service for name, service in services.items() if name in record), *processes]
    ready = alive and bool(record.get("ready")) and all(part["state"] in WORKING for part in parts)
    kafka, postgres = (services[name] for name in SERVICES)
    return StackStatus(str(home.root), alive, ready, kafka, postgres, processes)


async def read_leases(settings: Settings) -> tuple[list[Mapping[str, Any]], dict[str, str]]:
    """The leases in the database, with the consumers' lag; and what else an operator must look at (`alarms`)."""
    # Imported here: reading a stack's state needs no database driver.
    from infra.log.unsigned import read_unsigned
    from infra.postgres.connection import connected
    from infra.process.lease import holders

    async with connected(settings.acting_as("reader"), "status") as connection:
        lags = {row["name"]: row for row in await connection.fetch(_SQL["lags"])}
        unknown = {"halted_reason": None, "lag": None, "held_by": None}
        rows: list[Mapping[str, Any]]
        rows = [unknown | dict(lags.get(row["name"], {})) | dict(row) for row in await holders(connection, settings)]
        alarms = {row["topic"]: row["halted_reason"] for row in await connection.fetch(_SQL["halted_topics"])}
        if unsigned := await read_unsigned(connection):
            alarms["signing"] = unsigned
        return rows, alarms


async def read_second_person(settings: Settings) -> SecondPerson | None:
    """None where the database cannot be asked, as on a machine that has not the reader's password."""
    # Imported here: reading a stack's state needs no database driver.
    from infra.keys.approvals import in_force
    from infra.postgres.connection import TRANSIENT_ERRORS, NoDatabase, NoPassword, connected
    from infra.postgres.trail import acts_of_one_person

    try:
        async with connected(settings.acting_as("reader"), "status") as connection:
            administrators = await connection.fetchval(_SQL["administrators"])
            alone = await acts_of_one_person(connection)
    except (NoDatabase, NoPassword, *TRANSIENT_ERRORS):
        return None
    return SecondPerson(in_force(settings.second_person, administrators), administrators, alone)


def _leased(name: str, row: Mapping[str, Any] | None) -> dict[str, Any]:
    """A process by its lease; `row` is None where it never worked."""
    unknown = {"name": name, "pid": None, "restarts": None, "health_port": None, "log": None}
    if row is None:
        return unknown | {"state": "absent"}
    halted = row["halted_reason"]
    state = "halted" if halted else "active" if row["held"] else "absent"
    held_by = {name: row["held_by"]} if row.get("held_by") else None
    known = {"lag": row["lag"], "halted": halted, "owner": row["owner"] if row["held"] else None, "held_by": held_by}
    return unknown | {"state": state, **{name: value for name, value in known.items() if value is not None}}


def _service(settings: Settings, record: dict[str, Any], name: str, watched: bool) -> dict[str, Any]:
    is_given, entry = getattr(settings, name) is not None, record.get(name)
    if is_given or entry is None:
        return {"port": None, "pid": None, "state": "given" if is_given else "absent", "restarts": 0}
    return {
        "port": entry["port"],
        "restarts": entry["restarts"],
        "pid": _living_pid(entry),
        "state": _state(entry, entry["port"], watched),
        "log": str(DataDir.at(settings.home).log(name)),
    }


def _living_pid(entry: dict[str, Any]) -> int | None:
    if not entry.get("pid") or not entry.get("started"):
        return None
    return entry["pid"] if running(Identity(entry["pid"], entry["started"])) else None


def _state(entry: dict[str, Any], port: int, watched: bool, host: str = HOST) -> str:
    recorded = str(entry["state"])
    pid = _living_pid(entry)
    if not watched:
        return recorded if recorded in ("stopped", "failed") else "orphan" if pid else "stopped"
    if recorded != "ready":
        return recorded
    return "ended" if pid is None else "ready" if accepts(port, host) else "unreachable"


def _address(process: Mapping[str, Any]) -> str:
    host = process.get("health_host", HOST)
    return f"[{host}]:{process['health_port']}" if ":" in host else f"{host}:{process['health_port']}"


def _answered(process: dict[str, Any], answer: Mapping[str, Any] | None) -> dict[str, Any]:
    if answer is None:
        return process | ({"state": "silent"} if process["state"] == "ready" else {})
    names = ("lag", "rebuilding", "held_by", "decisions_held", "role", "owner", "halted")
    known = {name: answer[name] for name in names if name in answer}
    return process | known | ({"state": "halted"} if "halted" in answer else {})
