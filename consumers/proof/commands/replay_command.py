"""`yesser audit replay`: a proven log's entries, or its read models computed again without the operator's database."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Final

import click

from consumers.documents.document import Listing
from consumers.documents.log.commitments import NO_COMMITMENT
from consumers.documents.tables import grid
from consumers.proof.audit.authenticated import AuthenticatedLog
from consumers.proof.audit.export import selected_entries
from consumers.proof.audit.mirror import write_mirror
from consumers.proof.audit.source import Export, is_address
from consumers.proof.commands.audit_options import AuditSource, Selection, selection_options, source_options
from consumers.proof.offline.parquet import require_parquet
from consumers.proof.offline.replay import Format, ReplayedModel, replay_into
from events.values.bilingual import Bilingual
from events.wire.entry import parse_entry
from infra.command_line.display import show
from infra.command_line.exit_codes import ExitCode
from infra.command_line.language import print_localized
from infra.command_line.output import json_option, print_result
from infra.command_line.progress_bar import progress_bar
from infra.log.merkle import leaf_hash
from infra.log.ports.tree import require_tree
from infra.log.signed_note import Checkpoint

MIRROR: Final = "log"
"""The folder of the mirror beside the read models."""


@click.command("replay")
@source_options(required=False)
@selection_options
@click.option("--stdout", "to_stdout", is_flag=True, help="Print the entries, one JSON object a line.")
@click.option("--into", type=click.Path(file_okay=False, path_type=Path), help="Write read models to this folder.")
@click.option("--format", "form", type=click.Choice(["sqlite", "parquet"]), default="sqlite", show_default=True)
@json_option
def replay_command(
    log: AuditSource, selection: Selection, to_stdout: bool, into: Path | None, form: Format, as_json: bool
) -> None:
    """Replay a log from an address, a mirror, an export or, without URL-OR-FOLDER, the database, once it is
    proven to be what was signed.

    --stdout prints entries with their index and leaf hash. --into computes the read models by the same folds as the
    live tables, and compares each one with the hash that the log commits to: one SQLite file for each consumer, or with
    --format parquet one Parquet file for each read model. An export must hold all entries of its log for that.

    Exit code 76: the log is not what was signed. Exit code 1: a read model differs from its commitment.
    """
    if to_stdout == (into is not None):
        raise click.UsageError("Choose one of --stdout and --into.")
    if into is None:
        asyncio.run(_print_entries(log, selection, log.export()))
        return
    if selection != Selection(end=selection.end, until=selection.until):
        raise click.UsageError(
            "--into needs the whole log: leave out --from, --occurred, --agency, --type and --subject."
        )
    if form == "parquet":
        require_parquet()  # its absence is found before anything is written
    if (export := log.whole_export("--into")) is not None:
        source, checkpoint = export.folder, export.checkpoint
    else:
        copied = log.place is None or is_address(log.place)
        source = into / MIRROR if log.place is None or copied else Path(log.place)
        checkpoint = asyncio.run(proven(log, source if copied else None))
    end = asyncio.run(_end(log, selection, checkpoint, export))
    _report(replay_into(source, checkpoint, into, end, form), end, checkpoint, as_json)


async def _print_entries(log: AuditSource, selection: Selection, export: Export | None) -> None:
    """Print entries, each after it was proven."""
    if export is not None:
        end = selection.end_of(export.size)
        for index, raw in export.entries():
            if selection.first <= index < end and selection.has(parse_entry(index, raw)):
                click.echo(_line(index, raw))
        return
    async with log.accepting() as (port, checkpoint):
        proven = AuthenticatedLog(port, checkpoint)
        end = await selection.end_in(proven)
        async for index, raw in selected_entries(proven, selection.first, end, selection.has):
            click.echo(_line(index, raw))


async def _end(log: AuditSource, selection: Selection, checkpoint: Checkpoint, export: Export | None) -> int:
    """Where the selection ends in a log that was proven, or in an export of all of it."""
    end = selection.end_of(checkpoint.size)
    if selection.until is None:
        return end
    if export is not None:
        later = (index for index, raw in export.entries() if not selection.has(parse_entry(index, raw)))
        return min(end, next(later, end))
    async with log.opened() as port:
        return await selection.end_in(AuthenticatedLog(port, checkpoint))


async def proven(log: AuditSource, mirror: Path | None = None) -> Checkpoint:
    """Prove every entry of a log; with `mirror` while it is copied to one."""
    async with log.accepting() as (port, checkpoint):
        with progress_bar("verify" if mirror is None else "mirror", checkpoint.size) as update:
            if mirror is None:
                await require_tree(port, checkpoint.size, checkpoint.root, update.to)
            else:
                await write_mirror(port, mirror, log.verifier, update.to, checkpoint)
        return checkpoint


def _line(index: int, raw: bytes) -> bytes:
    """One line. Line breaks between the members of an event, which its sender may write, become spaces."""
    entry = raw.replace(b"\r", b" ").replace(b"\n", b" ")
    return b'{"index":%d,"leaf":"%b","entry":%b}' % (index, leaf_hash(raw).hex().encode(), entry)


def _report(models: list[ReplayedModel], end: int, checkpoint: Checkpoint, as_json: bool) -> None:
    wrong = sum(not model.ok for model in models)
    document = {
        "log_index": end,
        "size": checkpoint.size,
        "root": checkpoint.root.hex(),
        "read_models": models,
        "ok": not wrong,
    }
    print_result(document, as_json, lambda: _show(models, end, wrong), indented=True)
    if wrong:
        raise SystemExit(ExitCode.ANSWER_IS_NO)


def _show(models: list[ReplayedModel], end: int, wrong: int) -> None:
    show(grid(Listing("بعد {:,} من القيود", "After {:,} entries", ReplayedModel).format(end), models))
    if all(model.committed is None for model in models):
        print_localized(NO_COMMITMENT)
    if wrong:
        sentence = Bilingual("{} لا تطابق البصمة المنشورة في السجل.", "{} differ from what the log commits to.")
        print_localized(sentence.format(wrong))
