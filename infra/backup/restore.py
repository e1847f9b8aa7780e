"""Restores the database of the embedded stack from a folder of backups, as it was at a time or at its end.

Flows in: a base backup, whole or combined from incremental ones, and the WAL behind it. Flows out: the data folder of
a home that has none. It gets its name when it is complete: an interrupted restore leaves the home as it was.
"""

from __future__ import annotations

import re
import shlex
import shutil
from datetime import datetime
from pathlib import Path
from typing import Final

from msgspec import Struct

from infra.backup.catalogue import Backup, BackupFolder, BackupUnusable, backup_before, chain, put_copy
from infra.backup.check import require_files, require_wal
from infra.backup.create import beside
from infra.backup.postgres_tools import Progress, ToolFailed, installed_version, run, tool
from infra.data_dir import DataDir
from infra.embedded.processes.identity import running
from infra.embedded.servers.postgres import DATABASE, SUPERUSER, make_folder
from infra.embedded.supervisor import sole_supervisor
from infra.keys.key_export import here
from infra.principals import SUPERUSER as PRINCIPAL
from infra.secret_files import password, sync_folder
from infra.settings import Settings

_LAST: Final = re.compile(r"last completed transaction was at log time (.+)")
_END: Final = (
    "DO $$ BEGIN IF to_regclass('console.session') IS NOT NULL THEN DELETE FROM console.session; END IF; END $$\n"
)
_MISSED: Final = "recovery ended before configured recovery target was reached"


class Restored(Struct, frozen=True):
    """What was restored. `until`: the time of the last transaction in it, None where the backup has none after its own
    end; `keys`: whether the log's key is here."""

    backup: str
    until: datetime | None
    files: list[str]
    keys: bool


def restore(
    settings: Settings,
    folder: BackupFolder,
    *,
    to: datetime | None,
    name: str | None = None,
    progress: Progress = lambda _: None,
) -> Restored:
    """Restore the database as it was at `to`, or at the end of the WAL, from the backup `name` or the newest that fits.

    Raises `BackupUnusable`, or `StackError` where the stack runs; then nothing was changed.
    """
    home = DataDir.at(settings.home)
    backups = folder.require_backups()
    backup = _named(backups, name) if name else backup_before(backups, to)
    parts = chain(backups, backup)
    if backup.version != (version := installed_version()):
        raise BackupUnusable(
            f"The backup {backup.name} is of PostgreSQL {backup.version}, and this release brings {version}: restore it"
            " with the release that made it, then upgrade (docs/upgrade.md)."
        )
    home.create()
    with sole_supervisor(home):
        _require_room(home, parts)
        folder.hand_over()
        for part in parts:
            progress(f"checking {part.name}")
            require_files(folder, part)
        if to is None:
            require_wal(folder, backup)
        unfinished = home.postgres / "data.unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        make_folder(home.postgres)
        try:
            progress("copying")
            run(
                [tool("pg_combinebackup"), f"--output={unfinished}", *(str(folder.data(part)) for part in parts)],
                "The backup could not be copied",
            )
            until = _recover(settings, folder, backup, unfinished, to, progress)
        except BaseException:
            shutil.rmtree(unfinished, ignore_errors=True)
            raise
        unfinished.rename(home.postgres / "data")
        sync_folder(home.postgres)
        return Restored(backup.name, until, _put_back(settings, folder), "log" in here(settings))


def _named(backups: list[Backup], name: str) -> Backup:
    for backup in backups:
        if backup.name == name:
            return backup
    raise BackupUnusable(f"There is no backup {name}: see `yesser backup list`.")


def _require_room(home: DataDir, parts: list[Backup]) -> None:
    if any(running(identity) for identity in home.read_record().identities().values()):
        raise BackupUnusable("Processes of a stack whose supervisor was killed still run: `yesser down` first.")
    if (home.postgres / "data").exists():
        raise BackupUnusable(
            f"{home.postgres} holds a database: move it away (mv {home.postgres} {home.postgres}.old) and"
            " keep it until everything is right."
        )
    needed, free = sum(part.bytes for part in parts), shutil.disk_usage(home.root).free
    if needed > free:
        raise BackupUnusable(f"{home.root} has {free:,} bytes free, and the backup needs {needed:,}: free some space.")


def _recover(
    settings: Settings, folder: BackupFolder, backup: Backup, data: Path, to: datetime | None, progress: Progress
) -> datetime | None:
    """Replay the WAL, in a server that nobody can connect to; returns the time of the last transaction.

    The superuser gets this home's password. All sessions of the console end, as some may have ended since.
    """
    (data / "recovery.signal").touch()
    options = {
        "hot_standby": "off",
        "restore_command": restore_command(folder),
        "recovery_target_timeline": str(backup.timeline),
        "recovery_target_action": "promote",
        "log_min_error_statement": "panic",  # keeps the password out of the messages
    }
    if to == backup.ended:
        options["recovery_target"] = "immediate"
    elif to is not None:
        options["recovery_target_time"] = to.isoformat()
    command = [tool("postgres"), "--single", "-D", str(data), *(f"--{name}={text}" for name, text in options.items())]
    statements = (
        f"ALTER ROLE {SUPERUSER} PASSWORD '{password(settings.secrets_folder / PRINCIPAL, 'postgres')}'\n{_END}"
    )
    try:
        output = run([*command, DATABASE], "The WAL could not be replayed", None, progress, statements)
    except ToolFailed as error:
        if _MISSED not in error.output:
            raise
        raise BackupUnusable(
            f"The WAL behind the backup {backup.name} ends at {_last(error.output) or backup.ended}: name a time before"
            " that, or leave out --to."
        ) from None
    return _last(output)


def restore_command(folder: BackupFolder) -> str:
    """The command by which PostgreSQL fetches a file of WAL. A file's name has its timeline."""
    root = shlex.quote(str(folder.root)).replace("%", "%%")
    places = f"{root}/wal/*/%f", f"{root}/wal/*/%f.partial", f"{root}/*/data/pg_wal/%f"
    return " || ".join(f"cp {place} %p 2>/dev/null" for place in places)


def _last(output: str) -> datetime | None:
    found = _LAST.findall(output)
    return datetime.fromisoformat(found[-1]) if found else None


def _put_back(settings: Settings, folder: BackupFolder) -> list[str]:
    """Put the copies of the checkpoint and of the access changes into a home that lacks them; returns their names."""
    done = []
    for target, copy in beside(settings, folder):
        if copy.exists() and not target.exists():
            target.parent.mkdir(mode=0o700, exist_ok=True)
            put_copy(copy, target)
            done.append(str(target))
    return done
