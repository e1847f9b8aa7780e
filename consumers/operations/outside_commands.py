"""`yesser audit check | prove`: what an auditor needs of a log that is elsewhere, without a database or a setting."""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Final

import click

from consumers.audit.kept import KeptCheckpoint, require_continuation, state_folder
from consumers.audit.port import LogPort, read_verifier
from consumers.audit.source import is_address, open_source
from infra.command_line.output import json_option, print_confirmation, print_result
from infra.log.proof_file import ProofFile, parse_proof_file
from infra.log.proofs import inclusion_proof
from infra.log.signed_note import Checkpoint, Verifier
from infra.settings import Settings

PROOF_SUFFIX: Final = ".tlog-proof"
source_argument: Final = click.argument("source", metavar="URL-OR-FOLDER")
vkey_option: Final = click.option(
    "--vkey", help="The log's verifier key. Get it from the log's operator, not from the server that you check."
)
token_option: Final = click.option(
    "--token-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="File with a token that may read entries (scope log:read).",
)
state_option: Final = click.option(
    "--state",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of the checkpoints that you accepted; by default in your state folder.",
)


@click.command("check")
@click.argument("source", metavar="URL-OR-FOLDER-OR-PROOF")
@vkey_option
@state_option
@json_option
def check_command(source: str, vkey: str | None, state: Path | None, as_json: bool) -> None:
    """Check the newest checkpoint of a log: its signature, and that it continues the last one that you accepted.

    Reads no entries and needs no token. A file that ends in .tlog-proof is checked by itself: its entry is in the log.
    Exit code 76: the signature is wrong, the log does not continue, or the proof does not hold.
    """
    verifier = verifier_of(source, vkey)
    if source.endswith(PROOF_SUFFIX):
        _check_proof(Path(source), verifier, as_json)
        return
    kept = KeptCheckpoint(state or state_folder(), verifier)
    old, new = asyncio.run(_checked(source, verifier, kept))
    known = 0 if old is None else old.size
    print_confirmation(
        {"size": new.size, "root": new.root.hex(), "previous_size": known, "ok": True},
        as_json,
        f"السجل موقَّع وفيه {new.size:,} قيد، ويكمل ما قبلته سابقًا ({known:,} قيد).",
        f"The log is signed at {new.size:,} entries and continues what you accepted before ({known:,} entries).",
    )


@click.command("prove")
@source_argument
@click.argument("index", type=click.IntRange(min=0))
@vkey_option
@token_option
@click.option("--into", "file", type=click.Path(dir_okay=False, path_type=Path), help="Write the proof to this file.")
@json_option
def prove_command(
    source: str, index: int, vkey: str | None, token_file: Path | None, file: Path | None, as_json: bool
) -> None:
    """Print an entry with the proof that it is in the log, as a C2SP tlog-proof. `yesser audit check` verifies it."""
    verifier = verifier_of(source, vkey)
    proof, checkpoint = asyncio.run(_proven(source, verifier, token_of(token_file), index))
    if file is not None:
        file.write_text(proof.text(), encoding="utf-8")
    document = {"index": index, "size": checkpoint.size, "root": checkpoint.root.hex(), "proof": proof.text()}
    print_result(document, as_json, lambda: click.echo(file if file is not None else proof.text(), nl=file is not None))


def verifier_of(source: str, vkey: str | None) -> Verifier:
    """The verifier key given. For a folder or a file, by default the one beside the log's key on this machine."""
    if vkey is None and is_address(source):
        raise click.UsageError("Give the log's verifier key with --vkey: a server cannot vouch for itself.")
    return read_verifier(Settings(), vkey)


def token_of(file: Path | None) -> str | None:
    return None if file is None else file.read_text(encoding="ascii").strip()


def opened(source: str | None, verifier: Verifier, token: str | None = None) -> AbstractAsyncContextManager[LogPort]:
    """The log at a source; without one, in the platform's database."""
    if source is not None:
        return open_source(source, verifier, token)
    from consumers.operations.database_log import database_log  # imported here: an auditor has no database

    return database_log(Settings(), verifier)


async def continued(port: LogPort, kept: KeptCheckpoint) -> tuple[Checkpoint | None, Checkpoint]:
    """The kept checkpoint, and the newest one, which continues it. Raises `ForkedLog`."""
    old, new = kept.read(), await port.checkpoint()
    if old is not None:
        await require_continuation(port, old, new, str(kept.path))
    return old, new


async def _checked(source: str, verifier: Verifier, kept: KeptCheckpoint) -> tuple[Checkpoint | None, Checkpoint]:
    async with open_source(source, verifier) as port:
        old, new = await continued(port, kept)
    kept.write(new)
    return old, new


async def _proven(source: str, verifier: Verifier, token: str | None, index: int) -> tuple[ProofFile, Checkpoint]:
    async with open_source(source, verifier, token) as port:
        checkpoint = await port.checkpoint()
        if index >= checkpoint.size:
            raise click.UsageError(f"The newest checkpoint has {checkpoint.size} entries: there is no entry {index}.")
        (entry,) = await port.entries(index, 1)
        path = await inclusion_proof(port, index, checkpoint.size)
    proof = ProofFile(index, entry, path, checkpoint.note)
    return proof, proof.verified(verifier)


def _check_proof(file: Path, verifier: Verifier, as_json: bool) -> None:
    proof = parse_proof_file(file.read_text(encoding="utf-8"))
    checkpoint = proof.verified(verifier)
    print_confirmation(
        {"index": proof.index, "size": checkpoint.size, "root": checkpoint.root.hex(), "ok": True},
        as_json,
        f"القيد {proof.index} في السجل، بتوقيع على {checkpoint.size:,} قيد.",
        f"Entry {proof.index} is in the log, as signed at {checkpoint.size:,} entries.",
    )
