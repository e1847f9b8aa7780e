"""The whole system as a user has it: Kafka, PostgreSQL, every process, and the `yesser` command, in a home of its own.

Commands that only read or wait are run inside this process (the same code, without a second of start-up each); those
that publish are processes of their own, so that many can run at once.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from click.testing import CliRunner
from msgspec.structs import asdict

from infra.cli import cli
from infra.embedded.stack import running_stack
from infra.principals import SUPERUSER
from infra.secret_files import write_private
from infra.settings import Settings
from infra.stack_record import Identity
from tests.stack import folder_in_memory

COMMAND_TIMEOUT_S = 1800
LOOK_EVERY_S = 0.02
NOT_OURS = frozenset({"YESSER_KAFKA", "YESSER_POSTGRES", "YESSER_KAFKA_USER", "YESSER_KAFKA_PASSWORD"})


@dataclass(frozen=True)
class System:
    """A running system. Its parts have the names of `yesser status`: `kafka`, `registrar`, `registrar-2`."""

    settings: Settings

    @property
    def home(self) -> Path:
        return self.settings.home

    def environment(self) -> dict[str, str]:
        """For commands: this system and no other."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("YESSER_")}
        own = {"YESSER_POSTGRES": self.settings.postgres} if self.settings.postgres else {}
        return kept | own | {"YESSER_HOME": str(self.home)}

    def ask(self, *arguments: str, exits: Iterable[int] = (0,)) -> Any:
        """The JSON document that a reading command prints."""
        runner = CliRunner(env={"YESSER_HOME": str(self.home)})
        result = runner.invoke(cli, [*arguments, "--json"])
        has_answered = result.exception is None or isinstance(result.exception, SystemExit)
        if result.exit_code not in exits or not has_answered:
            raise AssertionError(f"yesser {' '.join(arguments)}: exit {result.exit_code}: {result.output}") from (
                result.exception
            )
        return json.loads(result.stdout_bytes)

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """A command as a process of its own."""
        command = [sys.executable, "-m", "infra.cli", *arguments]
        return subprocess.Popen(command, env=self.environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def run(self, *arguments: str, exits: Iterable[int] = (0,)) -> Any:
        """The JSON document that a process of its own prints."""
        with self.start(*arguments, "--json") as process:
            output, errors = process.communicate(timeout=COMMAND_TIMEOUT_S)
        if process.returncode not in exits:
            words = errors.decode()[-2000:]
            raise AssertionError(f"yesser {' '.join(arguments)}: exit {process.returncode}: {words}{output.decode()}")
        return json.loads(output)

    def settle(self, timeout_s: float = 300) -> None:
        """Wait for the fixed point."""
        self.ask("wait", "--timeout", str(timeout_s))

    def add_agencies(self, agencies: Iterable[tuple[str, str]]) -> None:
        """Register agencies given as (code, role). Each keeps its password where `client_arguments` finds it."""
        for code, role in agencies:
            names = ("--name-ar", f"جهة {code}", "--name-en", f"Agency {code}")
            added = self.ask("agencies", "add", code, "--role", role, *names)
            if added["new"]:
                path = self.settings.secret_path("kafka", added["kafka_user"])
                path.parent.mkdir(mode=0o700, exist_ok=True)
                write_private(path, added["password"])

    def parts(self) -> dict[str, dict[str, Any]]:
        """What the supervisor recorded of every part, by name."""
        return {name: asdict(part) for name, part in self.settings.stack().parts.items()}

    @property
    def supervisor(self) -> Identity:
        found = self.settings.stack().supervisor
        assert found is not None
        return found

    def pid(self, part: str) -> int:
        """The process id of a part that runs."""
        found: int | None = self.parts()[part]["pid"]
        assert found is not None, f"{part} does not run"
        return found

    def signal(self, part: str, number: signal.Signals) -> int:
        """Send a signal to a part; returns the process id that it had."""
        pid = self.pid(part)
        os.kill(pid, number)
        return pid

    def kill(self, part: str) -> int:
        """kill -9."""
        return self.signal(part, signal.SIGKILL)

    def answer(self, part: str, path: str) -> tuple[int, str]:
        """Status and body of a process' `/readyz`, `/healthz` or `/metrics`; 0 where nobody answers."""
        address = f"http://127.0.0.1:{self.parts()[part]['health_port']}{path}"
        try:
            with urllib.request.urlopen(address, timeout=2) as response:
                return response.status, response.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()
        except OSError:
            return 0, ""

    def readiness(self, part: str) -> tuple[int, dict[str, Any]]:
        """`/readyz`, read."""
        status, body = self.answer(part, "/readyz")
        return status, json.loads(body) if body else {}

    def log_lines(self, part: str) -> list[dict[str, Any]]:
        """What a process has logged, line by line; lines that are no JSON are left out."""
        text = (self.home / "logs" / f"{part}.log").read_text(encoding="utf-8", errors="replace")
        return [json.loads(line) for line in text.splitlines() if line.startswith("{")]

    def until_all_ready(self, timeout_s: float = 120) -> None:
        """Wait until the supervisor calls the whole stack ready."""
        until(lambda: self.settings.stack().ready, timeout_s, "the stack is not ready")


def until(condition: Callable[[], bool], timeout_s: float, otherwise: str) -> float:
    """Wait for a condition; the seconds that it took."""
    started = time.monotonic()
    while not condition():
        if time.monotonic() - started > timeout_s:
            raise AssertionError(f"{otherwise} after {timeout_s:g} s")
        time.sleep(LOOK_EVERY_S)
    return time.monotonic() - started


@contextmanager
def own_folder(*, in_memory: bool = False) -> Iterator[Path]:
    """A folder outside pytest's, for as long as a `with`. Pytest closes its own to other users whenever a session of it
    begins, also another one's; the PostgreSQL of this one may run as another user.

    `in_memory` is for a short history: it lies there where there is room. What a kill -9 leaves is the same.
    """
    folder = (
        folder_in_memory()
        if in_memory
        else tempfile.TemporaryDirectory(prefix="yesser-system-", ignore_cleanup_errors=True)
    )
    with folder as path:
        yield Path(path)


@contextmanager
def fresh_system(
    replicas: Mapping[str, int] | None = None, only: Iterable[str] | None = None, *, in_memory: bool = False
) -> Iterator[System]:
    """A system that nobody has used, for the length of a `with`; nothing is left of it.

    Each process has its own part, unless `only` names others.
    """
    with own_folder(in_memory=in_memory) as home, running_system(home, replicas, only) as system:
        yield system


@contextmanager
def running_system(
    home: Path,
    replicas: Mapping[str, int] | None = None,
    only: Iterable[str] | None = None,
    brokers: Literal["1", "3"] | None = None,
) -> Iterator[System]:
    """A system for the length of a `with`."""
    given = {name: os.environ.pop(name) for name in NOT_OURS & os.environ.keys()}
    try:
        with running_stack(home, only=only, replicas=replicas, brokers=brokers) as settings:
            yield System(settings.acting_as(SUPERUSER))
    finally:
        os.environ.update(given)
