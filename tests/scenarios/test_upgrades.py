"""A home of an earlier version is taken over by this one, as docs/upgrade.md says: every figure is as it was, and where
processes are replaced one at a time, the platform goes on.

Each earlier version is installed from the repository's history and publishes the programme's sample history.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from importlib.metadata import distributions
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
from packaging.utils import canonicalize_name

from consumers.models.registry import CONSUMERS
from infra.embedded.plan import Wanted
from infra.embedded.stack import start_stack, stop_stack
from infra.postgres.connection import connected
from infra.principals import SUPERUSER
from infra.settings import Settings
from tests.paths import ROOT
from tests.scenarios.figures import tell
from tests.scenarios.system import COMMAND_TIMEOUT_S, System, own_folder, running_system, until
from tests.world.earlier_releases import EARLIER

pytestmark = [pytest.mark.accept, pytest.mark.stack, pytest.mark.timeout(900)]

PROCESSES: Final = ("registrar", "relay", "consumers", "delivery", "gateway")
TYPE: Final = "awareness.initiative-announced"
OURS: Final = "rolling-"
LAG_MAX_S: Final = 10.0
PAUSE_S: Final = 0.1
FIGURES: Final = (
    "plan",
    "services list",
    "projects list",
    "campaigns list",
    "campaigns coverage",
    "ledger partnerships",
    "ledger balances",
    "anomalies",
    "refusals list",
)
FURTHER: Final = {"log_index", "checked_index", "next_offset"}
"""Figures that also a new release's own entry moves: `registrar.catalogue-adopted`."""


@pytest.mark.parametrize("commit", EARLIER)
def test_a_home_of_an_earlier_version_is_taken_over_with_every_figure(commit: str, tmp_path: Path) -> None:
    with own_folder() as home:
        earlier = Earlier(_installed(commit, tmp_path), home)
        earlier.run("up", "--detach")
        try:
            earlier.run("demo", "--json")
            earlier.run("commit", "--json")
            earlier.run("wait")
            before = {figure: json.loads(earlier.run(*figure.split(), "--json")) for figure in FIGURES}
        finally:
            earlier.run("down")
        with running_system(home) as system:
            system.settle()
            for figure, document in before.items():
                _require_all(document, system.ask(*figure.split()), figure)
            for command in (("audit", "verify"), ("audit", "commitments"), ("rebuild", "--compare")):
                system.run(*command)


def test_processes_are_replaced_one_at_a_time_while_events_are_sent(tmp_path: Path) -> None:
    with own_folder() as home, ExitStack() as running:
        earlier = Earlier(_installed(list(EARLIER)[-1], tmp_path), home)
        earlier.run("up", "--detach")
        try:
            earlier.run("demo", "--json")
            token = json.loads(earlier.run("tokens", "create", "health", "--kind", "agency", "--json"))["token"]
        finally:
            earlier.run("down")
        with running_services(home) as system:
            old = {name: running.enter_context(earlier.process(name)) for name in PROCESSES}
            new: dict[str, Part] = {}
            load = running.enter_context(Load(system, token, lambda: [*new.values(), *old.values()]).running())
            load.until_accepted(20)

            def replace(name: str) -> None:
                """Start the new one, which stands by, then stop the old one."""
                new[name] = running.enter_context(Part(name, system.environment(), home).started())
                new[name].until_ready()
                old.pop(name).stop()
                load.until_accepted(10)

            system.run("migrate")
            replace("delivery")
            system.run("prepare")
            for consumer in CONSUMERS:
                system.run("rebuild", consumer, "--swap")
            replace("consumers")
            replace("registrar")
            replace("relay")
            replace("gateway")
            load.until_accepted(20)
            load.stop()
            system.settle()
            load.require_each_once()
            tell(f"processes replaced one at a time: {load.describe()}")
            assert load.longest_lag_s < LAG_MAX_S
            for command in (("audit", "verify"), ("audit", "commitments"), ("rebuild", "--compare")):
                system.run(*command)


class Earlier:
    """The commands of an earlier version, in a home."""

    def __init__(self, site: Path, home: Path) -> None:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("YESSER_")}
        self._environment = kept | {"PYTHONPATH": str(site), "YESSER_HOME": str(home), "YESSER_LANG": "en"}
        self._site = site

    def process(self, name: str) -> AbstractContextManager[Part]:
        """A process of this version."""
        return Part(name, self._environment, self._site).started()

    def run(self, *arguments: str) -> str:
        """What `yesser ARGUMENTS` prints."""
        command = [sys.executable, "-m", "infra.cli", *arguments]
        # The processes that `up` leaves keep what they were given: a file never waits for them to end.
        with (self._site / "output").open("w+b") as output, (self._site / "errors").open("w+b") as errors:
            done = subprocess.run(
                command,
                cwd=self._site,
                env=self._environment,
                stdout=output,
                stderr=errors,
                timeout=COMMAND_TIMEOUT_S,
                check=False,
            )
            output.seek(0)
            errors.seek(0)
            assert done.returncode == 0, f"{arguments}: {done.returncode}: {errors.read().decode()[-2000:]}"
            return output.read().decode()


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


@dataclass
class Part:
    """A process of the platform, as an operator of given services runs it."""

    name: str
    environment: Mapping[str, str]
    folder: Path
    health_port: int = field(default_factory=free_port)
    port: int = field(default_factory=free_port)

    @contextmanager
    def started(self) -> Iterator[Part]:
        ports = {"YESSER_HEALTH_PORT": str(self.health_port), "YESSER_GATEWAY_PORT": str(self.port)}
        command = [sys.executable, "-m", "infra.cli", "run", self.name]
        with (self.folder / f"{self.name}-{self.health_port}.log").open("wb") as log:
            self._process = subprocess.Popen(
                command, cwd=self.folder, env={**self.environment, **ports}, stdout=log, stderr=log
            )
        try:
            self.until_ready()
            yield self
        finally:
            self.stop()

    def stop(self) -> None:
        """As a supervisor does. It may have ended: a consumer of an earlier version does so once its rows are newer."""
        self._process.terminate()
        self._process.wait(60)

    def until_ready(self) -> None:
        def is_ready() -> bool:
            with suppress(httpx.TransportError):
                return httpx.get(f"http://127.0.0.1:{self.health_port}/readyz", verify=False).status_code == 200
            return False

        until(is_ready, 120, f"{self.name} is not ready")


class Load:
    """Events of an agency, one after the other, through a gateway that answers; and how far behind the models are."""

    def __init__(self, system: System, token: str, parts: Callable[[], list[Part]]) -> None:
        self._system = system
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/cloudevents+json"}
        self._parts = parts
        self._stopped = threading.Event()
        self.accepted: list[str] = []
        self.refused: list[str] = []
        self.retries = 0
        self.longest_wait_s = 0.0
        self.longest_lag_s = 0.0

    @contextmanager
    def running(self) -> Iterator[Load]:
        with ThreadPoolExecutor(2) as pool:
            work = [pool.submit(self._send_all), pool.submit(lambda: asyncio.run(self._watch()))]
            try:
                yield self
            finally:
                self._stopped.set()
            for each in work:
                each.result()

    def stop(self) -> None:
        self._stopped.set()

    def until_accepted(self, more: int) -> None:
        end = len(self.accepted) + more
        until(lambda: len(self.accepted) >= end or self._stopped.is_set(), 120, "events are not accepted")

    def require_each_once(self) -> None:
        """Every event that was accepted is one entry of the log."""
        assert self.refused == []
        assert len(self.accepted) > 50
        found = self._system.ask("log", "find", "--agency", "health", "--type", TYPE, "--limit", "1000")
        assert sorted(self.accepted) == sorted(row["id"] for row in found if row["id"].startswith(OURS))

    def describe(self) -> str:
        return (
            f"{len(self.accepted)} events, {self.retries} tried again, the longest waited {self.longest_wait_s:.1f} s,"
            f" the models were at most {self.longest_lag_s:.1f} s behind"
        )

    def _send_all(self) -> None:
        with httpx.Client(headers=self._headers, timeout=30, verify=False) as client:
            number = 0
            while not self._stopped.wait(PAUSE_S):
                number += 1
                began = time.monotonic()
                event = _event(f"{OURS}{number}")
                while not self._send(client, event) and time.monotonic() - began < 60:
                    self.retries += 1
                    time.sleep(PAUSE_S)
                self.longest_wait_s = max(self.longest_wait_s, time.monotonic() - began)

    def _send(self, client: httpx.Client, event: dict[str, Any]) -> bool:
        """Whether some gateway accepted it, or refused it."""
        for part in [part for part in self._parts() if part.name == "gateway"]:
            with suppress(httpx.TransportError):
                answer = client.post(f"http://127.0.0.1:{part.port}/v1/events", content=json.dumps(event))
                if answer.status_code == 202:
                    self.accepted.append(event["id"])
                    return True
                if answer.status_code not in (429, 503, 504):
                    self.refused.append(f"{answer.status_code} {answer.text}")
                    return True
        return False

    async def _watch(self) -> None:
        """How long an entry of the log waited until every model had it."""
        waiting: deque[tuple[float, int]] = deque()
        async with connected(self._system.settings, "test") as connection:
            while not self._stopped.is_set():
                row = await connection.fetchrow(
                    "SELECT (SELECT size FROM log.state), (SELECT min(position) FROM platform.position)"
                )
                assert row is not None
                size, position = row
                now = time.monotonic()
                waiting.append((now, size))
                while waiting and waiting[0][1] <= position:
                    waiting.popleft()
                if waiting:
                    self.longest_lag_s = max(self.longest_lag_s, now - waiting[0][0])
                await asyncio.sleep(PAUSE_S)


def _event(event_id: str) -> dict[str, Any]:
    text = {"ar": "نص", "en": "text"}
    return {
        "specversion": "1.0",
        "id": event_id,
        "source": "urn:yesser:agency:health",
        "type": f"sa.gov.yesser.{TYPE}.v1",
        "subject": f"initiative/{event_id}",
        "time": "2026-12-01T09:00:00+03:00",
        "data": {"initiative_id": event_id, "name": text, "aim": text, "on": "2026-12-01"},
    }


@contextmanager
def running_services(home: Path) -> Iterator[System]:
    """Kafka and PostgreSQL of a home, not prepared: as if they were given."""
    settings = Settings(home=home)
    start_stack(settings, Wanted(frozenset({"kafka", "postgres"}), prepared=False, while_pid=os.getpid()))
    try:
        yield System(settings.acting_as(SUPERUSER))
    finally:
        stop_stack(settings)


def _installed(commit: str, folder: Path) -> Path:
    """The folder with the packages of this commit, its commands, and what they need that is not installed here."""
    source, site = folder / "source", folder / "site"
    source.mkdir()
    archive = subprocess.run(["git", "archive", commit], cwd=ROOT, capture_output=True, check=False)
    assert archive.returncode == 0, "this test needs the history of the repository: `git fetch --unshallow`"
    subprocess.run(["tar", "-x", "-C", str(source)], input=archive.stdout, check=True)
    dropped = folder / "dropped.lock"
    dropped.write_text("\n".join(_dropped((source / "requirements.lock").read_text("utf-8"))), "utf-8")
    for what in (("--no-build-isolation", "--no-index", str(source)), ("--require-hashes", "-r", str(dropped))):
        install = ("install", "-q", "--no-deps", "--target", str(site), *what)
        subprocess.run([sys.executable, "-m", "pip", *install], check=True)
    return site


def _dropped(lock: str) -> Iterator[str]:
    """The packages of a lock file, with their hashes, that are not installed here."""
    installed = {canonicalize_name(found.metadata["Name"]) for found in distributions()}
    for package in re.findall(r"^\w\S*==.*(?:\n .*)*", lock, re.MULTILINE):
        if canonicalize_name(package.partition("==")[0]) not in installed:
            yield package


def _require_all(before: Any, now: Any, where: str) -> None:
    """Every member of what was said before is said now; a later version may say more."""
    if isinstance(before, dict):
        for name, value in before.items():
            if name not in FURTHER:
                assert name in now, f"{where}: {name} is missing"
                _require_all(value, now[name], f"{where}/{name}")
    elif isinstance(before, list):
        assert len(now) == len(before), where
        for number, (value, later) in enumerate(zip(before, now, strict=True)):
            _require_all(value, later, f"{where}/{number}")
    else:
        assert now == before, where
