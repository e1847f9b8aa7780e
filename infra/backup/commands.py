"""`yesser backup create | list | check` and `yesser restore`."""

from __future__ import annotations

import asyncio
import sys
from datetime import datetime
from pathlib import Path
from typing import Final

import click

from events.values.bilingual import Bilingual
from infra.backup.catalogue import Backup, BackupFolder, BackupUnusable
from infra.backup.check import check, require_right
from infra.backup.create import PRINCIPAL, create, server
from infra.backup.restore import Restored, restore
from infra.command_line.display import Column, Grid, show, time_text
from infra.command_line.exit_codes import ExitCode
from infra.command_line.language import print_localized
from infra.command_line.output import json_option, print_confirmation, print_result
from infra.command_line.parameters import time_option
from infra.settings import Settings

_COLUMNS: Final = (
    Column("النسخة", "backup"),
    Column("تكمل", "continues"),
    Column("انتهت", "ended"),
    Column("ميغابايت", "MB", right=True),
    Column("آخر تحقق", "checked"),
    Column("WAL حتى", "WAL until"),
)
_folder = click.argument("folder", required=False, type=click.Path(file_okay=False, path_type=Path), metavar="[FOLDER]")


@click.group()
def backup() -> None:
    """Back up the database, list backups and check them (docs/backup.md). FOLDER: default YESSER_BACKUP."""


@backup.command("create")
@_folder
@click.option("--incremental", is_flag=True, help="Only what changed since the newest backup of FOLDER.")
@json_option
def create_command(folder: Path | None, incremental: bool, as_json: bool) -> None:
    """Make a backup in FOLDER while everything runs, and check it.

    It works for a PostgreSQL of YESSER_POSTGRES too, from release 17, where the role yesser_backup may use the
    replication protocol (pg_hba.conf).
    """
    settings, place = Settings().acting_as(PRINCIPAL), _place(folder)
    made = create(settings, place, asyncio.run(server(settings)), incremental=incremental, progress=_show_progress)
    require_right(place, made, _show_progress)
    sentence = Bilingual("صُنعت النسخة {} وثبتت سلامتها: {:,} بايت.", "The backup {} was made and checked: {:,} bytes.")
    print_confirmation(made, as_json, sentence.format(made.name, made.bytes))


@backup.command("list")
@_folder
@json_option
def list_(folder: Path | None, as_json: bool) -> None:
    """List the backups of FOLDER, oldest first."""
    place = _place(folder)
    rows = place.require_backups()
    print_result(rows, as_json, lambda: show(Grid(None, _COLUMNS, [_row(place, row) for row in rows])))


@backup.command("check")
@_folder
@click.option("--only", metavar="BACKUP", help="Only this one; default: all.")
@json_option
def check_command(folder: Path | None, only: str | None, as_json: bool) -> None:
    """Read the backups of FOLDER whole: every file against its checksum, and the WAL behind them for holes.

    Exit code 1 if one cannot be restored.
    """
    place = _place(folder)
    rows = [row for row in place.require_backups() if only in (None, row.name)]
    found = check(place, rows, _show_progress)
    right = Bilingual("{}: سليمة.", "{}: right.")
    lines = [Bilingual(row.fault, row.fault) if row.fault else right.format(row.name) for row in found]
    print_result(found, as_json, lambda: print_localized(*lines))
    if any(row.fault for row in found):
        sys.exit(ExitCode.ANSWER_IS_NO)


@click.command("restore", short_help="Restore the database from a backup, at a point in time.")
@_folder
@click.option(
    "--to",
    metavar="TIME",
    callback=time_option,
    help="As it was at TIME, such as 2026-11-25T08:00:00+03:00; default: the end of the WAL.",
)
@click.option("--from", "name", metavar="BACKUP", help="From this backup; default: the newest that fits.")
@json_option
def restore_command(folder: Path | None, to: datetime | None, name: str | None, as_json: bool) -> None:
    """Restore the database of the stack of YESSER_HOME, which is stopped and has no database, from FOLDER.

    The backup and its WAL are checked first. Keys, Kafka and the log's checkpoint stay as they are; where the home has
    none, the checkpoint and what was taken from tokens and accounts come from FOLDER. All sessions of the console end.
    Then `yesser up`, and `yesser recover` where the registrar asks for it.
    """
    settings = Settings()
    if settings.postgres:
        raise BackupUnusable(
            "YESSER_POSTGRES names a PostgreSQL of yours: restore it with its own tools, from the same folder"
            " (docs/backup.md)."
        )
    restored = restore(settings, _place(folder), to=to, name=name, progress=_show_progress)
    print_result(restored, as_json, lambda: print_localized(*_sentences(restored)))


def _sentences(found: Restored) -> list[Bilingual]:
    until = found.backup if found.until is None else time_text(found.until)
    lines = [
        Bilingual(
            "استُعيدت قاعدة البيانات من النسخة {} كما كانت في {}.",
            "The database is restored from the backup {}, as it was at {}.",
        ).format(found.backup, until)
    ]
    lines += [Bilingual("{}: من مجلد النسخ.", "{}: from the backups.").format(file) for file in found.files]
    if not found.keys:
        lines.append(
            Bilingual(
                "مفتاح السجل ليس هنا: أحضره بـ `yesser keys import` قبل `yesser up`.",
                "The log's key is not here: bring it with `yesser keys import` before `yesser up`.",
            )
        )
    return [
        *lines,
        Bilingual(
            "شغّل النظام بـ `yesser up --detach`. فإن كانت القاعدة أقدم من آخر نقطة تحقق توقف المسجِّل دون توقيع:"
            " عندئذ نفّذ `yesser recover`.",
            "Start with `yesser up --detach`. If the database is older than the last checkpoint, the registrar halts"
            " without signing: then run `yesser recover`.",
        ),
    ]


def _row(place: BackupFolder, row: Backup) -> list[str]:
    until = place.wal_until(row.timeline)
    return [
        row.name,
        row.base or "",
        time_text(row.ended),
        f"{row.bytes / 1e6:,.0f}",
        time_text(row.checked_at) if row.checked_at else "",
        time_text(until) if until else "",
    ]


def _place(folder: Path | None) -> BackupFolder:
    found = folder or Settings().backup
    if found is None:
        raise click.UsageError("Name the folder of backups, or set YESSER_BACKUP.")
    return BackupFolder.at(found)


def _show_progress(line: str) -> None:
    click.echo(line, err=True)
