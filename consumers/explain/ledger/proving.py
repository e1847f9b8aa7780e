"""Writes a statement with the entries that prove it, from the database.

Flows in: the ledger, the index of events and the log. Flows out: a folder of `consumers.proof.audit.export` with
`statement.json`, which `statement_proof` verifies anywhere.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import ZIP_DEFLATED, ZipFile

from msgspec.structs import asdict

from consumers.explain.database import entries_in, indexes_in
from consumers.explain.figures import Scope
from consumers.proof.audit import verify
from consumers.proof.audit.authenticated import AuthenticatedLog
from consumers.proof.audit.export import BUNDLES_AT_ONCE, ExportReport, export
from consumers.proof.commands.database_log import database_log
from consumers.replay.as_of.view import view
from consumers.replay.event_index.consumer import CONSUMER as EVENT_INDEX
from consumers.revenue import read
from consumers.revenue.consumer import CONSUMER as REVENUE
from events.errors import Retry
from infra.log.bundle import by_bundle
from infra.log.reader import checkpoint_over, log_size
from infra.postgres.connection import connected
from infra.private_keys.key_files import read_verifier
from infra.settings import Settings


class NotSignedYet(Retry):
    """The closing entry is not under a signed checkpoint yet, or not in the event index: try again in a second."""


async def prove_statement(
    settings: Settings, partnership_id: str, period: str, folder: Path, *, is_for_partner: bool = False
) -> ExportReport:
    """Write the folder, under a checkpoint that enough witnesses cosigned, if there is such a one of the log's key.

    `is_for_partner`: without entries of agencies that do not own the partnership, none of which counts, and which may
    show another contract.

    Raises `NoStatement`, `NotSignedYet`, `ExportExists`.
    """
    verifier = read_verifier(settings, None)
    async with connected(settings.acting_as("reader"), "statement proof", batch=True) as connection:
        await connection.execute(f"SET search_path = {REVENUE.schema}")
        statement = await read.statement(connection, partnership_id, period)
        closing = statement.closing_index
        signed = await checkpoint_over(connection, closing, verifier)
        await connection.execute(f"SET search_path = {EVENT_INDEX.schema}")
        indexes = await indexes_in(connection, Scope(f"partnership/{partnership_id}"), -1, closing + 1)
        if is_for_partner:
            await connection.execute(f"SET search_path = {REVENUE.schema}")
            hidden = await read.strangers(connection, indexes)
            indexes = [index for index in indexes if index not in hidden]
    async with database_log(settings, verifier) as port:
        if signed is None or not indexes or indexes[-1] != closing:
            raise NotSignedYet(NotSignedYet.__doc__)
        checkpoint = (await port.keys()).parse_checkpoint(signed[1])
        entries = _at(AuthenticatedLog(port, checkpoint), indexes)
        report = await export(port, checkpoint, verifier, entries, folder)
    (folder / verify.STATEMENT).write_text(verify.as_json(asdict(statement)) + "\n", encoding="utf-8")
    return report


async def zipped_proof(settings: Settings, partnership_id: str, period: str, is_for_partner: bool) -> bytes | None:
    """The folder as a ZIP, in which it is named as the statement is; None for `NotSignedYet`. Raises `NoStatement`."""
    name = f"{partnership_id}-{period}"
    with TemporaryDirectory() as folder:
        try:
            await prove_statement(settings, partnership_id, period, Path(folder, name), is_for_partner=is_for_partner)
        except NotSignedYet:
            return None
        return _zipped(Path(folder, name))


def _zipped(folder: Path) -> bytes:
    file = BytesIO()
    with ZipFile(file, "w", ZIP_DEFLATED) as packed:
        for path in sorted(folder.iterdir()):
            packed.write(path, f"{folder.name}/{path.name}")
    return file.getvalue()


async def entries_of(settings: Settings, subject: str) -> list[tuple[int, bytes]]:
    """The entries of a subject, up to the end of the log."""
    async with view(settings, [EVENT_INDEX]) as shown:
        end = await log_size(shown.connection)
        return [raw async for raw in entries_in(shown, end, Scope(subject))]


async def _at(log: AuthenticatedLog, indexes: Sequence[int]) -> AsyncIterator[tuple[int, bytes]]:
    """The entries at these ascending indexes; each bundle is read once, neighbouring ones together."""
    for own in by_bundle(indexes, BUNDLES_AT_ONCE):
        first, entries = own[0], list[bytes]()
        for index in own:
            if index >= first + len(entries):
                first, entries = index, await log.entries(index, own[-1] + 1 - index)
            yield index, entries[index - first]
