"""`yesser audit`: mirrors the log as static files, prints its verifier key, and verifies the log."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from consumers.proof.audit.mirror import MirrorReport, write_mirror
from consumers.proof.audit.source import Export
from consumers.proof.audit.texts import TextsReport
from consumers.proof.commands.audit_all import all_command
from consumers.proof.commands.audit_options import (
    FOLDER,
    AuditSource,
    audit_source,
    log_options,
    seal_key_options,
    source_options,
)
from consumers.proof.commands.outside_commands import (
    check_command,
    export_command,
    prove_command,
    proven,
    replay_command,
)
from events.errors import Retry, Tampered, YesserError
from events.values.bilingual import Bilingual, joined
from infra.command_line.exit_codes import ExitCode
from infra.command_line.language import print_localized
from infra.command_line.output import json_option, print_confirmation, print_json, print_result
from infra.command_line.progress_bar import progress_bar
from infra.keys.seals import SealKeyFiles
from infra.log.authority import TableDiffers
from infra.log.key_history import KeyHistory
from infra.private_keys.key_files import read_verifier
from infra.process.tasks import stop_at_signals, until_one_ends
from infra.settings import Settings

if TYPE_CHECKING:
    from consumers.proof.database_audit.database import Compared


@click.group()
def audit() -> None:
    """Verify the log from its first entry, mirror it, prove entries, and explain figures by them."""


audit.add_command(all_command)
audit.add_command(check_command)
audit.add_command(export_command)
audit.add_command(prove_command)
audit.add_command(replay_command)


@audit.command("vkey")
@click.option("--history", is_flag=True, help="All keys of the log with their signed rotations, the first key first.")
@json_option
def vkey_command(history: bool, as_json: bool) -> None:
    """Print the log's verifier key. Give it to auditors once, over a channel that they trust.

    After a rotation an earlier key still verifies the log: the rotations are signed by both keys.
    """
    verifier = read_verifier(Settings(), None)
    document: dict[str, object] = {"origin": verifier.name, "vkey": verifier.vkey}
    if not history:
        print_result(document, as_json, lambda: click.echo(verifier.vkey))
        return
    keys = asyncio.run(_keys(audit_source(None)))
    rotations = [
        {"vkey": step.new.vkey, "size": step.size, "overlap_until": step.overlap_until, "note": step.note}
        for step in keys.transitions
    ]
    document |= {"first_vkey": keys.keys[0].vkey, "rotations": rotations}
    print_result(document, as_json, lambda: click.echo(keys.document(), nl=False))


@audit.command("mirror")
@click.argument("folder", type=FOLDER)
@log_options(
    click.option(
        "--from", "source", metavar="URL-OR-FOLDER", help="A log's address or a mirror; default: the database."
    )
)
@click.option("--new-only", is_flag=True, help="Do not verify the files that the folder already has.")
@click.option("--follow", is_flag=True, help="Then keep it fresh until ctrl-C.")
@click.option(
    "--every",
    "every_s",
    type=click.FloatRange(min=0.1),
    default=10.0,
    show_default=True,
    metavar="SECONDS",
    help="With --follow: how often to look for a new checkpoint.",
)
@json_option
def mirror_command(folder: Path, log: AuditSource, new_only: bool, follow: bool, every_s: float, as_json: bool) -> None:
    """Bring FOLDER to the newest signed checkpoint, in the C2SP tlog-tiles layout. Only new files are written, once
    those that the folder already has are verified.

    With --follow the folder then stays at most SECONDS behind: a line (or JSON document) for each new checkpoint. Where
    the log stops answering, it waits. It may be stopped and run again at any time.

    Exit code 76: the log does not continue the folder's checkpoint or the last one that you accepted, a file of the
    folder was changed, or --policy asks for more cosignatures.
    """
    if follow:
        keeping = Follower(log, folder, every_s, lambda report: _show_mirrored(folder, report, as_json=as_json))
        asyncio.run(keeping.run(new_only=new_only))
    else:
        _show_mirrored(folder, asyncio.run(_mirror(log, folder, new_only=new_only)), as_json=as_json)


def _show_mirrored(folder: Path, report: MirrorReport, *, as_json: bool) -> None:
    size, root, files = report["size"], report["root"], report["files_written"]
    sentence = Bilingual(
        "{folder}: عدد القيود {size:,}، الجذر {root}، الملفات المكتوبة {files:,}.",
        "{folder}: {size:,} entries, root {root}, {files:,} files written.",
    ).format(folder=folder, size=size, root=root, files=files)
    print_confirmation({"folder": str(folder), **report}, as_json, sentence)


@audit.command("verify")
@source_options(required=False)
@click.option(
    "--database",
    is_flag=True,
    help="Also compare the tables of the database with the entries, and the trail with its chain.",
)
@seal_key_options
@json_option
def verify_command(log: AuditSource, database: bool, keys: SealKeyFiles, as_json: bool) -> None:
    """Compute the tree again from every entry and compare it with the signed checkpoint: of the log at an address, of a
    mirror, or, without URL-OR-FOLDER, of the database. Of an export, the entries that it holds are verified.

    A log elsewhere must also continue the last checkpoint that you accepted. With --database, policies, triggers,
    functions, views, rights, owners and settings are first compared with those that the migrations make. Then agencies,
    suspensions, ids, runs, refusals, dead letters, sequences, positions and checkpoints are derived from the entries,
    and the trail is compared with its chain and with the log's commitments to it. The first row that differs is named.
    Tokens, accounts of the console, and teams with their contacts, webhooks and subscriptions are compared with their
    seals, where their keys are here or given.

    Texts beside the entries are compared with the hashes in them; those that are withheld or lacking are counted.

    Exit code 76: they differ, the checkpoint is not signed by the log's key, or it has fewer cosignatures than --policy
    asks for. Exit code 1: a text is still there that the log withholds.
    """
    if database and log.place is not None:
        raise click.UsageError("--database compares the tables of the database: give no address and no folder.")
    if (export := log.export()) is not None:
        _show_verified(export, as_json=as_json)
        return
    if keys.any and not database:
        raise click.UsageError("--accounts-key, --tokens-key and --teams-key are for --database.")
    compared = _compared(log, keys, as_json=as_json) if database else None
    checkpoint, texts = asyncio.run(proven(log))
    size, root = checkpoint.size, checkpoint.root.hex()
    document: dict[str, object] = {"size": size, "root": root, "ok": texts is None or not texts.held}
    if texts is not None:
        document["texts"] = texts
    words = Bilingual("السجل سليم: قيوده ({}) تعطي الجذر الموقَّع {}.", "{} entries give the signed root {}.").format(
        size, root
    )
    print_confirmation(document if compared is None else {**document, "database": asdict(compared)}, as_json, words)
    if texts is not None:
        _show_texts(texts, log, as_json=as_json)
    if compared is not None and not as_json:
        detail = Bilingual(
            "جداول قاعدة البيانات كما يعطيها السجل ({:,} من القيود)، وسياساتها وصلاحياتها ودوالها كما"
            " تنشئها عمليات الترحيل ({:,}).",
            "The tables of the database are as the log gives them ({:,} entries), its policies, rights"
            " and functions as the migrations make them ({:,}).",
        ).format(compared.entries, compared.objects)
        print_localized(detail)
        rest = joined([Bilingual("الفهارس", "indexes"), *compared.not_compared])
        sentence = Bilingual(
            "لم يُقارن: صفوف نماذج القراءة (`yesser rebuild --compare`)، و{}.",
            "Not compared: the rows that folds made (`yesser rebuild --compare`), {}.",
        ).format(rest)
        print_localized(sentence)


def _show_texts(texts: TextsReport, log: AuditSource, *, as_json: bool) -> None:
    """Raises `TextsHeld` where a text is here that the log withholds."""
    if not as_json:
        print_localized(texts.sentence)
    texts.require_none_held(log.place or "the database")


def _show_verified(export: Export, *, as_json: bool) -> None:
    sentence = Bilingual(
        "التصدير سليم: {:,} من قيود السجل وعددها {:,}، وجذره الموقَّع {}.",
        "The export is sound: {:,} entries of a log of {:,}, signed root {}.",
    ).format(export.count, export.size, export.root)
    document: dict[str, object] = {
        "entries_count": export.count,
        "size": export.size,
        "root": export.root,
        "ok": True,
    }
    if export.texts is not None:
        document["texts"] = export.texts
    print_confirmation(document, as_json, sentence)
    if export.texts is not None and not as_json:
        print_localized(export.texts.sentence)


def _compared(log: AuditSource, keys: SealKeyFiles, *, as_json: bool) -> Compared:
    """Compare the database. Raises `CatalogDiffers` and `TableDiffers`, after the difference is printed as JSON if
    asked."""
    from consumers.proof.commands.database_log import compared_database  # imported here: an auditor has no database
    from consumers.proof.database_audit.catalog import CatalogDiffers

    try:
        return asyncio.run(compared_database(Settings(), log.verifier, keys))
    except (CatalogDiffers, TableDiffers) as error:
        if as_json:
            difference = error.difference if isinstance(error, TableDiffers) else {"objects": error.differences}
            print_json({"ok": False, "difference": difference})
        raise


@audit.command("commitments")
@click.option("--last", type=click.IntRange(min=1), metavar="N", help="Only the last N of each read model.")
@json_option
def commitments_command(last: int | None, as_json: bool) -> None:
    """Fold the log again up to every commitment in it, and compare the hashes of the read models.

    Exit code 1: a commitment is not what the log gives. Somebody changed a row before it was made, or a fold is not
    pure. Then the tree is computed again as well. Exit code 76: the log itself is not what was signed.

    A commitment of an earlier version of a fold that does not match is counted apart: a release with that version, or
    its rules, can compare it. So is one that an operator acknowledged (`yesser audit acknowledge`).
    """
    from consumers.proof.commitments.commands import (
        commitments_checked,  # imports every consumer; other commands do not
    )

    settings = Settings().acting_as("auditor")
    if not commitments_checked(settings, last, as_json=as_json):
        asyncio.run(_require_log_as_signed())
        raise SystemExit(ExitCode.ANSWER_IS_NO)


@audit.command("acknowledge")
@click.argument("index", type=click.IntRange(min=0))
@click.option("--reason-ar", required=True, help="The cause and what was done, in Arabic, published in the log.")
@click.option("--reason-en", required=True, help="The same in English.")
@json_option
def acknowledge_command(index: int, reason_ar: str, reason_en: str, as_json: bool) -> None:
    """Acknowledge the wrong commitment at the entry INDEX, which ends its alarm once the log has the acknowledgement.

    Do it after the rows were repaired. `yesser audit commitments` shows it with the reason from then on.
    """
    from consumers.proof.commitments.check import acknowledged  # imported here: an auditor has no database

    reason = {"ar": reason_ar, "en": reason_en}
    claim = acknowledged(Settings(), index, reason)
    sentence = Bilingual(
        "أُخذ العلم بالبصمة في القيد {} ({}).", "The commitment at entry {} ({}) is acknowledged."
    ).format(index, claim.name)
    print_confirmation(
        {"index": index, "name": claim.name, "log_index": claim.log_index, "reason": reason}, as_json, sentence
    )


async def _require_log_as_signed() -> None:
    """Raise `Tampered` where the log is not what was signed. Where nothing was signed yet, nothing can be compared."""
    try:
        await proven(audit_source(None))
    except Tampered:
        raise
    except YesserError as error:
        click.echo(f"yesser: the tree was not verified: {error}", err=True)


async def _keys(log: AuditSource) -> KeyHistory:
    async with log.opened() as port:
        return await port.keys()


async def _mirror(log: AuditSource, folder: Path, *, new_only: bool, last: MirrorReport | None = None) -> MirrorReport:
    """Bring the folder to the newest checkpoint; `last` where it is at that already."""
    async with log.accepting() as (port, checkpoint):
        if last is not None and (last["size"], last["root"]) == (checkpoint.size, checkpoint.root.hex()):
            return last
        with progress_bar("mirror") as update:
            return await write_mirror(port, folder, log.verifier, update.to, checkpoint, new_only=new_only)


@dataclass(slots=True)
class Follower:
    """Brings a folder to each new checkpoint, until SIGINT or SIGTERM, also in a round: each file is whole."""

    log: AuditSource
    folder: Path
    every_s: float
    show: Callable[[MirrorReport], None]
    _last: MirrorReport | None = None
    _waits: bool = False

    async def run(self, *, new_only: bool) -> None:
        await until_one_ends(self._follow(new_only), stop_at_signals().wait())

    async def _follow(self, new_only: bool) -> None:
        while True:
            try:
                await self._round(new_only)
                new_only = True  # what the folder has was verified
            except Exception as error:
                if self._last is None or not self._is_transient(error):
                    raise
                self._wait(error)
            await asyncio.sleep(self.every_s)

    async def _round(self, new_only: bool) -> None:
        report = await _mirror(self.log, self.folder, new_only=new_only, last=self._last)
        self._waits = False
        if report is not self._last:
            self._last = report
            self.show(report)

    def _wait(self, error: Exception) -> None:
        """Say once that the log does not answer, or that the disk is full."""
        if not self._waits:
            click.echo(f"yesser: waiting: {str(error) or error.__class__.__name__}", err=True)
        self._waits = True

    def _is_transient(self, error: Exception) -> bool:
        if self.log.place is not None or isinstance(error, Retry | OSError):
            return isinstance(error, Retry | OSError)
        from consumers.proof.commands.database_log import is_transient  # imported here: an auditor has no database

        return is_transient(error)
