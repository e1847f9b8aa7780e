"""A statement that proves itself: the entries of its partnership with their proof, which anyone can fold again.

Flows in: the ledger and the log. Flows out: a folder of `consumers.audit.export` with `statement.json`. Verifying needs
that folder alone; with a log it also shows that no entry of the partnership was left out.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from hashlib import file_digest, sha256
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final

import orjson

from consumers.audit import verify
from consumers.audit.authenticated import AuthenticatedLog
from consumers.audit.export import ExportReport, export, selected_entries
from consumers.audit.kept import require_continuation
from consumers.audit.layout import CHECKPOINT
from consumers.audit.port import read_verifier
from consumers.event_index.consumer import CONSUMER as EVENT_INDEX
from consumers.event_index.read import PAGE_ROWS_MAX, Query, find
from consumers.ledger.folded import folded
from consumers.operations.audit_options import AuditSource
from consumers.operations.database_log import database_log
from consumers.revenue import read
from consumers.revenue.consumer import CONSUMER as REVENUE
from consumers.revenue.rows import STATEMENT, TRANSFER
from events.errors import Retry, Tampered, YesserError
from events.wire.entry import Entry, parse_entry
from infra.log.bundle import by_bundle
from infra.log.reader import log_size, read_checked
from infra.log.signed_note import Verifier, parse_checkpoint
from infra.postgres.connection import Connection, connected
from infra.settings import Settings

STATEMENT_FILE: Final = "statement.json"
LINES: Final = "entries.ndjson"
TABLE: Final = "entries.parquet"
MANY_ENTRIES_BYTES: Final = 8 << 20


class NotProven(Tampered):
    """The statement does not follow from its entries: do not rely on it, and ask its sender for the log's address."""


class NotSignedYet(Retry):
    """The closing entry is not under a signed checkpoint yet, or not in the event index: try again in a second."""


@dataclass(frozen=True, slots=True)
class StatementProof:
    """A verified statement. `is_complete`: a log was read, and it has no further entry of the partnership."""

    partnership_id: str
    period: str
    entries_count: int
    size: int
    root: str
    is_complete: bool

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return {**asdict(self), "ok": True}


async def prove_statement(settings: Settings, partnership_id: str, period: str, folder: Path) -> ExportReport:
    """Write the folder. Raises `NoStatement`, `NotSignedYet`, `ExportExists`."""
    verifier = read_verifier(settings, None)
    async with connected(settings.acting_as("reader"), "statement proof", batch=True) as connection:
        await connection.execute(f"SET search_path = {REVENUE.schema}")
        statement = await read.statement(connection, partnership_id, period)
        closing = statement["closing_index"]
        await connection.execute(f"SET search_path = {EVENT_INDEX.schema}")
        indexes = await indexes_of(connection, f"partnership/{partnership_id}", closing)
    async with database_log(settings, verifier) as port:
        checkpoint = await port.checkpoint()
        if checkpoint.size <= closing or not indexes or indexes[-1] != closing:
            raise NotSignedYet(NotSignedYet.__doc__)
        entries = _at(AuthenticatedLog(port, checkpoint), indexes)
        report = await export(port, checkpoint, verifier, entries, folder)
    (folder / STATEMENT_FILE).write_text(verify.as_json(statement) + "\n", encoding="utf-8")
    return report


async def entries_of(settings: Settings, subject: str) -> list[tuple[int, bytes]]:
    """The entries of a subject, as the database has them."""
    async with connected(settings.acting_as("reader"), "entries", batch=True) as connection:
        size = await log_size(connection)
        await connection.execute(f"SET search_path = {EVENT_INDEX.schema}")
        indexes = await indexes_of(connection, subject, size)
        found: list[tuple[int, bytes]] = []
        for own in by_bundle(indexes):
            entries = await read_checked(connection, own[0], own[-1] + 1 - own[0])
            found += [(index, entries[index - own[0]]) for index in own]
    return found


async def verify_statement(folder: Path, verifier: Verifier, against: AuditSource | None = None) -> StatementProof:
    """Raises `NotProven`, `ForkedLog`, and `WrongTree` for a log that is not what was signed."""
    try:
        with _verifying(folder, verifier.vkey) as verified:
            entries, file_sha256 = _read(folder)
            computed = _statements(entries)
            size, root, count, verified_sha256 = verified()
        if file_sha256 != verified_sha256:
            raise NotProven(f"{folder} was changed while it was read. {NotProven.__doc__}")
        stated = json.loads((folder / STATEMENT_FILE).read_bytes())
        subject, period = f"partnership/{stated['partnership_id']}", stated["period"]
        closing = int(stated["closing_index"])
    except (verify.Changed, verify.UsageError, OSError, ValueError, KeyError, TypeError) as error:
        raise NotProven(f"{folder}: {error}. {NotProven.__doc__}") from error
    if stranger := next((e for e in entries if e.subject != subject or e.index > closing), None):
        raise NotProven(f"entry {stranger.index} is not one of {subject} up to {closing}. {NotProven.__doc__}")
    if (own := computed.get(period)) != stated:
        raise NotProven(f"{STATEMENT_FILE}: {_difference(stated, own)}. {NotProven.__doc__}")
    if against is not None:
        await _require_complete(folder, verifier, against, subject, {entry.index for entry in entries}, closing)
    return StatementProof(stated["partnership_id"], period, count, size, root, against is not None)


Verified = tuple[int, str, int, str]
"""Size and root that were signed, the number of entries, the hash of the file that holds them."""


@contextmanager
def _verifying(folder: Path, vkey: str) -> Iterator[Callable[[], Verified]]:
    """Verify signature and entries, in a process of its own where there are many: folding them takes as long.

    Gives a function that waits for the result, or raises what was found.
    """
    if _entries_file(folder).stat().st_size < MANY_ENTRIES_BYTES:
        result = _verified(folder, vkey)
        yield lambda: result
        return
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        future = pool.submit(_verified, folder, vkey)
        try:
            yield future.result
        except (YesserError, ValueError, KeyError, TypeError):
            future.result()  # says what is wrong, and where
            raise


def _verified(folder: Path, vkey: str) -> Verified:
    size, root, count = verify.verify(folder, vkey)
    with _entries_file(folder).open("rb") as file:
        return size, root, count, file_digest(file, "sha256").hexdigest()


def _entries_file(folder: Path) -> Path:
    table = folder / TABLE
    return table if table.exists() else folder / LINES


def _read(folder: Path) -> tuple[list[Entry], str]:
    """The entries, and the hash of their file. They are verified elsewhere."""
    path = _entries_file(folder)
    content = path.read_bytes()
    if path.name == LINES:
        rows = map(orjson.loads, content.splitlines())
        entries = [parse_entry(row["index"], row["entry"].encode()) for row in rows]
    else:
        entries = [parse_entry(index, raw) for index, raw in verify.read_entries(folder)]
    return entries, sha256(content).hexdigest()


def _statements(entries: Sequence[Entry]) -> dict[str, dict[str, Any]]:
    """The statements that the fold of the ledger gives, by period. Transfers follow from them and are not kept."""
    with folded(entries, without=[TRANSFER]) as store:
        return {row.period: asdict(row) for row in store.rows(STATEMENT)}


def _difference(stated: dict[str, Any], computed: dict[str, Any] | None) -> str:
    if computed is None:
        return f"the entries close no period {stated['period']}"
    name = next((name for name in {**computed, **stated} if stated.get(name) != computed.get(name)), "")
    return f"{name} is {stated.get(name)}, but the entries give {computed.get(name)}"


async def _require_complete(
    folder: Path, verifier: Verifier, against: AuditSource, subject: str, indexes: set[int], closing: int
) -> None:
    """Raise `NotProven` if the log has an entry of the subject, up to the close, that the folder has not."""
    own = parse_checkpoint((folder / CHECKPOINT).read_text(encoding="utf-8"), verifier)
    async with against.opened() as port:
        _, checkpoint = await against.continued(port)
        older, newer = sorted((own, checkpoint), key=lambda found: found.size)
        if newer is checkpoint:
            await require_continuation(port, older, newer, str(folder))
        elif checkpoint.size <= closing:
            raise NotProven(f"that log ends at {checkpoint.size}, before the closing entry {closing}")
        log = AuthenticatedLog(port, checkpoint)
        async for index, _ in selected_entries(log, 0, closing + 1, lambda entry: entry.subject == subject):
            if index not in indexes:
                raise NotProven(f"entry {index} of {subject} was left out. {NotProven.__doc__}")
    against.keep(checkpoint)


async def indexes_of(connection: Connection, subject: str, closing: int) -> list[int]:
    """The indexes of a subject's entries up to the closing one. `search_path` selects the event index."""
    found: list[int] = []
    after: int | None = -1
    while after is not None:
        page = await find(
            connection, Query(subject=subject, after_index=after, rows_max=PAGE_ROWS_MAX, below_index=closing + 1)
        )
        found += [event["index"] for event in page.events]
        after = page.next_cursor
    return found


async def _at(log: AuthenticatedLog, indexes: Sequence[int]) -> AsyncIterator[tuple[int, bytes]]:
    """The entries at these ascending indexes; each bundle is read once."""
    for own in by_bundle(indexes):
        first = own[0]
        entries = await log.entries(first, own[-1] + 1 - first)
        for index in own:
            yield index, entries[index - first]
