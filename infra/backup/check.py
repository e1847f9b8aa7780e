"""Reads backups whole: every file against its checksum, and the WAL behind them record by record."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec

from infra.backup.catalogue import Backup, BackupFolder, BackupUnusable, chain, position
from infra.backup.postgres_tools import Progress, run, tool


class Check(msgspec.Struct, frozen=True):
    """What is wrong with a backup, or with the WAL from it up to the next one; None where nothing is."""

    name: str
    fault: str | None


def check(folder: BackupFolder, backups: Sequence[Backup], progress: Progress = lambda _: None) -> list[Check]:
    """Check these backups of the folder, and note the time with each that is right."""
    found = []
    everything = folder.require_backups()
    folder.hand_over()
    with folder.locked():
        for backup in backups:
            progress(backup.name)
            later = [
                other.end for other in everything if other.name > backup.name and other.timeline == backup.timeline
            ]
            try:
                chain(everything, backup)
                require_files(folder, backup)
                require_wal(folder, backup, later[0] if later else None)
            except BackupUnusable as error:
                found.append(Check(backup.name, str(error)))
                continue
            folder.write(msgspec.structs.replace(backup, checked_at=datetime.now(UTC)), folder.root / backup.name)
            found.append(Check(backup.name, None))
    return found


def require_right(folder: BackupFolder, backup: Backup, progress: Progress = lambda _: None) -> None:
    """Check a backup that was just made. Raises `BackupUnusable`."""
    (result,) = check(folder, [backup], progress)
    if result.fault is not None:
        raise BackupUnusable(result.fault)


def require_files(folder: BackupFolder, backup: Backup) -> None:
    """Raises `BackupUnusable` where a file of the backup is missing or altered."""
    run(
        [tool("pg_verifybackup"), "--quiet", "--exit-on-error", str(folder.data(backup))],
        f"The backup {backup.name} is not as it was written: restore from another one",
    )


def require_wal(folder: BackupFolder, backup: Backup, until: str | None = None) -> None:
    """Read the WAL that continues the backup, to the end of its last complete file or to `until`.

    Raises `BackupUnusable` where some is missing or altered: what is behind it cannot be reached from this backup.
    """
    end = folder.wal_end(backup.timeline)
    if end is None or position(end) <= position(backup.end):
        return
    if until is not None and position(until) < position(end):
        end = until
    run(
        [
            *(tool("pg_waldump"), "--quiet", f"--path={folder.wal(backup.timeline)}"),
            *(f"--timeline={backup.timeline}", f"--start={backup.end}", f"--end={end}"),
        ],
        f"The WAL after the backup {backup.name} has a hole: make a full backup now. Only times before the hole can"
        " be restored from this one, with --to",
    )
