"""`yesser run backup`: receives the WAL of the running database without a pause, and makes and checks backups.

The WAL is received by PostgreSQL's `pg_receivewal`, from a replication slot: the database keeps what the folder does
not have yet. A full backup is made where there is none since the database was made or restored, and after a number of
incremental ones.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Final, Literal, TypeAlias

import structlog

from events.errors import YesserError
from infra.backup.catalogue import Backup, BackupFolder, BackupUnusable, chain
from infra.backup.check import require_right
from infra.backup.create import PRINCIPAL, SLOT, SQL, create, end_receiver, keep_beside, server
from infra.backup.postgres_tools import run, start, tool
from infra.clock import Clock, utc_now
from infra.embedded.servers.postgres import make_folder
from infra.embedded.tools import login_environment
from infra.observability.logs import LogOnce, first_line
from infra.observability.telemetry import gauge
from infra.postgres.connection import TRANSIENT_ERRORS, Connection, connected
from infra.process.health import Readiness
from infra.process.tasks import pause, until_one_ends
from infra.settings import Settings

INCREMENTAL_MAX: Final = 6
"""Incremental backups behind a full one: a restore copies all of them."""
LOOK_EVERY_S: Final = 5.0
TRY_AGAIN_S: Final = 5.0

NOT_RECEIVED: Final = "the WAL is not received"
Work: TypeAlias = Callable[[asyncio.Event], Awaitable[None]]
_logger = structlog.get_logger()


class NoBackupFolder(YesserError):
    """YESSER_BACKUP names no folder: set it to the folder of the backups, on another disk than the database."""


def backup(settings: Settings) -> Archive:
    """The factory of the process (entry point `yesser.processes`)."""
    if settings.backup is None:
        raise NoBackupFolder
    return Archive(settings.acting_as(PRINCIPAL), BackupFolder.at(settings.backup), utc_now)


class Archive:
    """The process. Ready while the WAL is received and nothing else fails."""

    def __init__(self, settings: Settings, folder: BackupFolder, clock: Clock) -> None:
        self._settings = settings
        self._folder = folder
        self._clock = clock
        self._faults: dict[str, str] = {}
        self._is_received = False
        self._stands_by = False
        self._has_hole = False

    def readiness(self) -> Readiness:
        """A fault needs a person, and no restart."""
        reason = "; ".join(self._faults.values())
        role = {"role": "standby" if self._stands_by else "active"}
        halted = {"halted": reason} if reason else {}
        return Readiness((self._stands_by or self._is_received) and not reason, {**role, **halted})

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`. What fails is tried again: the database keeps the WAL meanwhile."""
        await self._again(stop, "the database is away", TRY_AGAIN_S, self._work)

    async def _work(self, stop: asyncio.Event) -> None:
        """Until `stop`, once no other process makes backups of this database, or until the connection is lost."""
        async with connected(self._settings, "backup lock") as connection:
            while not await connection.fetchval(SQL["lock"]):
                self._stands_by = True
                await pause(stop, LOOK_EVERY_S)
                if stop.is_set():
                    return
            self._stands_by = False
            await until_one_ends(
                self._again(stop, NOT_RECEIVED, TRY_AGAIN_S, self._receive),
                self._again(stop, "the archive is not looked after", LOOK_EVERY_S, self._look),
                self._again(stop, "no backup is made", LOOK_EVERY_S, self._back_up),
                self._hold(connection, stop),
            )

    async def _hold(self, connection: Connection, stop: asyncio.Event) -> None:
        """Until `stop`. Raises what PostgreSQL raises when the connection, and with it the lock, is lost."""
        while not stop.is_set():
            await connection.execute("SELECT 1")
            await pause(stop, LOOK_EVERY_S)

    async def _again(self, stop: asyncio.Event, what: str, every_s: float, work: Work) -> None:
        failing = LogOnce(what, "it goes on")
        while not stop.is_set():
            try:
                await work(stop)
                self._faults.pop(what, None)
                failing.ends()
            except (YesserError, *TRANSIENT_ERRORS) as error:
                self._faults[what] = f"{what}: {first_line(error)}"
                failing.begins(error)
            await pause(stop, every_s)

    async def _receive(self, stop: asyncio.Event) -> None:
        """Receive WAL until `stop`, or until the database goes away."""
        found = await server(self._settings)
        await asyncio.to_thread(self._folder.prepare, found.system)
        target = self._folder.wal(found.timeline)
        make_folder(target.parent)
        make_folder(target)
        receiver = [tool("pg_receivewal"), f"--directory={target}", f"--slot={SLOT}", "--no-loop", "--no-password"]
        environment = login_environment(self._settings)
        slot = partial(run, failure="The slot of the archive could not be changed", environment=environment)
        if found.active:
            await end_receiver(self._settings)
        if found.lost:
            _logger.error("WAL is lost: the database kept no more of it than max_slot_wal_keep_size says")
            await asyncio.to_thread(slot, [*receiver, "--drop-slot"])
        if found.lost or found.active is None:
            self._has_hole = True
            await asyncio.to_thread(slot, [*receiver, "--create-slot"])
        with start(receiver, environment) as process:
            self._faults.pop(NOT_RECEIVED, None)
            ended = asyncio.create_task(asyncio.to_thread(process.communicate))
            stopped = asyncio.create_task(stop.wait())
            try:
                await asyncio.wait([ended, stopped], return_when=asyncio.FIRST_COMPLETED)
            finally:
                stopped.cancel()
                process.terminate()
            _, output = await ended
        if not stop.is_set():
            raise BackupUnusable(output.strip().rpartition("\n")[2] or "no message")

    async def _look(self, _: asyncio.Event) -> None:
        self._is_received = bool((await server(self._settings)).active)
        await asyncio.to_thread(keep_beside, self._settings, self._folder)
        checked = [backup.checked_at for backup in self._folder.backups() if backup.checked_at]
        gauge("backup_checked_timestamp_seconds", max(checked).timestamp() if checked else 0)

    async def _back_up(self, _: asyncio.Event) -> None:
        """Make the backup that is due, check it, and remove the oldest ones."""
        found = await server(self._settings)
        kind = due(
            [backup for backup in self._folder.backups() if backup.timeline == found.timeline],
            self._clock() - timedelta(hours=self._settings.backup_every_h),
            has_hole=self._has_hole,
        )
        # With the slot, so that no WAL is missing between the backup and what is received.
        if kind is None or not found.active:
            return
        made = await asyncio.to_thread(create, self._settings, self._folder, found, incremental=kind == "incremental")
        self._has_hole = False
        _logger.info("backup made", backup=made.name, kind=kind, bytes=made.bytes)
        await asyncio.to_thread(require_right, self._folder, made)
        if gone := await asyncio.to_thread(self._folder.remove_older, self._settings.backup_keep):
            _logger.info("backups removed", backups=gone)


def due(backups: Sequence[Backup], before: datetime, *, has_hole: bool) -> Literal["full", "incremental"] | None:
    """Which backup is due now, by those of the timeline: the newest one is older than `before`, or no use for the WAL
    that is received."""
    if not backups or has_hole:
        return "full"
    if backups[-1].ended > before:
        return None
    return "incremental" if len(chain(backups, backups[-1])) <= INCREMENTAL_MAX else "full"
