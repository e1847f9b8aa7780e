"""`yesser audit check | prove | export | replay`: what a person takes from a log elsewhere, and checks without it.

`yesser audit replay`: a proven log's entries, or its read models computed again without the operator's database.
"""

from __future__ import annotations

import asyncio
import shlex
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final, NamedTuple

import click
from msgspec import UNSET, MsgspecError

from consumers.documents.document import Listing
from consumers.documents.log.commitments import NO_COMMITMENT
from consumers.documents.tables import grid
from consumers.proof.audit.authenticated import AuthenticatedLog
from consumers.proof.audit.export import ExportReport, Format, earlier_texts, export, selected_entries
from consumers.proof.audit.mirror import write_mirror
from consumers.proof.audit.source import Export, is_address, unproven_entries
from consumers.proof.audit.texts import EntryTexts, TextsReport, WatchedLog
from consumers.proof.audit.verify import STATEMENT
from consumers.proof.commands.audit_options import AuditSource, Selection, selection_options, source_options
from consumers.proof.offline.replay import ModelFormat, ReplayedModel, replay_into, require_parquet
from events.values.bilingual import Bilingual
from events.wire.entry import has_texts, parse_entry
from infra.command_line.display import show
from infra.command_line.exit_codes import ExitCode
from infra.command_line.language import print_localized
from infra.command_line.output import json_option, print_confirmation, print_result
from infra.command_line.progress_bar import progress_bar
from infra.json_documents import to_json
from infra.log.merkle import leaf_hash
from infra.log.ports.bundle_texts import BundleText, WrongText, match_texts, parse_texts, text_lines
from infra.log.ports.port import LogPort
from infra.log.ports.tree import require_tree
from infra.log.proof_file import InvalidProof, ProofFile, parse_proof_file
from infra.log.proofs import inclusion_proof
from infra.log.signed_note import Checkpoint

PROOF_SUFFIX: Final = ".tlog-proof"
TEXTS_SUFFIX: Final = ".texts.ndjson"
"""Of the file beside a proof, where its entry has texts."""
MIRROR: Final = "log"
"""The folder of the mirror beside the read models."""


@click.command("check")
@source_options(required=True)
@json_option
def check_command(log: AuditSource, as_json: bool) -> None:
    """Check the newest checkpoint of a log: its signature, and that it continues the last one that you accepted.

    Reads no entries and needs no token. A file that ends in .tlog-proof is checked by itself: its entry is in the log,
    and the texts in the file .texts.ndjson of the same name give the hashes in the entry.
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
    """Print an entry with the proof that it is in the log, as a C2SP tlog-proof. `yesser audit check` verifies it.

    The texts of the entry go to the file .texts.ndjson of the same name, or with --json into the document.
    """
    (proof, texts), checkpoint = asyncio.run(_proven(log, index))
    if file is not None:
        write_proof(file, proof, texts)
    document: dict[str, object] = {
        "index": index,
        "size": checkpoint.size,
        "root": checkpoint.root.hex(),
        "proof": proof.text(),
    }
    if texts:
        document["texts"] = texts
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


async def _proven(log: AuditSource, index: int) -> tuple[ProvenEntry, Checkpoint]:
    async with log.accepting() as (port, checkpoint):
        if index >= checkpoint.size:
            raise click.UsageError(f"The newest checkpoint has {checkpoint.size} entries: there is no entry {index}.")
        return await proof_of(port, checkpoint, index), checkpoint


class ProvenEntry(NamedTuple):
    """The proof of an entry, and its texts, as far as the source has them."""

    proof: ProofFile
    texts: list[BundleText]


def write_proof(file: Path, proof: ProofFile, texts: list[BundleText]) -> None:
    """Write a proof, and the texts beside it, where the entry has some."""
    file.write_text(proof.text(), encoding="utf-8")
    if texts:
        file.with_suffix(TEXTS_SUFFIX).write_bytes(text_lines(texts))


async def proof_of(port: LogPort, checkpoint: Checkpoint, index: int) -> ProvenEntry:
    """The proof of an entry under a checkpoint, verified. Raises `WrongTree`, `InvalidProof` or `WrongText`."""
    log = AuthenticatedLog(port, checkpoint)
    (entry,) = await log.entries(index, 1)
    path = await inclusion_proof(log, index, checkpoint.size)
    proof = ProofFile(index, entry, path, checkpoint.note)
    proof.verified((await port.keys()).signer(checkpoint))
    return ProvenEntry(proof, await EntryTexts(port).of(index, entry))


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
            # Without a token a server gives no texts; those of the earlier export go on.
            texts = None if again is None or log.reads_texts else earlier_texts(again)
            signer = (await port.keys()).signer(checkpoint)
            report = await export(port, checkpoint, signer, entries, folder, form, texts)
        if again is not None and (again / STATEMENT).exists():
            shutil.copyfile(again / STATEMENT, folder / STATEMENT)
        return report


async def _entries_again(folder: Path) -> AsyncIterator[tuple[int, bytes]]:
    for row in unproven_entries(folder):
        yield row


def _check_proof(file: Path, log: AuditSource, as_json: bool) -> None:
    """Raises `InvalidProof` and `WrongText`, which name the file."""
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
    document: dict[str, object] = {
        "index": proof.index,
        "size": checkpoint.size,
        "root": checkpoint.root.hex(),
        "ok": True,
    }
    texts = _texts_beside(file, proof)
    if texts is not None:
        document["texts"] = texts
    print_confirmation(document, as_json, sentence)
    if texts is not None and not as_json:
        print_localized(texts.sentence)


def _texts_beside(file: Path, proof: ProofFile) -> TextsReport | None:
    """The texts of the proven entry in the file beside its proof; None where it has none. Raises `WrongText`."""
    if not has_texts(proof.entry):
        return None
    beside = file.with_suffix(TEXTS_SUFFIX)
    try:
        texts = parse_texts(beside.read_bytes()) if beside.exists() else []
    except (MsgspecError, UnicodeDecodeError) as error:
        raise WrongText(f"{beside}: {error}. {WrongText.__doc__}") from error
    found, lacking = match_texts(proof.index, [proof.entry], texts, str(beside))
    withheld = sum(text.salt is UNSET for text in found)
    return TextsReport(len(found) - withheld, withheld, len(lacking), [])


@click.command("replay")
@source_options(required=False)
@selection_options
@click.option("--stdout", "to_stdout", is_flag=True, help="Print the entries, one JSON object a line.")
@click.option("--into", type=click.Path(file_okay=False, path_type=Path), help="Write read models to this folder.")
@click.option("--format", "form", type=click.Choice(["sqlite", "parquet"]), default="sqlite", show_default=True)
@json_option
def replay_command(
    log: AuditSource, selection: Selection, to_stdout: bool, into: Path | None, form: ModelFormat, as_json: bool
) -> None:
    """Replay a log from an address, a mirror, an export or, without URL-OR-FOLDER, the database, once it is
    proven to be what was signed.

    --stdout prints entries with their index, leaf hash and texts. --into computes the read models by the same folds as
    the live tables, and compares each one with the hash that the log commits to: one SQLite file for each consumer, or
    with --format parquet one Parquet file for each read model; `text` has the texts of entries. An export must hold all
    entries of its log for that.

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
        checkpoint = asyncio.run(proven_copy(log, source)) if copied else asyncio.run(proven(log))[0]
    end = asyncio.run(_end(log, selection, checkpoint, export))
    _report(replay_into(source, checkpoint, into, end, form), end, checkpoint, as_json)


async def _print_entries(log: AuditSource, selection: Selection, export: Export | None) -> None:
    """Print entries, each after it was proven."""
    if export is not None:
        end, texts = selection.end_of(export.size), earlier_texts(export.folder)
        for index, raw in export.entries():
            if selection.first <= index < end and selection.has(parse_entry(index, raw)):
                click.echo(_line(index, raw, await texts(index, raw)))
        return
    async with log.accepting() as (port, checkpoint):
        proven = AuthenticatedLog(port, checkpoint)
        end, texts = await selection.end_in(proven), EntryTexts(port).of
        async for index, raw in selected_entries(proven, selection.first, end, selection.has):
            click.echo(_line(index, raw, await texts(index, raw)))


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


async def proven(log: AuditSource) -> tuple[Checkpoint, TextsReport | None]:
    """Prove every entry of a log, and compare the texts beside them; None where it has none."""
    async with log.accepting() as (port, checkpoint):
        watched = WatchedLog(port)
        with progress_bar("verify", checkpoint.size) as update:
            await require_tree(watched, checkpoint.size, checkpoint.root, update.to)
        return checkpoint, await watched.report()


async def proven_copy(log: AuditSource, folder: Path) -> Checkpoint:
    """Prove every entry of a log while it is copied."""
    async with log.accepting() as (port, checkpoint):
        with progress_bar("mirror", checkpoint.size) as update:
            await write_mirror(port, folder, log.verifier, update.to, checkpoint)
        return checkpoint


def _line(index: int, raw: bytes, texts: list[BundleText]) -> bytes:
    """One line. Line breaks between the members of an event, which its sender may write, become spaces."""
    entry = raw.replace(b"\r", b" ").replace(b"\n", b" ")
    rest = b',"texts":%b' % to_json(texts) if texts else b""
    return b'{"index":%d,"leaf":"%b","entry":%b%b}' % (index, leaf_hash(raw).hex().encode(), entry, rest)


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
    committed = sum(model.committed is not None for model in models)
    sentence = Bilingual("تطابق {} من {} البصمةَ المنشورة في السجل.", "{} of {} are what the log commits to.")
    print_localized(sentence.format(committed - wrong, committed) if committed else NO_COMMITMENT)
