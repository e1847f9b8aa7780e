"""A statement that proves itself: the entries of its partnership with their proof, which anyone can fold again.

Flows in: a folder of `proof.audit.export` with `statement.json`, as `proving` writes it. Flows out: the verified
statement. That needs the folder alone; with a log it also shows that no entry of the partnership was left out.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from hashlib import sha256
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final, Literal

import msgspec
import orjson

from consumers.explain.ledger.folded import folded
from consumers.proof.audit import verify
from consumers.proof.audit.authenticated import AuthenticatedLog
from consumers.proof.audit.export import selected_entries
from consumers.proof.audit.kept import require_continuation
from consumers.proof.audit.source import export_checkpoint, export_keys
from consumers.proof.commands.audit_options import AuditSource
from consumers.revenue.handlers.closing import SettlementDiffers
from consumers.revenue.rows import STATEMENT, TRANSFER
from events.errors import Tampered, YesserError
from events.wire.entry import Entry, parse_entry
from infra.log.signed_note import Checkpoint, OtherKey, Verifier
from infra.witnesses.policy import Policy

MANY_ENTRIES_BYTES: Final = 8 << 20
Stated = dict[str, Any]
"""A statement as JSON, which anybody may have written."""
_UNREADABLE: Final = (
    verify.Changed, verify.UsageError, msgspec.MsgspecError, ValueError, KeyError, TypeError, OverflowError,
    RecursionError,
)  # fmt: skip


class NotAStatement(YesserError):
    """The folder holds no statement: give one that `yesser ledger prove-statement` wrote."""


class NotProven(Tampered):
    """The statement does not follow from its entries: do not rely on it, and ask its sender for the log's address."""


@dataclass(frozen=True, slots=True)
class StatementProof:
    """A verified statement, as JSON. `is_complete`: a log was read, and it has no further entry of the partnership."""

    partnership_id: str
    period: str
    entries_count: int
    size: int
    root: str
    is_complete: bool
    ok: Literal[True] = True


async def verify_statement(
    folder: Path,
    verifier: Verifier,
    against: AuditSource | None = None,
    policy: Policy | None = None,
    many_entries_bytes: int = MANY_ENTRIES_BYTES,
) -> StatementProof:
    """From so many bytes of entries on, a process of its own verifies them while they are folded.

    Raises `NotAStatement`, `NotProven`, `OtherKey`, `NotWitnessed`, `ForkedLog`, and `WrongTree` for a log that is not
    what was signed."""
    if not any((folder / name).exists() for name in (verify.STATEMENT, "proof.json")):
        raise NotAStatement(f"{folder}: {NotAStatement.__doc__}")
    try:
        text = verify.read_text(folder / verify.STATEMENT)
        stated = json.loads(text)
        partnership_id, period = stated["partnership_id"], stated["period"]
        subject, closing = f"partnership/{partnership_id}", int(stated["closing_index"])
        entries = _Entries(folder, subject, closing, keeps_hashes=against is not None)
        with _verifying(folder, verifier.vkey, many_entries_bytes) as verified:
            statements = folded(entries, without=[TRANSFER]).rows(STATEMENT)
            size, root, count, verified_sha256 = verified()
    except SettlementDiffers as error:
        what, _, _ = str(error).partition(":")  # what follows is for the operator of a ledger
        raise NotProven(f"{folder}: {what}: an earlier entry was left out. {NotProven.__doc__}") from error
    except _UNREADABLE as error:
        raise NotProven(f"{folder}: {error}. {NotProven.__doc__}") from error
    if entries.file_sha256 != verified_sha256:
        raise NotProven(f"{folder} was changed while it was read. {NotProven.__doc__}")
    computed = next((asdict(row) for row in statements if row.period == period), None)
    if computed != stated:
        raise NotProven(f"{verify.STATEMENT}: {_difference(stated, computed)}. {NotProven.__doc__}")
    if text != verify.as_json(computed) + "\n":
        raise NotProven(f"{verify.STATEMENT} is not written as it was exported. {NotProven.__doc__}")
    own = export_checkpoint(folder, export_keys(folder, verifier))
    if policy is not None:
        policy.require(own)
    if against is not None:
        await _require_complete(folder, own, against, entries)
    return StatementProof(partnership_id, period, count, size, root, against is not None)


class _Row(msgspec.Struct, gc=False):
    """What is read of a line; its other columns are compared with the entry when it is verified."""

    index: int
    entry: str


_read_row: Final = msgspec.json.Decoder(_Row).decode


class _Entries:
    """The entries of a folder, which is verified elsewhere; each must be one of the subject up to the closing one.

    After the iteration `hashes` are those of the entries by index (None if they are not kept), and `file_sha256` is
    that of the file that holds them.
    """

    def __init__(self, folder: Path, subject: str, closing: int, *, keeps_hashes: bool) -> None:
        self._folder = folder
        self.subject = subject
        self.closing = closing
        self.hashes: dict[int, bytes | None] = {}
        self.file_sha256 = ""
        self._keeps_hashes = keeps_hashes

    def __iter__(self) -> Iterator[Entry]:
        for index, raw in self._raw():
            entry = parse_entry(index, raw)
            if entry.subject != self.subject or index > self.closing:
                raise NotProven(f"entry {index} is not one of {self.subject} up to {self.closing}. {NotProven.__doc__}")
            self.hashes[index] = sha256(raw).digest() if self._keeps_hashes else None
            yield entry

    def _raw(self) -> Iterator[tuple[int, bytes]]:
        path = verify.entries_file(self._folder)
        if path.name == verify.TABLE:
            self.file_sha256 = verify.file_sha256(path)
            yield from verify.read_entries(self._folder)
            return
        digest = sha256()
        with path.open("rb") as lines:
            for line in lines:
                digest.update(line)
                row = _read_row(line)
                yield row.index, row.entry.encode()
        self.file_sha256 = digest.hexdigest()


Verified = tuple[int, str, int, str]
"""Size and root that were signed, the number of entries, the hash of the file that holds them."""


@contextmanager
def _verifying(folder: Path, vkey: str, many_entries_bytes: int) -> Iterator[Callable[[], Verified]]:
    """Verify signature and entries, in a process of its own where there are many: folding them takes as long.

    Gives a function that waits for the result, or raises what was found.
    """
    if verify.entries_file(folder).stat().st_size < many_entries_bytes:
        result = _verified(folder, vkey)
        yield lambda: result
        return
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        future = pool.submit(_verified, folder, vkey)
        try:
            yield future.result
        except Exception:  # whatever a fold raises that meets entries which no registrar would have accepted
            future.result()  # says what is wrong, and where
            raise


def _verified(folder: Path, vkey: str) -> Verified:
    try:
        size, root, count = verify.verify(folder, vkey, _quickly_read)
    except verify.OtherKey as error:
        raise OtherKey(f"{folder}: {error}.") from error
    return size, root, count, verify.file_sha256(verify.entries_file(folder))


def _quickly_read(folder: Path) -> Iterator[tuple[int, bytes]]:
    """As `verify.read_entries`, which looks at each line that is not in the usual form."""
    path = folder / verify.LINES
    if verify.entries_file(folder) != path:
        yield from verify.read_entries(folder)
        return
    with path.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            yield _usual_row(line) or verify.read_line(line, number)


def _usual_row(line: bytes) -> tuple[int, bytes] | None:
    """Index and entry of a line that is, byte for byte, what its entry says; None for one to look at closely."""
    try:
        row = orjson.loads(line)
        index, entry = row["index"], row["entry"]
        document = orjson.loads(entry)
        event = document["event"]
        if type(index) is not int:
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


async def _require_complete(folder: Path, own: Checkpoint, against: AuditSource, entries: _Entries) -> None:
    """Raise `NotProven` if the log has other entries of the subject, up to the close, than the folder.

    A log that is shorter than the one of the folder cannot be proven to be its beginning: its entries are compared.
    """
    subject, closing = entries.subject, entries.closing
    async with against.opened() as port:
        _, checkpoint = await against.continued(port)
        older, newer = sorted((own, checkpoint), key=lambda found: found.size)
        if newer is checkpoint:
            await require_continuation(port, older, newer, str(folder))
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
