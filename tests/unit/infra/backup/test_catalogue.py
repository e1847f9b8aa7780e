"""Which backup a time is restored from, which one is due, and which are removed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from infra.backup.catalogue import Backup, BackupFolder, BackupUnusable, backup_before, chain
from infra.backup.process import INCREMENTAL_MAX, due
from infra.backup.restore import restore_command
from tests.every import every

FIRST = datetime(2026, 12, 1, tzinfo=UTC)


def backup(hour: int, base: int | None = None, timeline: int = 1, start: str = "0/3000028") -> Backup:
    """One that ended at this hour."""
    return Backup(
        name=named(hour),
        base=None if base is None else named(base),
        system="7",
        timeline=timeline,
        start=start,
        end=start,
        version=18,
        bytes=1,
    )


def named(hour: int) -> str:
    return (FIRST + timedelta(hours=hour)).strftime("%Y%m%dT%H%M%SZ")


def kept(folder: BackupFolder, *backups: Backup) -> None:
    for one in backups:
        folder.data(one).mkdir(parents=True)
        folder.write(one, folder.root / one.name)


@every(("hours", "found"), [(0, 0), (5, 4), (9, 8), (None, 8)])
def test_a_time_is_restored_from_the_newest_backup_before_it(hours: float | None, found: int) -> None:
    known = [backup(0), backup(4, 0), backup(8, 4)]
    to = None if hours is None else FIRST + timedelta(hours=hours)
    assert backup_before(known, to).name == named(found)
    assert [one.name for one in chain(known, known[-1])] == [named(0), named(4), named(8)]
    with pytest.raises(BackupUnusable, match="no earlier time"):
        backup_before(known, FIRST - timedelta(seconds=1))


def test_a_full_backup_is_due_first_after_a_hole_and_after_some_incremental_ones() -> None:
    known = [backup(0), *(backup(hour, hour - 1) for hour in range(1, INCREMENTAL_MAX + 1))]
    later = FIRST + timedelta(days=2)
    assert due([], later, has_hole=False) == "full"
    assert due(known[:1], FIRST - timedelta(hours=1), has_hole=False) is None
    assert due(known[:1], later, has_hole=True) == "full"
    assert due(known[:-1], later, has_hole=False) == "incremental"
    assert due(known, later, has_hole=False) == "full"


def test_what_only_removed_backups_needed_goes_with_them(tmp_path: Path) -> None:
    folder = BackupFolder(tmp_path)
    kept(folder, backup(0), backup(1, 0), backup(2, timeline=2, start="0/5000028"), backup(3, 2, timeline=2))
    for timeline, numbers in ((1, range(3, 6)), (2, range(4, 7))):
        folder.wal(timeline).mkdir(parents=True)
        for number in numbers:
            file = folder.wal(timeline) / f"{timeline:08X}{0:08X}{number:08X}"
            with file.open("wb") as opened:
                opened.truncate(1 << 24)
    assert folder.wal_end(2) == "0/7000000"
    assert folder.remove_older(2) == []
    assert folder.remove_older(1) == [named(0), named(1)]
    assert [one.name for one in folder.backups()] == [named(2), named(3)]
    assert folder.segments(1) == []
    assert [path.name[-1] for path in folder.segments(2)] == ["5", "6"]


def test_a_folder_of_any_name_reaches_the_shell_as_one_word() -> None:
    command = restore_command(BackupFolder(Path("/it's 100% ours")))
    assert command.startswith("""cp '/it'"'"'s 100%% ours'/wal/*/%f %p""")


def test_a_folder_of_something_else_or_of_another_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.odt").touch()
    with pytest.raises(BackupUnusable, match="is not empty"):
        BackupFolder(tmp_path).prepare("7")
    kept(BackupFolder(tmp_path), backup(0))
    with pytest.raises(BackupUnusable, match="another database"):
        BackupFolder(tmp_path).prepare("8")
