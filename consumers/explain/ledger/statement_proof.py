"""A statement that proves itself: the entries of its partnership with their proof, which anyone can fold again.

Flows in: a folder of `proof.audit.export` with `statement.json`, as `proving` writes it. Flows out: the verified
statement. That needs the folder alone; with a log it also shows that no entry of the partnership was left out.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from hashlib import sha256
from itertools import islice
from pathlib import Path, PurePosixPath
from shutil import copyfileobj
from tempfile import TemporaryDirectory
from typing import Any, Final, Literal
from zipfile import BadZipFile, ZipFile

import msgspec
import orjson

from consumers.explain.ledger.what_if import BATCH_ENTRIES
from consumers.proof.audit import verify
from consumers.proof.audit.authenticated import AuthenticatedLog
from consumers.proof.audit.export import selected_entries
from consumers.proof.audit.pinned_checkpoint import require_continuation
from consumers.proof.audit.source import export_checkpoint, export_keys
from consumers.proof.commands.audit_options import AuditSource
from consumers.replay.fold.memory import WholeTables
from consumers.revenue.consumer import CONSUMER as REVENUE
from consumers.revenue.handlers.closing import SettlementDiffers
from consumers.revenue.rows import STATEMENT, TRANSFER
from events.errors import Tampered, YesserError
from events.wire.entry import Entry, parse_entry
from infra.log.layout import CHECKPOINT, KEY_HISTORY
from infra.log.signed_note import Checkpoint, OtherKey, Verifier
from infra.witnesses.policy import NONE, Policy

UNPACKED_BYTES_MAX: Final = 4 << 30
_FILES: Final = frozenset(
    {verify.STATEMENT, CHECKPOINT, KEY_HISTORY, "proof.json", verify.LINES, verify.TABLE, verify.TEXTS}
)
_BAD_ZIP: Final = (BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError)
Stated = dict[str, Any]
"""A statement as JSON, which anybody may have written."""
_UNREADABLE: Final = (
    verify.Changed, verify.UsageError, msgspec.MsgspecError, ValueError, KeyError, TypeError, OverflowError,
    RecursionError,
)  # fmt: skip


class NotAStatement(YesserError):
    """It holds no statement: give a folder of `yesser ledger prove-statement`, or the ZIP of a statement's page."""


class NotProven(Tampered):
    """The statement does not follow from its entries: do not rely on it, and ask its sender for the log's address."""


@dataclass(frozen=True, slots=True)
class StatementProof:
    """A verified statement, as JSON. `is_complete`: a log was read, and it has no further entry of the partnership.
    `is_cosigned`: a policy asks for cosignatures, and its checkpoint has them."""

    partnership_id: str
    period: str
    entries_count: int
    size: int
    root: str
    is_complete: bool
    is_cosigned: bool
    ok: Literal[True] = True


@contextmanager
def unpacked(path: Path, bytes_max: int = UNPACKED_BYTES_MAX) -> Iterator[Path]:
    """The folder itself, or for the block that of a ZIP, which anybody may have made. Raises `NotAStatement`."""
    if path.is_dir():
        yield path
        return
    with TemporaryDirectory() as folder:
        try:
            _unpack(path, Path(folder), bytes_max)
        except _BAD_ZIP as error:
            raise NotAStatement(f"{path} cannot be read: {error}. {NotAStatement.__doc__}") from error
        yield Path(folder)


def _unpack(path: Path, folder: Path, bytes_max: int) -> None:
    """Only the files that are looked at, each once, and so many bytes in all."""
    with ZipFile(path) as packed:
        for member in packed.infolist():
            target = folder / PurePosixPath(member.filename).name
            if target.name not in _FILES or target.exists():
                continue
            bytes_max -= member.file_size
            if bytes_max < 0:
                raise ValueError("it has too many bytes")
            with packed.open(member) as source, target.open("wb") as file:
                copyfileobj(source, file)


async def verify_statement(
    folder: Path,
    verifier: Verifier,
    against: AuditSource | None = None,
    policy: Policy | None = None,
    *,
    given: Path | None = None,
) -> StatementProof:
    """`given`: the ZIP that the folder was unpacked from, which messages name.

    Raises `NotAStatement`, `NotProven`, `OtherKey`, `NotWitnessed`, `ForkedLog`, and `WrongTree` for a log that is
    not what was signed."""
    shown = given or folder
    if not any((folder / name).exists() for name in (verify.STATEMENT, "proof.json")):
        raise NotAStatement(f"{shown}: {NotAStatement.__doc__}")
    try:
        text = verify.read_text(folder / verify.STATEMENT)
        stated = json.loads(text)
        partnership_id, period = stated["partnership_id"], stated["period"]
        entries = _Folded(f"partnership/{partnership_id}", int(stated["closing_index"]))
        size, root, count = verify.verify(folder, verifier.vkey, entries.read)
        own = export_checkpoint(folder, export_keys(folder, verifier))
        statements = entries.ledger().rows(STATEMENT)
    except verify.OtherKey as error:
        unpack = "" if shown == folder else " FOLDER is that of the unpacked ZIP."
        raise OtherKey(f"{shown}: {error}.{unpack}") from error
    except SettlementDiffers as error:
        what, _, _ = str(error).partition(":")  # what follows is for the operator of a ledger
        raise NotProven(f"{shown}: {what}: an earlier entry was left out. {NotProven.__doc__}") from error
    except _UNREADABLE as error:
        raise NotProven(f"{shown}: {error}. {NotProven.__doc__}") from error
    if (own.size, own.root.hex()) != (size, root):
        raise NotProven(f"{shown} was changed while it was read. {NotProven.__doc__}")
    computed = next((asdict(row) for row in statements if row.period == period), None)
    if computed != stated:
        raise NotProven(f"{verify.STATEMENT}: {_difference(stated, computed)}. {NotProven.__doc__}")
    if text != verify.as_json(computed) + "\n":
        raise NotProven(f"{verify.STATEMENT} is not written as it was exported. {NotProven.__doc__}")
    is_cosigned = policy is not None and policy.quorum != NONE
    if policy is not None:
        policy.require(own)
    if against is not None:
        await _require_complete(str(shown), own, against, entries)
    return StatementProof(partnership_id, period, count, size, root, against is not None, is_cosigned)


class _Folded:
    """The entries of a folder, folded while they are read to be verified, so that both see the same bytes. Each must be
    one of the subject up to the closing one. `hashes`: by index."""

    def __init__(self, subject: str, closing: int) -> None:
        self.subject = subject
        self.closing = closing
        self.hashes: dict[int, bytes] = {}
        self._ledger = WholeTables(REVENUE.tables, [TRANSFER])
        self._failed: Exception | None = None

    def read(self, folder: Path) -> Iterator[tuple[int, bytes]]:
        rows = _quickly_read(folder)
        while batch := list(islice(rows, BATCH_ENTRIES)):
            try:
                if self._failed is None:
                    REVENUE.fold(self._ledger, [self._entry(index, raw) for index, raw in batch])
            except Exception as error:  # whatever a fold meets in entries that no registrar accepted
                self._failed = error
            yield from batch

    def ledger(self) -> WholeTables:
        """Once the entries are verified. Raises what the fold raised."""
        if self._failed is not None:
            raise self._failed
        return self._ledger

    def _entry(self, index: int, raw: bytes) -> Entry:
        entry = parse_entry(index, raw)
        if entry.subject != self.subject or index > self.closing:
            raise NotProven(f"entry {index} is not one of {self.subject} up to {self.closing}. {NotProven.__doc__}")
        self.hashes[index] = sha256(raw).digest()
        return entry


def _quickly_read(folder: Path) -> Iterator[tuple[int, bytes]]:
    """As `verify.read_entries`, which looks at each line that is not in the usual form."""
    path = folder / verify.LINES
    if verify.entries_file(folder) != path:
        yield from verify.read_entries(folder)
        return
    texts = verify.Texts(folder)
    with path.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            yield _usual_row(line) or verify.read_line(line, number, texts.put_into)
    texts.end()


def _usual_row(line: bytes) -> tuple[int, bytes] | None:
    """Index and entry of a line that is, byte for byte, what its entry says; None for one to look at closely, such as
    an entry with texts."""
    try:
        row = orjson.loads(line)
        index, entry = row["index"], row["entry"]
        document = orjson.loads(entry)
        event = document["event"]
        if type(index) is not int or "v" in document:
            return None
        said = {
            "index": index,
            "recordedtime": document["recordedtime"],
            "from": document["from"],
            **{name: event[name] for name in verify.COLUMNS[3:9]},
            "entry": entry,
        }
        return (index, entry.encode()) if orjson.dumps(said, option=orjson.OPT_APPEND_NEWLINE) == line else None
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def _difference(stated: Stated, computed: Stated | None) -> str:
    if computed is None:
        return f"the entries close no period {stated['period']}"
    name = next((name for name in {**computed, **stated} if stated.get(name) != computed.get(name)), "")
    return f"{name} is {stated.get(name)}, but the entries give {computed.get(name)}"


async def _require_complete(shown: str, own: Checkpoint, against: AuditSource, entries: _Folded) -> None:
    """Raise `NotProven` if the log has other entries of the subject, up to the close, than the folder.

    A log that is shorter than the one of the folder cannot be proven to be its beginning: its entries are compared.
    """
    subject, closing = entries.subject, entries.closing
    async with against.opened() as port:
        _, checkpoint = await against.continued(port)
        older, newer = sorted((own, checkpoint), key=lambda found: found.size)
        if newer is checkpoint:
            await require_continuation(port, older, newer, shown)
        elif checkpoint.size <= closing:
            raise NotProven(f"that log ends at {checkpoint.size}, before the closing entry {closing}")
        log = AuthenticatedLog(port, checkpoint)
        missing = dict(entries.hashes)
        async for index, raw in selected_entries(log, 0, closing + 1, lambda entry: entry.subject == subject):
            if index not in missing:
                raise NotProven(f"entry {index} of {subject} was left out. {NotProven.__doc__}")
            if missing.pop(index) != sha256(raw).digest():
                raise NotProven(f"entry {index} of {subject} is another one in that log. {NotProven.__doc__}")
        if missing:
            raise NotProven(f"entry {min(missing)} of {subject} is not in that log. {NotProven.__doc__}")
    against.keep(checkpoint)
