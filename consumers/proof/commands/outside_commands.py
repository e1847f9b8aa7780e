"""`yesser audit check | prove | export`: what a person takes from a log that is elsewhere, and checks without it."""

from __future__ import annotations

import asyncio
import shlex
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import click

from consumers.proof.audit.authenticated import AuthenticatedLog
from consumers.proof.audit.export import ExportReport, Format, export, selected_entries
from consumers.proof.audit.source import unproven_entries
from consumers.proof.audit.verify import STATEMENT
from consumers.proof.commands.audit_options import AuditSource, Selection, selection_options, source_options
from events.values.bilingual import Bilingual
from infra.command_line.output import json_option, print_confirmation, print_result
from infra.command_line.progress_bar import progress_bar
from infra.log.ports.port import LogPort
from infra.log.proof_file import InvalidProof, ProofFile, parse_proof_file
from infra.log.proofs import inclusion_proof
from infra.log.signed_note import Checkpoint

PROOF_SUFFIX: Final = ".tlog-proof"


@click.command("check")
@source_options(required=True)
@json_option
def check_command(log: AuditSource, as_json: bool) -> None:
    """Check the newest checkpoint of a log: its signature, and that it continues the last one that you accepted.

    Reads no entries and needs no token. A file that ends in .tlog-proof is checked by itself: its entry is in the log.
    Exit code 76: the signature is wrong, the log does not continue, the proof does not hold, or --policy asks for more
    cosignatures than it has.
    """
    if log.place is not None and log.place.endswith(PROOF_SUFFIX):
        _check_proof(Path(log.place), log, as_json)
        return
    old, new = asyncio.run(_checked(log))
    known = 0 if old is None else old.size
    first = Bilingual(
        "السجل موقَّع عند {:,} من القيود. هذه أول نقطة تحقق تقبلها: بها يُقارن السجل في المرة القادمة.",
        "The log is signed at {:,} entries. This is the first checkpoint that you accept: later ones must continue it.",
    )
    further = Bilingual(
        "السجل موقَّع عند {:,} من القيود، ويكمل ما قبلته سابقًا ({:,} من القيود).",
        "The log is signed at {:,} entries and continues what you accepted before ({:,} entries).",
    )
    document = {"size": new.size, "root": new.root.hex(), "previous_size": known, "is_first": old is None, "ok": True}
    print_confirmation(document, as_json, (first if old is None else further).format(new.size, known))


@click.command("prove")
@source_options(required=True)
@click.argument("index", type=click.IntRange(min=0))
@click.option("--into", "file", type=click.Path(dir_okay=False, path_type=Path), help="Write the proof to this file.")
@json_option
def prove_command(log: AuditSource, index: int, file: Path | None, as_json: bool) -> None:
    """Print an entry with the proof that it is in the log, as a C2SP tlog-proof. `yesser audit check` verifies it."""
    proof, checkpoint = asyncio.run(_proven(log, index))
    if file is not None:
        file.write_text(proof.text(), encoding="utf-8")
    document = {"index": index, "size": checkpoint.size, "root": checkpoint.root.hex(), "proof": proof.text()}
    print_result(document, as_json, lambda: click.echo(file if file is not None else proof.text(), nl=file is not None))


@click.command("export")
@source_options(required=False)
@selection_options
@click.option(
    "--again",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="The entries of this earlier export or statement, whose key was replaced: no token is needed.",
)
@click.option("--into", "folder", required=True, type=click.Path(file_okay=False, path_type=Path), help="A new folder.")
@click.option("--format", "form", type=click.Choice(["ndjson", "parquet"]), default="ndjson", show_default=True)
@json_option
def export_command(
    log: AuditSource, selection: Selection, again: Path | None, folder: Path, form: Format, as_json: bool
) -> None:
    """Export entries with their proof and a verifier in one file, which needs neither the log nor this program.

    Rows have the columns index, recordedtime, from, id, source, type, subject, time, data and entry (its exact bytes).
    Without URL-OR-FOLDER the database is read. With --again the entries are those of an earlier export, proven under
    the newest checkpoint and the log's key of today. Exit code 76: the log is not what was signed, or an entry of the
    earlier export is not in it.
    """
    if again is not None and selection != Selection():
        raise click.UsageError("--again takes the entries of its folder: leave out what selects others.")
    report = asyncio.run(_exported(log, selection, again, folder, form))
    sentence = Bilingual(
        "{folder}: {count:,} من القيود وعددها {size:,}. للتحقق:",
        "{folder}: {count:,} of {size:,} entries. To verify:",
    ).format(folder=folder, count=report["entries_count"], size=report["size"])
    print_confirmation({"folder": str(folder), **report}, as_json, sentence)
    command = shlex.join(["python", f"{folder}/verify.py", f"{folder}", "VKEY"])
    if not as_json:  # on a line of its own: in a sentence marks of direction would be copied with it
        click.echo(command)


async def _checked(log: AuditSource) -> tuple[Checkpoint | None, Checkpoint]:
    async with log.opened() as port:
        old, new = await log.continued(port)
    log.keep(new)
    return old, new


async def _proven(log: AuditSource, index: int) -> tuple[ProofFile, Checkpoint]:
    async with log.accepting() as (port, checkpoint):
        if index >= checkpoint.size:
            raise click.UsageError(f"The newest checkpoint has {checkpoint.size} entries: there is no entry {index}.")
        return await proof_of(port, checkpoint, index), checkpoint


async def proof_of(port: LogPort, checkpoint: Checkpoint, index: int) -> ProofFile:
    """The proof of an entry under a checkpoint, verified. Raises `WrongTree` or `InvalidProof`."""
    log = AuthenticatedLog(port, checkpoint)
    (entry,) = await log.entries(index, 1)
    path = await inclusion_proof(log, index, checkpoint.size)
    proof = ProofFile(index, entry, path, checkpoint.note)
    proof.verified((await port.keys()).signer(checkpoint))
    return proof


async def _exported(
    log: AuditSource, selection: Selection, again: Path | None, folder: Path, form: Format
) -> ExportReport:
    async with log.accepting() as (port, checkpoint):
        proven = AuthenticatedLog(port, checkpoint)
        end = await selection.end_in(proven)
        with progress_bar("export", end) as update:
            entries = (
                _entries_again(again)
                if again is not None
                else selected_entries(proven, selection.first, end, selection.has, update.to)
            )
            signer = (await port.keys()).signer(checkpoint)
            report = await export(port, checkpoint, signer, entries, folder, form)
        if again is not None and (again / STATEMENT).exists():
            shutil.copyfile(again / STATEMENT, folder / STATEMENT)
        return report


async def _entries_again(folder: Path) -> AsyncIterator[tuple[int, bytes]]:
    for row in unproven_entries(folder):
        yield row


def _check_proof(file: Path, log: AuditSource, as_json: bool) -> None:
    """Raises `InvalidProof`, which names the file."""
    try:
        proof = parse_proof_file(file.read_bytes().decode("utf-8"))
        checkpoint = proof.verified(log.verifier)
    except (FileNotFoundError, IsADirectoryError):
        raise click.UsageError(f"{file} is not a file.") from None
    except (InvalidProof, UnicodeDecodeError) as error:
        raise InvalidProof(f"{file}: {error}") from error
    log.require_policy(checkpoint)
    if log.kept is not None:
        log.kept.require_same(checkpoint.size, checkpoint.root)
    sentence = Bilingual(
        "القيد {} في السجل، بتوقيع على {:,} من القيود.", "Entry {} is in the log, as signed at {:,} entries."
    ).format(proof.index, checkpoint.size)
    print_confirmation(
        {"index": proof.index, "size": checkpoint.size, "root": checkpoint.root.hex(), "ok": True}, as_json, sentence
    )
