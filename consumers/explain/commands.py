"""`yesser audit explain`: from a figure to the entries that made it, in the database, a log elsewhere or an export.

The options of the commands that explain a figure: from which log, up to where, how many steps, which proofs.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import click
from msgspec.structs import asdict

from consumers.documents.names import Names, codes_in
from consumers.documents.tables import use_names
from consumers.explain.explain import (
    STEPS_MAX,
    Explained,
    ExportSource,
    OccurredSource,
    OutsideSource,
    Request,
    Source,
    explain,
    model_of,
)
from consumers.explain.models import WrongName
from consumers.explain.renderings import Proofs, codes_in_figures, indexes_of, models_table, view
from consumers.explain.shown_models import models
from consumers.proof.audit.authenticated import AuthenticatedLog
from consumers.proof.audit.texts import EntryTexts
from consumers.proof.commands.audit_command import audit
from consumers.proof.commands.audit_options import (
    FOLDER,
    AuditSource,
    audit_source,
    state_option,
    token_file_option,
    vkey_option,
)
from consumers.proof.commands.outside_commands import PROOF_SUFFIX, proof_of, write_proof
from consumers.proof.completeness.commands import completeness_command
from consumers.replay.as_of.point_in_time import PointInTime, as_of_options
from consumers.replay.as_of.query import show_names_of
from events.errors import Retry
from infra.command_line.display import show
from infra.command_line.exit_codes import ExitCode
from infra.command_line.output import json_option, print_result
from infra.command_line.parameters import gathered
from infra.command_line.progress_bar import progress_bar
from infra.log.recorded_times import recorded_by
from infra.settings import Settings

__all__ = ["audit"]
audit.add_command(completeness_command)


class NotSignedYet(Retry):
    """The last of these entries is not under a signed checkpoint yet: try again in a second."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What the options say. `at`: the entries of which state are explained; `proofs`: the folder for a proof of each
    step."""

    place: str | None
    vkey: str | None
    token_file: Path | None
    state: Path | None
    at: PointInTime
    steps: int
    proofs: Path | None

    def answer(self, request: Request, as_json: bool, document: Callable[[Explained, Proofs], object]) -> None:
        """Print the explanation, as JSON in the form of `document`, and write the proofs.

        Exits with 1 if the table differs from the log. Raises `click.UsageError` for a wrong name.
        """
        try:
            model_of(request)
            # The database's entries are compared with its own hashes, so figures need no key.
            needs_key = self.place is not None or self.proofs is not None
            log = audit_source(self.place, self.vkey, self.token_file, self.state) if needs_key else None
            if log is not None and self.proofs is not None and log.is_export():
                raise click.UsageError("An export has one proof for all of its entries: take --proofs from a log.")
            answer, names = asyncio.run(_answer(log, self.at, request))
        except WrongName as error:
            raise click.UsageError(str(error)) from None
        proofs: Proofs = {}
        if log is not None and self.proofs is not None:
            self.proofs.mkdir(parents=True, exist_ok=True)
            proofs = {"proofs": asyncio.run(_write_proofs(log, indexes_of(answer.document), self.proofs))}
        if self.place is not None:
            use_names(names)
        elif not as_json:
            show_names_of({*codes_in(answer.document), *codes_in_figures(answer.document)})
        print_result(document(answer, proofs), as_json, lambda: show(*view(answer)), indented=True)
        if not answer.document.ok:
            raise SystemExit(ExitCode.ANSWER_IS_NO)


explain_options: Final = gathered(
    "asked",
    Asked,
    click.option("--from", "place", metavar="URL-OR-FOLDER", help="A log's address, a mirror or an export."),
    vkey_option,
    token_file_option,
    state_option,
    as_of_options,
    click.option(
        "--steps", type=click.IntRange(min=1), default=STEPS_MAX, show_default=True, help="Show the last N steps."
    ),
    click.option("--proofs", type=FOLDER, help="Write a .tlog-proof of each shown entry to this folder."),
)


async def _answer(log: AuditSource | None, when: PointInTime, request: Request) -> tuple[Explained, Names]:
    """The explanation, and the names in the entries of a log elsewhere."""
    async with _opened(log, when) as source:
        chosen = source if when.occurred is None else OccurredSource(source, when.occurred)
        return await explain(chosen, request), source.names()


@asynccontextmanager
async def _opened(log: AuditSource | None, when: PointInTime) -> AsyncIterator[Source]:
    """The source, up to an index or a recorded time. A log elsewhere must continue the last checkpoint that was
    accepted."""
    if log is None or log.place is None:
        from consumers.explain.database import database_source  # imported here: an auditor has no database

        async with database_source(Settings(), when) as source:
            yield source
    elif (export := log.export()) is not None:
        yield ExportSource(export, _end_of(export.size, when.index), when.recorded)
    else:
        async with log.opened() as port:
            _, checkpoint = await log.continued(port)
            proven, size = AuthenticatedLog(port, checkpoint), _end_of(checkpoint.size, when.index)
            if when.recorded is not None:
                size = await recorded_by(when.recorded, size, lambda index: proven.entries(index, 1))
            with progress_bar("explain", size) as update:
                yield OutsideSource(proven, size, update.to, EntryTexts(port).of)
        log.keep(checkpoint)


def _end_of(size: int, end: int | None) -> int:
    if end is not None and end > size:
        raise click.UsageError(f"The checkpoint has {size} entries: --as-of-index {end} is beyond it.")
    return size if end is None else end


async def _write_proofs(log: AuditSource, indexes: Sequence[int], folder: Path) -> list[str]:
    """Write a proof of each entry to an existing folder; the files' names. Raises `NotSignedYet`."""
    written = []
    async with log.opened() as port:
        _, checkpoint = await log.continued(port)
        if indexes and indexes[-1] >= checkpoint.size:
            raise NotSignedYet(NotSignedYet.__doc__)
        for index in indexes:
            file = folder / f"{index}{PROOF_SUFFIX}"
            write_proof(file, *await proof_of(port, checkpoint, index))
            written.append(str(file))
    return written


@audit.command("explain")
@click.argument("model", required=False)
@click.argument("key", required=False)
@click.argument("field", required=False)
@explain_options
@json_option
def explain_command(model: str | None, key: str | None, field: str | None, asked: Asked, as_json: bool) -> None:
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
    request = Request(model, key or "", field, asked.steps, derives=not as_json and field is not None)
    asked.answer(request, as_json, lambda found, proofs: asdict(found.document) | proofs)
