"""A folder of backups of one database: what is in it, and from which of them a time can be restored.

    20261201T144500Z/data          a base backup as `pg_basebackup` writes it, with its manifest
    20261201T144500Z/backup.json   what `Backup` says of it
    wal/1/                         the WAL of timeline 1 as `pg_receivewal` writes it
    checkpoint, access-changes     the newest signed checkpoint, and what was taken from tokens and accounts

A restored database begins a new timeline, whose WAL has a folder of its own: what is restored is never mixed with
what it replaces.
"""

from __future__ import annotations

import fcntl
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from events.errors import YesserError
from infra.embedded.servers.postgres import make_folder
from infra.embedded.servers.system_user import hand_over, postgres_user
from infra.json_documents import to_json
from infra.secret_files import private_file, sync_folder

NAME: Final = "%Y%m%dT%H%M%SZ"
_SEGMENT: Final = re.compile(r"[0-9A-F]{24}")
_DETAILS: Final = "backup.json"


class BackupUnusable(YesserError):
    """A backup cannot be made, or not be restored; the message says why, and what to do. Nothing was changed."""


class Backup(Struct, frozen=True, kw_only=True):
    """A base backup. Its name is the time of its end; `base` names the backup that an incremental one continues.

    `start` and `end` are positions in the WAL of its timeline, as `0/2000028`. `checked_at`: when it was last read
    whole and found as it was written.
    """

    name: str
    base: str | None
    system: str
    timeline: int
    start: str
    end: str
    version: int
    bytes: int
    checked_at: datetime | None = None

    @property
    def ended(self) -> datetime:
        return datetime.strptime(self.name, NAME).replace(tzinfo=UTC)


class WalRange(Struct, frozen=True):
    """A part of the WAL, in the words of a manifest."""

    timeline: int = msgspec.field(name="Timeline")
    start: str = msgspec.field(name="Start-LSN")
    end: str = msgspec.field(name="End-LSN")


class Manifest(Struct, frozen=True):
    """What PostgreSQL's manifest of a backup says of the WAL that it needs."""

    wal: list[WalRange] = msgspec.field(name="WAL-Ranges")


@dataclass(frozen=True, slots=True)
class BackupFolder:
    """The folder. PostgreSQL's tools write and read it as PostgreSQL's user."""

    root: Path

    @classmethod
    def at(cls, path: Path) -> BackupFolder:
        return cls(path.expanduser().resolve())

    @property
    def unfinished(self) -> Path:
        """The backup that is being made. Only a complete one gets a name."""
        return self.root / "unfinished"

    def data(self, backup: Backup) -> Path:
        return self.root / backup.name / "data"

    def wal(self, timeline: int) -> Path:
        return self.root / "wal" / str(timeline)

    def backups(self) -> list[Backup]:
        """The backups, oldest first."""
        found = [msgspec.json.decode(path.read_bytes(), type=Backup) for path in self.root.glob(f"*/{_DETAILS}")]
        return sorted(found, key=lambda backup: backup.name)

    def require_backups(self) -> list[Backup]:
        """The same. Raises `BackupUnusable` where there is none."""
        if found := self.backups():
            return found
        raise BackupUnusable(f"{self.root} holds no backup: name the folder of `yesser backup create`.")

    def write(self, backup: Backup, folder: Path) -> None:
        with private_file(folder / _DETAILS) as file:
            file.write(to_json(backup, indented=True))

    def segments(self, timeline: int) -> list[Path]:
        """The complete files of WAL, in order. The last one, which grows, has the ending `.partial`."""
        return sorted(path for path in self.wal(timeline).glob("*") if _SEGMENT.fullmatch(path.name))

    def wal_until(self, timeline: int) -> datetime | None:
        """When WAL was last written here; None where there is none."""
        times = [path.stat().st_mtime for path in self.wal(timeline).glob("*") if _SEGMENT.match(path.name)]
        return datetime.fromtimestamp(max(times), UTC) if times else None

    def wal_end(self, timeline: int) -> str | None:
        """The position behind the last complete file."""
        segments = self.segments(timeline)
        return position_text(_end_of(segments[-1])) if segments else None

    def prepare(self, system: str) -> None:
        """Create the folder for backups of this database. Raises `BackupUnusable` where it holds something else."""
        known = self.backups()
        names = {path.name for path in self.root.iterdir()} if self.root.exists() else set()
        if not known and any(name not in _OURS and not name.startswith(".") for name in names):
            raise BackupUnusable(f"{self.root} is not empty and holds no backup: name another folder.")
        if known and known[-1].system != system:
            raise BackupUnusable(f"{self.root} holds backups of another database: name another folder.")
        make_folder(self.root)

    def hand_over(self) -> None:
        """Let PostgreSQL's user read backups that were copied from another machine, or by another user."""
        user = postgres_user()
        if user is not None and any(path.stat().st_uid != user.pw_uid for path in self.root.glob("*/data")):
            hand_over(self.root, user)
        make_folder(self.root)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """One at a time makes, checks or removes backups. Raises `BackupUnusable`."""
        with (self.root / "lock").open("a") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise BackupUnusable(f"Another command works in {self.root}: wait until it has ended.") from None
            yield

    def remove_older(self, keep: int) -> list[str]:
        """Remove what is older than the newest `keep` full backups, with the WAL before them; returns their names."""
        full = [backup for backup in self.backups() if backup.base is None]
        if len(full) <= keep:
            return []
        first = full[-keep]
        gone = [backup for backup in self.backups() if backup.name < first.name]
        for backup in reversed(gone):  # an incremental one before its base
            (self.root / backup.name / _DETAILS).unlink()
            shutil.rmtree(self.root / backup.name)
        for timeline in range(1, first.timeline + 1):
            needed = position(first.start) if timeline == first.timeline else None
            for segment in self.segments(timeline):
                if needed is None or _end_of(segment) <= needed:
                    segment.unlink()
        return [backup.name for backup in gone]


_OURS: Final = frozenset({"wal", "unfinished", "lock", "lost+found", "checkpoint", "access-changes"})


def chain(backups: Sequence[Backup], last: Backup) -> list[Backup]:
    """What `last` consists of: a full backup and the incremental ones up to it. Raises `BackupUnusable`."""
    known = {backup.name: backup for backup in backups}
    found = [last]
    while (base := found[0].base) is not None:
        if base not in known:
            raise BackupUnusable(f"{last.name} continues {base}, which is not there: put it back, or name another one.")
        found.insert(0, known[base])
    return found


def backup_before(backups: Sequence[Backup], to: datetime | None) -> Backup:
    """The newest backup from which the time can be reached. Raises `BackupUnusable`."""
    found = [backup for backup in backups if to is None or backup.ended <= to]
    if found:
        return found[-1]
    first = backups[0].ended.isoformat(timespec="seconds")
    raise BackupUnusable(f"The first backup ended at {first}: no earlier time can be restored.")


def _end_of(segment: Path) -> int:
    """The position behind a file of WAL, from its name and size."""
    size = segment.stat().st_size
    return (int(segment.name[8:16], 16) * (2**32 // size) + int(segment.name[16:], 16) + 1) * size


def position(text: str) -> int:
    """A position in the WAL as a number."""
    high, low = text.split("/")
    return int(high, 16) << 32 | int(low, 16)


def position_text(number: int) -> str:
    return f"{number >> 32:X}/{number & 0xFFFFFFFF:X}"


def put_copy(source: Path, target: Path) -> None:
    """Copy a small file, synced, unless the target is the same already."""
    content = source.read_bytes()
    if not target.exists() or target.read_bytes() != content:
        with private_file(target) as file:
            file.write(content)
        sync_folder(target.parent)
