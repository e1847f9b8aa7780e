"""The primary of the database is lost under load, with what its synchronous standby does not have: the standby is
promoted, and everything goes on. Then a standby is lost."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from infra.backup.catalogue import BackupFolder
from infra.embedded.processes.signals import usual_parts
from infra.embedded.stack import running_stack
from infra.principals import SUPERUSER
from infra.process.retry import PatientConnection
from infra.secret_files import write_private
from infra.settings import Settings
from tests.faults.databases import BATCH_WAITS, END_SESSIONS, LEASES, LOG, WAITING, Database, Pair, primary_and_standby
from tests.faults.services import pause, until_back
from tests.gateway_access import grant_access
from tests.oracle.history import MIXED, generate
from tests.scenarios.figures import tell
from tests.scenarios.judge import judge
from tests.scenarios.load import differences, publish_all, register
from tests.scenarios.system import System, own_folder, until
from tests.world.stacks import Load, require_no_loss

pytestmark = [pytest.mark.stack, pytest.mark.accept, pytest.mark.timeout(1800)]

STANDS_MAX_S = 30.0
WAITS_S = 10
ANSWERED_S = 1
"""What the standby had received before the line was cut is confirmed by then."""
FLOWS_ENTRIES = 1_000
"""Before the first fault, so that it meets every kind of work."""
LOOK_EVERY_S = 0.1
PATIENCE_S = 120


async def stands(settings: Settings, fault: Callable[[], None]) -> float:
    """The longest time in which the log did not grow, from the fault on until it is over and the log goes on."""
    lasting = asyncio.create_task(asyncio.to_thread(fault))
    size, since, longest, over = 0, time.monotonic(), 0.0, False
    async with PatientConnection(settings, "test", PATIENCE_S) as patient:
        while not over:
            now: int = await patient.ask(lambda connection: connection.fetchval(LOG))
            longest = max(longest, time.monotonic() - since)
            if now > size:
                over = lasting.done()
                size, since = now, time.monotonic()
            elif lasting.done():
                lasting.result()  # a fault that failed is never over
            await asyncio.sleep(LOOK_EVERY_S)
    await lasting
    return longest


def timelines(settings: Settings) -> list[int]:
    """Those of the backups, the oldest first: a promotion begins one."""
    assert settings.backup is not None
    return [backup.timeline for backup in BackupFolder.at(settings.backup).backups()]


@dataclass
class Faults:
    """What happens to both servers, one after the other, under a load that flows; and what an operator does then."""

    system: System
    pair: Pair
    stood_s: dict[str, float] = field(default_factory=dict)
    replicated: int = 0
    """Entries that the standby had when the primary was lost."""

    def run(self, until_it_goes_on: Callable[[], None]) -> None:
        try:
            self._run(until_it_goes_on)
        except BaseException:
            self.pair.first.end()  # a process that reads from the old primary would not end
            raise

    def _run(self, until_it_goes_on: Callable[[], None]) -> None:
        until(lambda: int(self.pair.first.sql(LOG, database="yesser")) > FLOWS_ENTRIES, PATIENCE_S, "no load flows")
        until(lambda: timelines(self.system.settings) == [1], PATIENCE_S, "no backup is made")
        pids = self._pids()
        self._measure("the primary is lost", self.lose_primary)
        until_it_goes_on()
        self._measure("all sessions end while the old primary is back", self.end_sessions_beside_the_old_primary)
        until_it_goes_on()
        assert self._pids() == pids, "a process was started again"
        self.a_fresh_process_commits_nothing_on_the_old_primary()
        self.rewind()
        until_it_goes_on()
        self._measure("the standby is lost", lambda: self.lose_standby(until_it_goes_on))
        until_it_goes_on()
        self.pair.first.start()
        self.pair.second.wait_for(self.pair.first)
        self._until_it_grows()

    def lose_primary(self) -> None:
        """The line between both is cut, so that the primary has what its standby does not; then it is killed."""
        first, second = self.pair.first, self.pair.second
        until(self._cut_within_a_batch, PATIENCE_S, "no batch waits")
        first.kill()
        self.replicated = int(second.sql(LOG, database="yesser"))
        second.promote()
        tell(f"the log went on {self._until_it_grows():.1f} s after the promotion")

    def end_sessions_beside_the_old_primary(self) -> None:
        """It comes back as it was, and still takes itself for the primary; it stands first in the address."""
        first, second = self.pair.first, self.pair.second
        first.start()
        before = self._state_of_the_old_primary()
        assert int(before[0]) > self.replicated
        tell(f"the old primary alone had {int(before[0]) - self.replicated} entries")
        assert int(second.sql(END_SESSIONS)) > 0
        self._until_it_grows()
        assert self._state_of_the_old_primary() == before

    def a_fresh_process_commits_nothing_on_the_old_primary(self) -> None:
        """It has not seen the new timeline. A lease is claimed by a commit, which its lost standby never confirms."""
        first, second = self.pair.first, self.pair.second
        before = self._state_of_the_old_primary()
        pid = self.system.kill("registrar")
        until(lambda: int(first.sql(WAITING)) > 0, PATIENCE_S, "the registrar did not come to the old primary")
        size = second.sql(LOG, database="yesser")
        pause(WAITS_S)
        assert self._state_of_the_old_primary() == before
        assert second.sql(LOG, database="yesser") == size
        first.kill()
        until_back(self.system, "registrar", pid)
        self._until_it_grows()

    def rewind(self) -> None:
        first, second = self.pair.first, self.pair.second
        printed = first.rewind_to(second)
        assert "servers diverged" in printed
        first.start()
        second.wait_for(first)

    def lose_standby(self, until_it_goes_on: Callable[[], None]) -> None:
        """Agencies get receipts, and nothing is registered until the operator lets the primary work alone."""
        first, second = self.pair.first, self.pair.second
        first.kill()
        until(lambda: int(second.sql(WAITING)) > 0, PATIENCE_S, "no commit waits")
        size = second.sql(LOG, database="yesser")
        pause(WAITS_S)
        until_it_goes_on()
        assert second.sql(LOG, database="yesser") == size
        second.wait_for_nobody()
        tell(f"the log went on {self._until_it_grows():.1f} s after the standby's name was removed")

    def _cut_within_a_batch(self) -> bool:
        """No WAL gets to the standby, and what the registrar waits for is a batch; else all gets there again."""
        first, line = self.pair.first, self.pair.line
        line.freeze(questions=False)
        until(lambda: int(first.sql(WAITING)) > 0, PATIENCE_S, "no commit waits")
        pause(ANSWERED_S)
        has_batch = int(first.sql(BATCH_WAITS, database="yesser")) > 0
        if not has_batch:
            line.thaw()
            self._until_it_grows(first)
        return has_batch

    def _measure(self, name: str, fault: Callable[[], None]) -> None:
        self.stood_s[name] = asyncio.run(stands(self.system.settings, fault))
        tell(f"{name}: the log stood {self.stood_s[name]:.1f} s")

    def _state_of_the_old_primary(self) -> tuple[str, str]:
        return tuple(self.pair.first.sql(text, database="yesser") for text in (LOG, LEASES))  # type: ignore[return-value]

    def _until_it_grows(self, primary: Database | None = None) -> float:
        """Seconds until the log has grown, on the promoted server unless another one is named."""
        primary = primary or self.pair.second
        size = int(primary.sql(LOG, database="yesser"))
        return until(lambda: int(primary.sql(LOG, database="yesser")) > size, PATIENCE_S, "the log does not go on")

    def _pids(self) -> dict[str, int | None]:
        return {name: part["pid"] for name, part in self.system.parts().items()}


def test_no_acknowledged_event_is_lost_with_the_primary_or_with_its_standby(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    history, load = generate(83, 6_000, MIXED), Load("steady")
    for name in ("YESSER_KAFKA", "YESSER_KAFKA_USER", "YESSER_KAFKA_PASSWORD"):
        monkeypatch.delenv(name, raising=False)
    with own_folder() as folder, primary_and_standby(folder / "databases") as pair:
        home = folder / "home"
        (home / "secrets" / SUPERUSER).mkdir(mode=0o700, parents=True)
        write_private(home / "secrets" / SUPERUSER / "postgres", pair.superuser_password)
        monkeypatch.setenv("YESSER_POSTGRES", pair.address)
        monkeypatch.setenv("YESSER_BACKUP", str(folder / "backups"))
        with running_stack(home, only=usual_parts() | {"backup"}) as settings:
            system = System(settings.acting_as(SUPERUSER))
            register(system, history)
            access, faults = grant_access(system, load.agency), Faults(system, pair)
            reports = publish_all(
                system, history, tmp_path / "files", meanwhile=lambda _: asyncio.run(load.send(access, faults.run))
            )
            system.settle()
            assert differences(reports, history) == []
            again = asyncio.run(require_no_loss(system.settings, load))
            tell(f"{len(load.sent)} events with receipts, {again} records came again and were dropped")
            judge(system).require_clean()
            until(lambda: timelines(settings) == [1, 2], PATIENCE_S, "no backup of the promoted server is made")
            assert all(row["fault"] is None for row in system.run("backup", "check", str(folder / "backups")))
            assert [*(folder / "backups" / "wal" / "2").iterdir()], "its WAL has a folder of its own"
            assert max(faults.stood_s.values()) < STANDS_MAX_S + WAITS_S
