"""Makes a backup of the running database: PostgreSQL's own base backup, whole or what changed since the last one.

Flows in: the database, over the replication protocol, as the principal `backup`. Flows out: a folder with a name, or
nothing.
"""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from infra.backup.catalogue import NAME, Backup, BackupFolder, BackupUnusable, Manifest, put_copy
from infra.backup.postgres_tools import Progress, run, size_of, tool
from infra.data_dir import DataDir
from infra.embedded.servers.postgres import make_folder
from infra.embedded.tools import login_environment
from infra.keys.access_changes import AccessChanges
from infra.postgres.connection import connected
from infra.postgres.sql import queries
from infra.secret_files import sync_folder
from infra.settings import Settings

PRINCIPAL: Final = "backup"
SLOT: Final = "yesser_backup"
"""Keeps the WAL in the database until the archive has it."""
SQL: Final = queries("infra.backup", "server.sql")


class Server(Struct, frozen=True):
    """The database that answers. `active`: the archive receives its WAL; `lost`: the database gave up keeping it."""

    system: str
    timeline: int
    active: bool | None
    lost: bool | None


async def server(settings: Settings) -> Server:
    """Ask the database. `settings` act as `backup`."""
    async with connected(settings, "backup") as connection:
        return Server(**dict(await connection.fetchrow(SQL["state"], SLOT) or {}))


async def end_receiver(settings: Settings) -> None:
    """End a receiver of the archive that a killed process left behind."""
    async with connected(settings, "backup") as connection:
        await connection.execute(SQL["end_receiver"], SLOT)


def create(
    settings: Settings, folder: BackupFolder, found: Server, *, incremental: bool, progress: Progress = lambda _: None
) -> Backup:
    """Make a backup. `settings` act as `backup`; an incremental one continues the newest one of this timeline.

    Raises `BackupUnusable`; then nothing has a name in the folder.
    """
    folder.prepare(found.system)
    with folder.locked():
        base = _base(folder, found) if incremental else None
        more = [] if base is None else [f"--incremental={folder.data(base) / 'backup_manifest'}"]
        data = folder.unfinished / "data"
        shutil.rmtree(folder.unfinished, ignore_errors=True)
        make_folder(folder.unfinished)
        try:
            run(
                [
                    tool("pg_basebackup"),
                    f"--pgdata={data}",
                    "--checkpoint=fast",
                    "--progress",
                    "--no-password",
                    *more,
                ],
                "The backup was not made",
                login_environment(settings),
                progress,
            )
        except BaseException:
            shutil.rmtree(folder.unfinished, ignore_errors=True)
            raise
        wal = msgspec.json.decode((data / "backup_manifest").read_bytes(), type=Manifest).wal[-1]
        # Rounded up: a time that is named is reached by this backup only if the backup had ended.
        made = Backup(
            name=(datetime.now(UTC) + timedelta(seconds=1)).strftime(NAME),
            base=None if base is None else base.name,
            system=found.system,
            timeline=wal.timeline,
            start=wal.start,
            end=wal.end,
            version=int((data / "PG_VERSION").read_text()),
            bytes=size_of(data),
        )
        folder.write(made, folder.unfinished)
        folder.unfinished.rename(folder.root / made.name)
        sync_folder(folder.root)
    keep_beside(settings, folder)
    return made


def keep_beside(settings: Settings, folder: BackupFolder) -> None:
    """Copy what a restored database must be compared with, where this machine has it: the newest signed checkpoint, and
    what was taken from tokens and accounts. Always after the database, so that they are never older."""
    for source, target in beside(settings, folder):
        if source.exists():
            put_copy(source, target)


def beside(settings: Settings, folder: BackupFolder) -> list[tuple[Path, Path]]:
    """File of the home → its copy in the folder."""
    return [
        (DataDir.at(settings.home).log_key / "checkpoint", folder.root / "checkpoint"),
        (AccessChanges.of(settings).path, folder.root / "access-changes"),
    ]


def _base(folder: BackupFolder, found: Server) -> Backup:
    known = folder.backups()
    if known and known[-1].timeline == found.timeline:
        return known[-1]
    raise BackupUnusable(
        f"{folder.root} holds no backup since the database was made or restored: make one without --incremental."
    )
