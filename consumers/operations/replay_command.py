"""`yesser audit replay`: a proven log's entries, or its read models computed again without the operator's database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import click

from consumers.audit.authenticated import AuthenticatedLog
from consumers.audit.kept import KeptCheckpoint, state_folder
from consumers.audit.layout import TILE
from consumers.audit.mirror import write_mirror
from consumers.audit.port import LogPort, MirrorPort
from consumers.audit.source import is_address
from consumers.audit.tree import require_tree
from consumers.offline.replay import Replayed, replay_into
from consumers.operations.outside_commands import (
    continued,
    opened,
    state_option,
    token_of,
    token_option,
    verifier_of,
    vkey_option,
)
from events.wire.entry import Entry, parse_entry
from infra.command_line.display import Column, Grid, show
from infra.command_line.exit_codes import ExitCode
from infra.command_line.language import localized, print_localized
from infra.command_line.output import json_option, print_result
from infra.command_line.progress_bar import progress_bar
from infra.log.merkle import leaf_hash
from infra.log.signed_note import Checkpoint, Verifier

BUNDLES_AT_ONCE: Final = 32
MIRROR: Final = "log"
"""The folder of the mirror beside the read models."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Which entries are printed; None selects all."""

    agency: str | None = None
    type: str | None = None
    subject: str | None = None

    def has(self, entry: Entry) -> bool:
        """An agency's entries are those from its topic, refusals included."""
        return (
            (self.agency is None or entry.address.startswith(f"agency.{self.agency}.events/"))
            and (self.type is None or self.type in (entry.type, entry.full_type))
            and (self.subject is None or self.subject == entry.subject)
        )


@click.command("replay")
@click.argument("source", metavar="URL-OR-FOLDER", required=False)
@click.option("--from", "first", type=click.IntRange(min=0), default=0, show_default=True, help="First index.")
@click.option(
    "--to", "end", type=click.IntRange(min=0), help="End before this index; by default at the end of the log."
)
@click.option("--agency", help="Only entries from this agency's topic.")
@click.option("--type", "type_", help="Only events of this type.")
@click.option("--subject", help="Only events with this subject.")
@click.option("--stdout", "to_stdout", is_flag=True, help="Print the entries, one JSON object a line.")
@click.option("--into", type=click.Path(file_okay=False, path_type=Path), help="Write read models to this folder.")
@vkey_option
@token_option
@state_option
@json_option
def replay_command(
    source: str | None,
    first: int,
    end: int | None,
    agency: str | None,
    type_: str | None,
    subject: str | None,
    to_stdout: bool,
    into: Path | None,
    vkey: str | None,
    token_file: Path | None,
    state: Path | None,
    as_json: bool,
) -> None:
    """Replay a log from an address, a mirror or, without SOURCE, the database, once it is proven to be what was signed.

    --stdout prints entries with their index and leaf hash. --into writes one SQLite file for each consumer, computed by
    the same folds as the live tables, and compares each table with the hash that the log commits to.

    Exit code 76: the log is not what was signed. Exit code 1: a read model differs from its commitment.
    """
    if to_stdout == (into is not None):
        raise click.UsageError("Choose one of --stdout and --into.")
    selection = Selection(agency, type_, subject)
    if into is not None and (first or selection != Selection()):
        raise click.UsageError("--into needs the whole log: leave out --from, --agency, --type and --subject.")
    verifier = verifier_of(source or "", vkey)
    kept = None if source is None else KeptCheckpoint(state or state_folder(), verifier)
    replay = _Replay(source, verifier, token_of(token_file), kept)
    if into is None:
        asyncio.run(replay.print_entries(first, end, selection))
    else:
        checkpoint = asyncio.run(replay.proven_mirror(into / MIRROR))
        found = replay_into(replay.mirror(into / MIRROR), into, _end(end, checkpoint))
        _report(found, _end(end, checkpoint), checkpoint, as_json)


@dataclass(frozen=True, slots=True)
class _Replay:
    """Where the log is, and what it must continue."""

    source: str | None
    verifier: Verifier
    token: str | None
    kept: KeptCheckpoint | None

    def mirror(self, folder: Path) -> Path:
        """The folder that is replayed: the source itself, if it is one."""
        return folder if self.source is None or is_address(self.source) else Path(self.source)

    async def proven_mirror(self, folder: Path) -> Checkpoint:
        """Bring the log to the folder, if it is not one, and prove every entry."""
        async with self._opened() as port:
            checkpoint = await self._continued(port)
            if self.mirror(folder) == folder:
                with progress_bar("mirror") as update:
                    await write_mirror(
                        port, folder, self.verifier, lambda done, total: update(completed=done, total=total)
                    )
                checkpoint = await MirrorPort(folder, self.verifier).checkpoint()
            else:
                with progress_bar("verify", checkpoint.size) as update:
                    await require_tree(port, checkpoint.size, checkpoint.root, lambda done, _: update(completed=done))
        self._keep(checkpoint)
        return checkpoint

    async def print_entries(self, first: int, end: int | None, selection: Selection) -> None:
        """Print entries, each after it was proven."""
        async with self._opened() as port:
            checkpoint = await self._continued(port)
            log = AuthenticatedLog(port, checkpoint)
            async for index, raw in _entries(log, first, _end(end, checkpoint)):
                if selection.has(parse_entry(index, raw)):
                    click.echo(_line(index, raw))
        self._keep(checkpoint)

    def _opened(self) -> AbstractAsyncContextManager[LogPort]:
        return opened(self.source, self.verifier, self.token)

    async def _continued(self, port: LogPort) -> Checkpoint:
        return await port.checkpoint() if self.kept is None else (await continued(port, self.kept))[1]

    def _keep(self, checkpoint: Checkpoint) -> None:
        if self.kept is not None:
            self.kept.write(checkpoint)


async def _entries(log: AuthenticatedLog, first: int, end: int) -> AsyncIterator[tuple[int, bytes]]:
    while first < end:
        stop = min(end, (first // TILE + BUNDLES_AT_ONCE) * TILE)
        for index, raw in enumerate(await log.entries(first, stop - first), first):
            yield index, raw
        first = stop


def _end(asked: int | None, checkpoint: Checkpoint) -> int:
    if asked is not None and asked > checkpoint.size:
        raise click.UsageError(f"The newest checkpoint has {checkpoint.size} entries: --to {asked} is beyond it.")
    return checkpoint.size if asked is None else asked


def _line(index: int, raw: bytes) -> bytes:
    """One line. Line breaks between the members of an event, which its sender may write, become spaces."""
    entry = raw.replace(b"\r", b" ").replace(b"\n", b" ")
    return b'{"index":%d,"leaf":"%b","entry":%b}' % (index, leaf_hash(raw).hex().encode(), entry)


def _report(found: list[Replayed], end: int, checkpoint: Checkpoint, as_json: bool) -> None:
    ok = all(row.ok for row in found)
    document = {
        "log_index": end,
        "size": checkpoint.size,
        "root": checkpoint.root.hex(),
        "read_models": [_document(row) for row in found],
        "ok": ok,
    }
    print_result(document, as_json, lambda: _show(found, end), indented=True)
    if not ok:
        raise SystemExit(ExitCode.ANSWER_IS_NO)


def _document(row: Replayed) -> dict[str, Any]:
    committed = None
    if row.claim is not None:
        committed = {"log_index": row.claim.log_index, "sha256": row.claim.sha256, "ok": row.ok}
    return {"name": row.name, "rows": row.rows, "sha256": row.sha256, "committed": committed}


def _show(found: list[Replayed], end: int) -> None:
    columns = [
        Column("نموذج القراءة", "Read model"),
        Column("الصفوف", "Rows", right=True),
        Column("البصمة", "Hash"),
        Column("تعهّد السجل", "Committed in the log"),
    ]
    rows = [[row.name, f"{row.rows:,}", f"{row.sha256[:16]}…", _committed(row)] for row in found]
    show(Grid(localized(f"بعد {end:,} قيد", f"After {end:,} entries"), columns, rows))
    wrong = sum(not row.ok for row in found)
    if wrong:
        print_localized(f"{wrong} لا تطابق ما تعهّد به السجل.", f"{wrong} differ from what the log commits to.")


def _committed(row: Replayed) -> str:
    if row.claim is None:
        return localized("لا يوجد", "none", "\n")
    at = f"{row.claim.log_index:,}"
    return localized(f"مطابق عند {at}", f"equal at {at}", "\n") if row.ok else localized("مختلف", "differs", "\n")
