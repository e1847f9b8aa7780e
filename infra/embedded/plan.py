"""The parts of a stack: which are wanted, their ports, and the plan of each child."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from infra.data_dir import DataDir
from infra.embedded.health import readiness
from infra.embedded.processes.identity import Ending
from infra.embedded.processes.managed_process import ChildPlan
from infra.embedded.processes.signals import NAMES, PROCESSES, SERVICES, usual_parts
from infra.embedded.servers.ports import Ports, choose, reachable
from infra.embedded.services import TLS_PORTS, KafkaService, postgres_plan
from infra.errors import StackError
from infra.process.subprocess_command import subprocess_command
from infra.settings import Settings
from infra.stack_record import BROKERS, StackRecord

PROCESS_ENDING: Final = Ending(deadline_s=10.0)
_PORT_SETTINGS: Final[Mapping[str, str | None]] = {process.name: process.port_setting for process in PROCESSES}

_CERTIFICATES: Final[Mapping[str, Mapping[str, str]]] = {
    "gateway": {"YESSER_GATEWAY_CERTIFICATE": "gateway.pem"},
    "console": {"YESSER_TLS_CA": "ca.pem", "YESSER_TLS_CERTIFICATE": "console.pem"},
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """The parts of the stack to run, and the number of copies of each process (one works, the others stand by)."""

    only: frozenset[str] = field(default_factory=usual_parts)
    replicas: Mapping[str, int] = field(default_factory=dict)
    prepared: bool = True
    while_pid: int | None = None
    """The stack stops when this process has ended, so that a killed test run leaves nothing running."""
    tls: bool = False
    """The gateway and agencies' connections to Kafka use TLS, with certificates of a private authority."""
    brokers: Literal["1", "3"] | None = None
    """How many brokers Kafka has; None: as a setting says, else as many as the home has."""
    beside_another: bool = False
    """Free ports are drawn for clients too: those that settings name are another stack's on this machine."""

    def __post_init__(self) -> None:
        for name in (*self.only, *self.replicas):
            if name not in NAMES:
                raise StackError(f"There is no part called {name}: the parts are {', '.join(NAMES)}.")

    def process_names(self) -> list[tuple[str, str]]:
        """(name of the copy, name of the process) in start order: `registrar`, `registrar-2`, …"""
        return [
            (process.name if number == 1 else f"{process.name}-{number}", process.name)
            for process in PROCESSES
            if process.name in self.only
            for number in range(1, self.replicas.get(process.name, 1) + 1)
        ]

    def missing_from(self, record: StackRecord, settings: Settings) -> list[str]:
        """What the running stack of this record lacks. The process for all consumers stands for each of them, and they
        for it. Raises StackError where the home's brokers are too many."""
        there = {*record.parts, *(name for name in SERVICES if getattr(settings, name) is not None)}
        for process in PROCESSES:
            if process.name in there:
                there.update(process.replaces)
            elif process.replaces and there.issuperset(process.replaces):
                there.add(process.name)
        names = [*(name for name in SERVICES if name in self.only), *(copy for copy, _ in self.process_names())]
        if "kafka" in self.only and settings.kafka is None:
            names += broker_names(DataDir.at(settings.home), self.brokers or settings.brokers)[1:]
        missing = [name for name in names if name not in there]
        return [*missing, "TLS"] if self.tls and not record.tls else missing


def child_plans(
    home: DataDir, wanted: Wanted, settings: Settings, last: StackRecord, progress: Callable[[str], None]
) -> tuple[list[ChildPlan], list[ChildPlan]]:
    """The plans of the services and of the processes. `last` is the record of the last run."""
    needed: dict[str, Sequence[str]] = {}
    if "postgres" in wanted.only and settings.postgres is None:
        needed["postgres"] = ("port",)
    if "kafka" in wanted.only and settings.kafka is None:
        kafka_ports = ("port", "controller_port", *(TLS_PORTS if wanted.tls else ()))
        needed |= dict.fromkeys(broker_names(home, wanted.brokers or settings.brokers), kafka_ports)
    copies = wanted.process_names()
    for copy, name in copies:
        needed[copy] = ("health_port",) if _PORT_SETTINGS[name] is None else ("health_port", "port")
    # The second of two copies needs a port of its own.
    named = {copy: port for copy, name in copies if copy == name and (port := named_port(name, settings))}
    ports = _ports(needed, last, named)
    services = []
    if "postgres" in ports:
        services.append(postgres_plan(home, settings.secrets_folder, ports["postgres"]))
    brokers: dict[str, Ports] = {name: ports[name] for name in BROKERS if name in ports}
    for name in brokers:
        # Where one voter moves to another port, the others do not find it.
        fixed = {"controller_port": brokers[name]["controller_port"]} if len(brokers) > 1 else {}
        brokers[name] = Ports(brokers[name].numbers, fixed)
    for name in brokers:
        service = KafkaService(name, home, settings.secrets_folder, brokers, settings.kafka_session_s, progress)
        services.append(service.plan())
    health_host = reachable(settings.health_host)
    return services, [_process_plan(home, copy, name, ports[copy], wanted.tls, health_host) for copy, name in copies]


def broker_names(home: DataDir, wanted: str | None) -> Sequence[str]:
    """The brokers that start. Raises StackError for one broker in a home of three: two would take their copies away."""
    if wanted == "1" and home.brokers.exists():
        raise StackError(
            f"{home.root} has three brokers, and each holds copies of the topics. Leave out --brokers (YESSER_BROKERS)"
            " or set 3: docs/high-availability.md."
        )
    return BROKERS if wanted == "3" or home.brokers.exists() else BROKERS[:1]


def drawn_ports() -> dict[str, str]:
    """The environment in which no setting names a port for clients."""
    return {setting: "0" for setting in _PORT_SETTINGS.values() if setting}


def named_port(name: str, settings: Settings) -> int | None:
    """The port on which a process serves clients, where its setting names one; None where a free one is drawn."""
    setting = (_PORT_SETTINGS[name] or "").removeprefix("YESSER_").lower()
    return getattr(settings, setting) or None if setting in settings.model_fields_set else None


def _ports(needed: Mapping[str, Sequence[str]], last: StackRecord, named: Mapping[str, int]) -> dict[str, Ports]:
    """The ports of each part by name: those named for clients, else those of the last run if they are free."""
    known = last.known_ports()
    wanted = [(part, name) for part, names in needed.items() for name in names]
    others = [number for part, numbers in known.items() if part not in needed for number in numbers.values()]
    free = choose((known.get(part, {}).get(name) for part, name in wanted), avoid=[*named.values(), *others])
    numbers: dict[str, dict[str, int]] = {part: {} for part in needed}
    for (part, name), port in zip(wanted, free, strict=True):
        numbers[part][name] = port
    return {part: Ports(found, {"port": named[part]} if part in named else {}) for part, found in numbers.items()}


def _process_plan(home: DataDir, copy: str, name: str, ports: Ports, tls: bool, health_host: str) -> ChildPlan:
    return ChildPlan(
        name=copy,
        command=lambda: subprocess_command("run", name),
        ports=ports,
        answer=lambda: readiness(ports["health_port"], health_host),
        log=home.log(copy),
        environment=lambda: _certificate(home, name, tls) | _environment(home.root, ports, _PORT_SETTINGS[name]),
        ending=PROCESS_ENDING,
    )


def _certificate(home: DataDir, name: str, tls: bool) -> dict[str, str]:
    """The certificates of the gateway, and of the console as its client; those in the environment take precedence."""
    files = _CERTIFICATES.get(name, {}) if tls else {}
    return {setting: str(home.tls / file) for setting, file in files.items()}


def _environment(home: Path, ports: Ports, port_setting: str | None) -> dict[str, str]:
    served = {} if port_setting is None else {port_setting: str(ports["port"])}
    answering = {"YESSER_HOME": str(home), "YESSER_HEALTH_PORT": str(ports["health_port"])}
    return os.environ | answering | served | {"PYTHONUNBUFFERED": "1"}
