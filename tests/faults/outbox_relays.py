"""Relays of an agency's outbox as processes of their own, on a whole system."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from infra.process.subprocess_command import subprocess_command
from infra.settings import Settings
from tests.corners import execute
from tests.integration.producers.outbox.agency_database import one_connection, with_outbox
from tests.scenarios.system import System
from tests.stack import superusers_address, with_database

ENDS_S = 30


async def agency_with_outbox(system: System) -> Settings:
    """Settings of the agency `health` of this system, with an outbox in a database of its own."""
    server = superusers_address(system.settings)
    await execute(server, "CREATE DATABASE health")
    return await with_outbox(system.settings, with_database(server, "health"))


class RelayProcess:
    """`yesser outbox run` as a child; what it logs goes to a file."""

    def __init__(self, system: System, agencys: Settings, log: Path, agency: str) -> None:
        self._environment = system.environment() | {"YESSER_OUTBOX_POSTGRES": str(agencys.outbox_postgres)}
        self._log = log
        self._agency = agency
        self.process = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        command = subprocess_command("outbox", "run", "--agency", self._agency)
        with self._log.open("ab") as log:
            return subprocess.Popen(command, env=self._environment, stdout=log, stderr=log)

    def signal(self, number: signal.Signals) -> None:
        os.kill(self.process.pid, number)

    def kill(self) -> None:
        """kill -9."""
        self.process.kill()
        self.process.wait(ENDS_S)

    def stop(self) -> None:
        """Ask it to stop; it must end well, and soon."""
        if self.process.poll() is None:
            self.signal(signal.SIGTERM)
        assert self.process.wait(ENDS_S) == 0, self.lines()[-3:]

    def start_again(self) -> None:
        self.process = self._start()

    def lines(self) -> list[dict[str, Any]]:
        """What it has logged."""
        text = self._log.read_text(encoding="utf-8")
        return [json.loads(line) for line in text.splitlines() if line.startswith("{")]

    def epochs(self) -> list[int]:
        """The epochs in which it has worked."""
        return [line["epoch"] for line in self.lines() if "epoch" in line]


@contextmanager
def relay_process(system: System, agencys: Settings, log: Path, agency: str = "health") -> Iterator[RelayProcess]:
    """A relay for the length of a `with`; afterwards it is asked to stop, and must end well."""
    relay = RelayProcess(system, agencys, log, agency)
    try:
        yield relay
        relay.stop()
    finally:
        relay.kill()


async def sent_count(agencys: Settings) -> int:
    """How many events the outbox has sent."""
    return await _ask(agencys, "SELECT count(*) FROM yesser.outbox WHERE sent_at IS NOT NULL")


async def waiting_count(agencys: Settings) -> int:
    """How many events wait."""
    return await _ask(agencys, "SELECT count(*) FROM yesser.outbox WHERE sent_at IS NULL")


async def epoch(agencys: Settings) -> int:
    """Of the relays' lease."""
    return await _ask(agencys, "SELECT coalesce(max(epoch), 0) FROM yesser.outbox_lease WHERE expires_at > now()")


async def _ask(agencys: Settings, question: str) -> int:
    async with one_connection(agencys) as connection:
        answer: int = await connection.fetchval(question)
        return answer
