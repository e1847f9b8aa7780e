"""What runs now: the supervisor's record, checked against the running processes and their ports.

Where others start the processes, as containers do, nothing is recorded here: their leases in the database show them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, ClassVar, Final

from msgspec import UNSET, Struct, UnsetType, structs

from infra.data_dir import DataDir
from infra.embedded.health import Readyz, readiness
from infra.embedded.processes.identity import running
from infra.embedded.processes.signals import OWN_WORK, SERVICES
from infra.embedded.servers.ports import HOST
from infra.postgres.sql import queries
from infra.settings import Settings
from infra.stack_record import BROKERS, ServiceRecord, State, accepts, broker_answers, database_answers

if TYPE_CHECKING:  # reading a stack's state needs no database driver
    from infra.postgres.trail import ActOfOnePerson

WORKING: Final = frozenset({"ready", "given"})
LEASED: Final = tuple(process.name for process in OWN_WORK if process.port_setting is None)
"""The processes whose work one copy does at a time, under a lease of its name."""
_SAID: Final = ("lag", "rebuilding", "held_by", "decisions_held", "role", "owner", "halted")
"""What the status repeats of a process's answer."""
_SQL: Final = queries("infra.embedded", "status.sql")


class OtherService(Struct, kw_only=True):
    """A service that was not started here: *given* by the settings, or *absent*."""

    port: None = None
    pid: None = None
    state: str
    restarts: int = 0
    lag: ClassVar[UnsetType] = UNSET
    log: ClassVar[None] = None


class ServiceStatus(Struct):
    """A service of this stack."""

    port: int
    restarts: int
    pid: int | None
    state: str
    log: str
    lag: ClassVar[UnsetType] = UNSET


class ProcessStatus(Struct):
    """A process of this stack, with what it answers at `/readyz` (`infra.embedded.health.Answer`)."""

    name: str
    pid: int | None
    state: str
    restarts: int
    health_host: str
    health_port: int | None
    log: str
    port: int | UnsetType = UNSET
    halted: str | UnsetType = UNSET
    lag: int | UnsetType = UNSET
    rebuilding: dict[str, dict[str, int]] | UnsetType = UNSET
    held_by: dict[str, str] | UnsetType = UNSET
    decisions_held: int | UnsetType = UNSET
    role: str | UnsetType = UNSET
    owner: str | UnsetType = UNSET


class LeasedProcess(Struct, kw_only=True):
    """A process by its lease: what a database knows of it, and what it does not."""

    name: str
    pid: None = None
    restarts: None = None
    health_port: None = None
    log: None = None
    state: str = "absent"
    lag: int | UnsetType = UNSET
    halted: str | UnsetType = UNSET
    owner: str | UnsetType = UNSET
    held_by: dict[str, str] | UnsetType = UNSET
    port: ClassVar[UnsetType] = UNSET
    rebuilding: ClassVar[UnsetType] = UNSET
    decisions_held: ClassVar[UnsetType] = UNSET
    role: ClassVar[UnsetType] = UNSET


@dataclass(frozen=True, slots=True)
class Lease:
    """A row of the table of leases. Of a consumer: its lag, and the session that has a lock for which it waits."""

    name: str
    owner: str
    held: bool
    halted_reason: str | None = None
    lag: int | None = None
    held_by: str | None = None


class Target(Struct):
    """Where a process serves its metrics, as Prometheus's `file_sd_configs` read it."""

    targets: list[str]
    labels: dict[str, str]


@dataclass(frozen=True, slots=True)
class SecondPerson:
    """Whether acts need two people, and the rows of the last 7 days that say that one person did one."""

    in_force: bool
    administrators: int
    alone: list[ActOfOnePerson]


@dataclass(frozen=True, slots=True)
class StackStatus:
    """The state of a stack. `running`: its supervisor runs; `ready`: every part is ready."""

    home: str
    running: bool
    ready: bool
    kafka: ServiceStatus | OtherService
    postgres: ServiceStatus | OtherService
    processes: Sequence[ProcessStatus | LeasedProcess]
    paused: dict[str, dict[str, str]] = field(default_factory=dict)
    """Agencies' paused topics: until when, and why, in Arabic and English."""
    alarms: dict[str, str] = field(default_factory=dict)
    """What the database shows besides the processes: agencies' halted topics, and that the log is not signed."""
    elsewhere: bool = False
    """The processes are those of the database: no stack was ever started here. `ready`: each is active."""
    second_person: SecondPerson | None = None
    """None where the database does not answer."""
    brokers: dict[str, ServiceStatus | OtherService] = field(default_factory=dict)
    """The brokers beside the first, by name."""

    @property
    def is_unknown(self) -> bool:
        """Whether both services are given and nothing was ever started here: others may run the processes."""
        return not self.processes and self.kafka.state == self.postgres.state == "given"

    def with_leases(self, leases: Iterable[Lease], alarms: Mapping[str, str] | None = None) -> StackStatus:
        """The status with the processes that have leases (`read_leases`): *active*, *halted*, or *absent* without an
        owner; and with `alarms`. A halted process is active while it tries again."""
        known = {lease.name.removeprefix("consumer."): lease for lease in leases}
        processes = [_leased(name, known.get(name)) for name in LEASED]
        ready = not alarms and all(process.state == "active" for process in processes)
        return replace(self, ready=ready, processes=processes, alarms=dict(alarms or {}), elsewhere=True)

    def with_answers(self, answers: Mapping[str, Readyz | None]) -> StackStatus:
        """The status with the processes' answers at `/readyz`, by name: their lag, their halt, who works under their
        lease, and the paused topics.

        A process that is recorded as ready and gives no answer is *silent*.
        """
        processes = [_answered(process, answers.get(process.name)) for process in self.own_processes]
        paused = {topic: pause for answer in answers.values() if answer for topic, pause in answer.paused.items()}
        ready = self.ready and all(process.state in WORKING for process in processes)
        return replace(self, ready=ready, processes=processes, paused=paused)

    @property
    def services(self) -> dict[str, ServiceStatus | OtherService]:
        return {"kafka": self.kafka, **self.brokers, "postgres": self.postgres}

    @property
    def own_processes(self) -> list[ProcessStatus]:
        """The processes that were started here."""
        return [process for process in self.processes if isinstance(process, ProcessStatus)]

    def targets(self) -> list[Target]:
        """Where the processes serve their metrics."""
        return [
            Target([_address(process.health_host, process.health_port)], {"instance": process.name})
            for process in self.own_processes
            if process.health_port is not None
        ]


def stack_status(settings: Settings) -> StackStatus:
    """Read the record, and check each part's process and port.

    A part that is recorded as ready and has no process is *ended*; one whose port is closed is *unreachable*; one that
    runs though its supervisor was killed is an *orphan*.
    """
    home = DataDir.at(settings.home)
    record = home.read_record()
    alive = record.supervisor is not None and running(record.supervisor) is not None
    pids = {name: identity.pid for name, identity in record.identities().items() if running(identity)}

    def service(name: str) -> ServiceStatus | OtherService:
        entry = record.parts.get(name)
        if (settings.kafka if name in BROKERS else settings.postgres) is not None:
            return OtherService(state="given")
        if not isinstance(entry, ServiceRecord):
            return OtherService(state="absent")
        state = _state(entry.state, pids.get(name), alive, entry.port)
        answers = broker_answers if name in BROKERS else database_answers
        if state == "ready" and not answers(entry.port):
            state = "silent"
        return ServiceStatus(entry.port, entry.restarts, pids.get(name), state, str(home.log(name)))

    processes = [
        ProcessStatus(
            entry.name,
            pids.get(entry.name),
            _state(entry.state, pids.get(entry.name), alive, entry.health_port or 0, entry.health_host),
            entry.restarts,
            entry.health_host,
            entry.health_port,
            str(home.log(entry.name)),
            port=entry.port or UNSET,
            halted=entry.halted or UNSET,
        )
        for entry in record.processes
    ]
    services = {name: service(name) for name in (*SERVICES, *record.brokers)}
    parts = [*(part for name, part in services.items() if name in record.parts), *processes]
    ready = alive and record.ready and all(part.state in WORKING for part in parts)
    kafka, postgres = (services.pop(name) for name in SERVICES)
    return StackStatus(str(home.root), alive, ready, kafka, postgres, processes, brokers=services)


async def read_answers(found: StackStatus) -> dict[str, Readyz | None]:
    """The answer of each running process at `/readyz`, by name."""
    living = {p.name: (p.health_port, p.health_host) for p in found.own_processes if p.pid and p.health_port}
    answers = await asyncio.gather(*(readiness(*place) for place in living.values()))
    return dict(zip(living, answers, strict=True))


async def read_leases(settings: Settings) -> tuple[list[Lease], dict[str, str]]:
    """The leases in the database, with the consumers' lag; and what else an operator must look at (`alarms`)."""
    # Imported here: reading a stack's state needs no database driver.
    from infra.log.unsigned import read_unsigned
    from infra.postgres.connection import connected
    from infra.process.lease import holders

    async with connected(settings.acting_as("reader"), "status") as connection:
        consumers = {row["name"]: row for row in await connection.fetch(_SQL["lags"])}
        leases = [
            Lease(row["name"], row["owner"], row["held"], *consumers.get(row["name"], (None, None, None, None))[1:])
            for row in await holders(connection, settings)
        ]
        alarms = {row["topic"]: row["halted_reason"] for row in await connection.fetch(_SQL["halted_topics"])}
        if unsigned := await read_unsigned(connection):
            alarms["signing"] = unsigned
        return leases, alarms


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


def _leased(name: str, lease: Lease | None) -> LeasedProcess:
    """A process by its lease, which is None where it never worked."""
    if lease is None:
        return LeasedProcess(name=name)
    return LeasedProcess(
        name=name,
        state="halted" if lease.halted_reason else "active" if lease.held else "absent",
        lag=UNSET if lease.lag is None else lease.lag,
        halted=lease.halted_reason or UNSET,
        owner=lease.owner if lease.held else UNSET,
        held_by={name: lease.held_by} if lease.held_by else UNSET,
    )


def _state(recorded: State, pid: int | None, watched: bool, port: int, host: str = HOST) -> str:
    if not watched:
        return recorded if recorded in ("stopped", "failed") else "orphan" if pid else "stopped"
    if recorded != "ready":
        return recorded
    return "ended" if pid is None else "ready" if accepts(port, host) else "unreachable"


def _address(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _answered(process: ProcessStatus, answer: Readyz | None) -> ProcessStatus:
    if answer is None:
        return structs.replace(process, state="silent") if process.state == "ready" else process
    said = {name: member for name in _SAID if (member := getattr(answer, name)) is not UNSET}
    return structs.replace(process, **said, state=process.state if answer.halted is UNSET else "halted")
