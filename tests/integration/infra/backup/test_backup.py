"""A database is backed up while it runs, destroyed, and restored: at a point in time, and with all that was written."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from infra.backup.catalogue import BackupFolder
from infra.backup.create import PRINCIPAL, server
from infra.data_dir import DataDir
from infra.embedded.plan import Wanted
from infra.embedded.stack import running_stack, start_stack, stop_stack
from infra.postgres.connection import connected
from infra.principals import SUPERUSER
from infra.process.subprocess_command import subprocess_command
from infra.settings import Settings
from tests.every import every
from tests.scenarios.system import own_folder, until

pytestmark = [pytest.mark.stack, pytest.mark.timeout(240)]

PARTS = frozenset({"postgres", "backup"})


def yesser(settings: Settings, *arguments: str, code: int = 0) -> str:
    """The JSON document that a command prints, or its error."""
    environment = os.environ | {"YESSER_HOME": str(settings.home), "YESSER_BACKUP": str(settings.backup)}
    done = subprocess.run(
        subprocess_command(*arguments, "--json"), env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == code, done.stderr
    return done.stderr if code else done.stdout


def rows(settings: Settings, statement: str) -> list[Any]:
    """Run a statement as the superuser."""

    async def run() -> list[Any]:
        async with connected(settings.acting_as(SUPERUSER), "test") as connection:
            return [row[0] for row in await connection.fetch(statement)]

    return asyncio.run(run())


def write(settings: Settings, number: int) -> datetime:
    """Commit a row; returns a time before the next one."""
    rows(settings, f"INSERT INTO public.written VALUES ({number})")
    (now,) = rows(settings, "SELECT clock_timestamp()")
    rows(settings, "SELECT pg_sleep(0.01)")
    assert isinstance(now, datetime)
    return now


def backups(settings: Settings) -> list[str]:
    assert settings.backup is not None
    return [backup.name for backup in BackupFolder(settings.backup).backups() if backup.checked_at]


class Lost:
    """A database that was destroyed, its backups, and the times between what was written."""

    def __init__(self, settings: Settings, times: list[datetime]) -> None:
        self.settings = settings
        self.times = times


@pytest.fixture(scope="module")
def lost() -> Iterator[Lost]:
    """Rows 1 to 4, written before, between and after a full and an incremental backup; the process was killed."""
    with own_folder() as folder, pytest.MonkeyPatch.context() as patch:
        settings = Settings(home=folder / "home", backup=folder / "the operator's %backups")
        patch.setenv("YESSER_BACKUP", str(settings.backup))
        with running_stack(settings.home, only=PARTS, replicas={"backup": 2}):
            until(lambda: len(backups(settings)) == 1, 60, "no full backup was made")
            assert sorted(roles(settings)) == ["active", "standby"]
            rows(settings, "CREATE TABLE public.written (number integer)")
            times = [write(settings, 1)]
            rows(settings, "SELECT pg_switch_wal()")
            os.kill(roles(settings)["active"], signal.SIGKILL)
            yesser(settings, "backup", "create", "--incremental")
            times.append(write(settings, 2))
            rows(settings, "SELECT pg_switch_wal()")
            times += [write(settings, 3), write(settings, 4)]
            refusal = yesser(settings, "restore", code=1)
            assert "yesser down" in refusal, "a running stack is not overwritten"
            until(lambda: received(settings), 60, "the receiver did not come back")
        shutil.rmtree(settings.home / "postgres")
        yield Lost(settings, times)


def roles(settings: Settings) -> dict[str, int]:
    """The processes `backup` by their role: the id of each."""
    processes = json.loads(yesser(settings, "status"))["processes"]
    return {process["role"]: process["pid"] for process in processes}


def received(settings: Settings) -> bool:
    """Whether the archive's slot is served and has all."""
    statement = "SELECT active FROM pg_replication_slots r WHERE slot_name = 'yesser_backup'"
    return rows(settings, statement) == [True]


@contextmanager
def restored(settings: Settings, *arguments: str) -> Iterator[list[int]]:
    """The restored database runs; yields the numbers that it has."""
    yesser(settings, "restore", *arguments)
    try:
        start_stack(settings, Wanted(frozenset({"postgres"}), prepared=False, while_pid=os.getpid()))
        yield rows(settings, "SELECT number FROM public.written ORDER BY number")
    finally:
        stop_stack(settings)
        shutil.rmtree(settings.home / "postgres", ignore_errors=True)


def test_a_database_is_restored_as_it_was_at_a_time(lost: Lost) -> None:
    full, *_ = backups(lost.settings)
    with restored(lost.settings, "--to", lost.times[2].isoformat(), "--from", full) as numbers:
        assert numbers == [1, 2, 3]


def test_what_was_written_until_the_loss_is_restored_from_full_and_incremental(lost: Lost) -> None:
    with restored(lost.settings) as numbers:
        assert numbers == [1, 2, 3, 4]
        found = asyncio.run(server(lost.settings.acting_as(PRINCIPAL)))
        assert found.timeline == 2, "its WAL has a folder of its own from now on"
        assert "without --incremental" in yesser(lost.settings, "backup", "create", "--incremental", code=1)


def altered(folder: BackupFolder) -> None:
    newest = folder.backups()[-1]
    file = max((folder.data(newest) / "base").rglob("*"), key=lambda path: path.stat().st_size)
    with file.open("r+b") as opened:
        opened.seek(4_000)
        opened.write(b"altered")


def without_a_file_of_wal(folder: BackupFolder) -> None:
    folder.segments(1)[-1].unlink()
    last = max(folder.wal(1).glob("*.partial"))
    last.rename(last.with_suffix(""))


def of_another_version(folder: BackupFolder) -> None:
    for path in folder.root.glob("*/backup.json"):
        path.write_text(json.dumps(json.loads(path.read_text()) | {"version": 17}))


def without_its_base(folder: BackupFolder) -> None:
    shutil.rmtree(folder.root / folder.backups()[0].name)


def too_large(folder: BackupFolder) -> None:
    for path in folder.root.glob("*/backup.json"):
        path.write_text(json.dumps(json.loads(path.read_text()) | {"bytes": 1 << 60}))


@every(
    ("damage", "reason"),
    [
        (altered, "is not as it was written"),
        (without_a_file_of_wal, "could not find file"),
        (of_another_version, "is of PostgreSQL 17"),
        (without_its_base, "put it back"),
        (too_large, "free some space"),
    ],
)
def test_a_damaged_backup_is_refused_and_nothing_is_half_done(
    lost: Lost, tmp_path: Path, damage: Callable[[BackupFolder], None], reason: str
) -> None:
    copied = BackupFolder(tmp_path / damage.__name__)
    assert lost.settings.backup is not None
    shutil.copytree(lost.settings.backup, copied.root)  # by this user, as from another machine
    damage(copied)
    assert reason in yesser(lost.settings, "restore", str(copied.root), code=1)
    assert not [*DataDir(lost.settings.home).postgres.glob("*")]


def test_a_time_that_no_backup_reaches_is_refused(lost: Lost) -> None:
    early = yesser(lost.settings, "restore", "--to", "2006-01-01T00:00:00Z", code=1)
    assert "no earlier time can be restored" in early
    late = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    assert "leave out --to" in yesser(lost.settings, "restore", "--to", late, code=1)
    assert not [*DataDir(lost.settings.home).postgres.glob("*")]
