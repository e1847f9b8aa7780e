"""Machines on the same Kafka and PostgreSQL: each has a home, processes, and lines to the services that can be cut."""

from __future__ import annotations

import asyncio
import json
import shutil
import signal
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
from aiokafka import AIOKafkaProducer

from events.wire.codec import STRUCTURED_HEADERS
from infra.embedded.servers.ports import choose
from infra.kafka.client_config import PRODUCER_DURABLE, agency_topic, bootstrap, client_arguments
from infra.postgres.connection import Connection, address
from infra.principals import SUPERUSER
from infra.process.subprocess_command import subprocess_command, subprocess_environment
from infra.settings import Settings
from tests.faults.cutting import CutLine, cut_line
from tests.world.records import said
from tests.world.waits import until

ENDS_S = 30
SETTLED_S = 60.0
EVERY_S = 0.02
STATE = "SELECT size, epoch FROM log.state, platform.lease WHERE name = 'registrar'"


@dataclass
class Machine:
    """A home whose processes reach the services through lines of their own. `command` is what runs on it."""

    settings: Settings
    command: Sequence[str]
    lines: Sequence[CutLine]
    _running: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self) -> None:
        log = self.settings.home / "machine.log"
        with log.open("ab") as file:
            self._running.append(
                subprocess.Popen(
                    subprocess_command(*self.command),
                    env=subprocess_environment(self.settings),
                    stdout=file,
                    stderr=file,
                )
            )

    def role(self) -> str | None:
        """The role of its registrar, `active` or `standby`; None where nobody answers, or it is not ready."""
        ports = [part.health_port for part in self.settings.stack().processes if part.name == "registrar"]
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{(ports or self._ports)[0]}/readyz", timeout=1) as answer:
                role: str = json.load(answer)["role"]
                return role
        except OSError:
            return None

    @property
    def _ports(self) -> list[int]:
        return [self.settings.health_port]

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to all processes, the first to whatever would start the others again."""
        for child in self._running:
            parent = psutil.Process(child.pid)
            for process in (parent, *parent.children(recursive=True)):
                with suppress(psutil.NoSuchProcess):
                    process.send_signal(number)

    def kill(self) -> None:
        """As a power cut."""
        self.signal(signal.SIGKILL)
        self._wait()

    def cut(self) -> None:
        for line in self.lines:
            line.freeze()

    def mend(self) -> None:
        for line in self.lines:
            line.thaw()

    def bring_key(self, source: Settings) -> None:
        """What the operator brings to a standby."""
        self.settings.log_folder.mkdir(parents=True, exist_ok=True)
        for name in ("log.skey", "log.vkey"):
            shutil.copy(source.log_folder / name, self.settings.log_folder / name)

    def end(self) -> None:
        self.mend()
        for child in self._running:
            if child.poll() is None:
                child.send_signal(signal.SIGCONT)
                child.terminate()
        self._wait()

    def _wait(self) -> None:
        for child in self._running:
            try:
                child.wait(ENDS_S)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
        self._running.clear()


@contextmanager
def machine(services: Settings, home: Path, *command: str, **changes: Any) -> Iterator[Machine]:
    """A machine on the services of `services`, which does not run yet."""
    shutil.copytree(services.home / "secrets", home / "secrets")
    server, broker = address(services), bootstrap(services)
    with (
        cut_line(urlsplit(server).port or 5432) as to_postgres,
        cut_line(int(broker.rpartition(":")[2])) as to_kafka,
    ):
        reached = urlsplit(server)
        changes |= {
            "home": home,
            "health_port": choose([None])[0],
            "kafka": f"127.0.0.1:{to_kafka.port}",
            "postgres": server.replace(f":{reached.port}/", f":{to_postgres.port}/"),
        }
        found = Machine(services.model_copy(update=changes), command, (to_postgres, to_kafka))
        try:
            yield found
        finally:
            found.end()


@dataclass(frozen=True)
class Fault:
    """What happens to a machine, and how it ends."""

    name: str
    harm: Callable[[Machine], None]
    heal: Callable[[Machine], None]


FAULTS = (
    Fault("SIGSTOP", lambda one: one.signal(signal.SIGSTOP), lambda one: one.signal(signal.SIGCONT)),
    Fault("a cut network", Machine.cut, Machine.mend),
    Fault("kill -9", Machine.kill, Machine.start),
)


async def harm_the_one_at_work(connection: Connection, machines: Sequence[Machine], fault: Fault) -> float:
    """The seconds until the log goes on under another epoch. Returns when the machine is healed and stands by."""

    async def settled() -> bool:
        roles = await asyncio.gather(*(asyncio.to_thread(one.role) for one in machines))
        return sorted(str(role) for role in roles) == ["active", "standby"]

    await until(settled, "one registrar works and one stands by", SETTLED_S)
    (victim,) = [one for one in machines if one.role() == "active"]
    before = await connection.fetchrow(STATE)
    assert before is not None
    began = time.monotonic()
    fault.harm(victim)
    try:
        size = None

        async def goes_on() -> bool:
            nonlocal size
            now = await connection.fetchrow(STATE)
            assert now is not None
            if size is None and now["epoch"] > before["epoch"]:
                size = now["size"]
            return size is not None and now["size"] > size

        await until(goes_on, f"the log goes on after {fault.name}", SETTLED_S)
        seconds = time.monotonic() - began
    finally:
        fault.heal(victim)
    await until(settled, f"the machine stands by after {fault.name}", SETTLED_S)
    return seconds


async def publish(settings: Settings, stop: asyncio.Event) -> int:
    """Publish an event every 20 ms as the agency `health`, beside the machines' lines; returns how many."""
    producer = AIOKafkaProducer(**client_arguments(settings.acting_as(SUPERUSER)), **PRODUCER_DURABLE)
    await producer.start()
    count = 0
    try:
        while not stop.is_set():
            await producer.send_and_wait(
                agency_topic("health"), said(f"load-{count}"), b"key", partition=0, headers=[*STRUCTURED_HEADERS]
            )
            count += 1
            await asyncio.sleep(EVERY_S)
    finally:
        await producer.stop()
    return count
