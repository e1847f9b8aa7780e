"""`yesser audit explain`: from a figure to the entries that made it, in the database, a log elsewhere or an export."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import click

from consumers.audit.authenticated import AuthenticatedLog
from consumers.audit.source import open_export
from consumers.completeness.commands import completeness_command
from consumers.explain.explain import STEPS_MAX, Answer, Request, explain, model_of
from consumers.explain.models import WrongName
from consumers.explain.show import answer_document, answer_view, indexes_of, models_table
from consumers.explain.shown_models import models
from consumers.explain.sources import ExportSource, OutsideSource, Source
from consumers.operations.audit_command import audit
from consumers.operations.audit_options import AuditSource, audit_source
from consumers.operations.outside_commands import PROOF_SUFFIX, proof_of
from events.errors import Retry
from infra.command_line.display import show
from infra.command_line.exit_codes import ExitCode
from infra.command_line.output import json_option, print_result
from infra.command_line.parameters import index_option
from infra.command_line.progress_bar import progress_bar
from infra.settings import Settings

__all__ = ["audit"]
audit.add_command(completeness_command)
_FOLDER: Final = click.Path(file_okay=False, path_type=Path)
_FILE: Final = click.Path(exists=True, dir_okay=False, path_type=Path)


class NotSignedYet(Retry):
    """The last of these entries is not under a signed checkpoint yet: try again in a second."""


@audit.command("explain")
@click.argument("model", required=False)
@click.argument("key", required=False)
@click.argument("field", required=False)
@click.option("--from", "source", metavar="URL-OR-FOLDER", help="A log's address, a mirror or an export.")
@click.option("--vkey", help="The log's verifier key, from its operator, never from the server.")
@click.option("--token-file", type=_FILE, help="File with a token that may read entries (scope log:read).")
@click.option("--state", type=_FOLDER, help="Folder of the checkpoints that you accepted.")
@index_option
@click.option(
    "--steps", type=click.IntRange(min=1), default=STEPS_MAX, show_default=True, help="Show the last N steps."
)
@click.option("--proofs", type=_FOLDER, help="Write a .tlog-proof of each shown entry to this folder.")
@json_option
def explain_command(
    model: str | None,
    key: str | None,
    field: str | None,
    source: str | None,
    vkey: str | None,
    token_file: Path | None,
    state: Path | None,
    as_of_index: int | None,
    steps: int,
    proofs: Path | None,
    as_json: bool,
) -> None:
    """Show the log entries that made a figure: FIELD of KEY in a read MODEL, each with the value before and after it.

    Without FIELD all figures of the key are explained, without MODEL the read models are listed. Without --from the
    database is read, and the figure of the live table is compared with what the entries add up to. A log elsewhere is
    proven first, and gives the same answer.

    Exit code 1: there is no such key, or the table differs from the log. Exit code 76: the log is not what was signed.
    """
    if model is None:
        listed = [{"model": m.name, "key": m.key_form, "fields": list(m.fields)} for m in models().values()]
        print_result(listed, as_json, lambda: show(models_table(models().values())), indented=True)
        return
    request = Request(model, key or "", field, steps)
    try:
        known = model_of(request)
        if key is None:
            raise click.UsageError(f"Give a key of {model}: {known.key_form}.")
        log = audit_source(source, vkey, token_file, state)
        if proofs is not None and open_export(log.place, log.verifier) is not None:
            raise click.UsageError("An export has one proof for all of its entries: take --proofs from a log.")
        answer = asyncio.run(_explained(log, request, as_of_index))
    except WrongName as error:
        raise click.UsageError(str(error)) from None
    document = answer_document(answer)
    if proofs is not None:
        proofs.mkdir(parents=True, exist_ok=True)
        document["proofs"] = asyncio.run(write_proofs(log, indexes_of(answer), proofs))
    print_result(document, as_json, lambda: show(*answer_view(answer)), indented=True)
    if not answer.ok:
        raise SystemExit(ExitCode.ANSWER_IS_NO)


async def _explained(log: AuditSource, request: Request, end: int | None) -> Answer:
    async with opened(log, end) as source:
        return await explain(source, request)


@asynccontextmanager
async def opened(log: AuditSource, end: int | None) -> AsyncIterator[Source]:
    """The source, up to `end` entries. A log elsewhere must continue the last checkpoint that was accepted."""
    if log.place is None:
        from consumers.explain.database import database_source  # imported here: an auditor has no database

        async with database_source(Settings(), end) as source:
            yield source
    elif (export := open_export(log.place, log.verifier)) is not None:
        yield ExportSource(export, _end_of(export.size, end))
    else:
        async with log.opened() as port:
            _, checkpoint = await log.continued(port)
            proven, size = AuthenticatedLog(port, checkpoint), _end_of(checkpoint.size, end)
            with progress_bar("explain", size) as update:
                yield OutsideSource(proven, size, lambda done, total: update(completed=done, total=total))
        log.keep(checkpoint)


def _end_of(size: int, end: int | None) -> int:
    if end is not None and end > size:
        raise click.UsageError(f"The checkpoint has {size} entries: --as-of-index {end} is beyond it.")
    return size if end is None else end


async def write_proofs(log: AuditSource, indexes: Sequence[int], folder: Path) -> list[str]:
    """Write a proof of each entry to an existing folder; the files' names. Raises `NotSignedYet`."""
    written = []
    async with log.opened() as port:
        checkpoint = await port.checkpoint()
        if indexes and indexes[-1] >= checkpoint.size:
            raise NotSignedYet(NotSignedYet.__doc__)
        for index in indexes:
            proof = await proof_of(port, checkpoint, index)
            file = folder / f"{index}{PROOF_SUFFIX}"
            file.write_text(proof.text(), encoding="utf-8")
            written.append(str(file))
    return written
