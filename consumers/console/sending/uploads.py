"""Files that people send: checked first, then sent in the background, with their progress and their verdicts.

Flows in: a file of events (NDJSON, or a table and its mapping) of an account. Flows out: an `Upload` for the page.
Only lines without a fault are sent, in order, in requests that the gateway takes whole. A request whose outcome is
unknown is sent again with the same bytes: what was stored before is a duplicate. Bounded: the size of a file, its
lines, the files of an account, and those that are sent at once.
"""

from __future__ import annotations

import asyncio
import io
import secrets
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from typing import Final, Literal

import orjson

from consumers.console.data.gateway import Gateway, Reply
from events.validation.verdicts import Agency, first_day_ahead
from events.values.bilingual import Language
from infra.errors import WrongInput
from infra.event_files.lint import Findings, lint
from infra.event_files.ndjson import LINE_BYTES_MAX, Defaults, Line, copy_lines, read_lines, read_opening
from infra.event_files.starter import starter_mapping
from infra.event_files.table_lines import copy_rows, mapped_lines
from infra.http.console_tokens import Sending
from infra.tables.mapping import MappingDocument
from producers.sdk.answers import EventError, Problem, SendAnswer, VerdictPage
from producers.sdk.problems import NotServed, OutcomeUnknown

FILE_BYTES_MAX: Final = 4 << 20
LINES_MAX: Final = 10_000
"""More lines are sent with `yesser publish`, which resumes where it stopped."""
EVENTS_BYTES_MAX: Final = 16 << 20
"""Of all events that a table and its mapping make; a row that is too long for a topic counts as the longest line."""
PROBLEMS_KEPT_MAX: Final = 1_000
KEPT_OF_ACCOUNT_MAX: Final = 3
KEPT_MAX: Final = 12
"""Of all accounts, in memory."""
SENDING_MAX: Final = 6
_BATCH_EVENTS: Final = 200
_BATCH_BYTES: Final = 1 << 20
_PAGE: Final = 1_000
_LONG_POLL_S: Final = 10
_QUIET_POLLS_MAX: Final = 60
"""So often no verdict comes before a file stops waiting; its sender continues it."""

State = Literal["checked", "sending", "waiting", "done", "stopped"]


class TooLarge(WrongInput):
    """The file has more bytes or lines than the console takes."""


class EventsTooLarge(WrongInput):
    """The table and its mapping make more than 16 MiB of events."""


class NoEvents(WrongInput):
    """The file has no line that begins with `{`: it is a table without its mapping, or holds no event."""


class TooManyFiles(WrongInput):
    """As many files are sent as the console sends at once."""


@dataclass(frozen=True, slots=True)
class Sender:
    """The account that a file is of, and in which language the gateway speaks to it."""

    sending: Sending
    agency: Agency
    language: Language = "en"


@dataclass(frozen=True, slots=True)
class RefusedLine:
    """A line that was refused: the entry of its refusal, and the faults. `is_lost`: or it has no verdict, and never
    will."""

    number: int
    index: int | None = None
    errors: tuple[EventError, ...] = ()
    is_lost: bool = False


@dataclass(slots=True)
class Upload:
    """A file and what became of it. `findings` has the first of its faults.

    `problem` is the gateway's answer that stopped it; None: the gateway is away.
    """

    id: str
    sender: Sender
    name: str
    content: bytes
    mapping: MappingDocument | None
    findings: Findings = field(default_factory=Findings)
    state: State = "checked"
    sent: int = 0
    lines_of: dict[str, int] = field(default_factory=dict)
    """Address in the topic → number of the line."""
    pending: set[str] = field(default_factory=set)
    registered: int = 0
    duplicates: int = 0
    refused: list[RefusedLine] = field(default_factory=list)
    problem: Problem | None = None
    halted: str | None = None

    @property
    def good(self) -> int:
        """How many lines have no fault."""
        return self.findings.lines - len(self.findings.faulty)

    @property
    def decided(self) -> int:
        return self.registered + self.duplicates + len(self.refused)

    @property
    def lost(self) -> int:
        """How many of `refused` were not refused: they have no verdict."""
        return sum(line.is_lost for line in self.refused)

    @property
    def is_active(self) -> bool:
        return self.state in ("sending", "waiting")

    @property
    def refused_lines(self) -> frozenset[int]:
        """The lines that are not in the log: with a fault, refused, or lost."""
        return frozenset(self.findings.faulty) | {line.number for line in self.refused}

    def stop(self, reply: Reply) -> None:
        """The gateway's answer ends it. One that is no document, as of a proxy, is none."""
        self.state, self.problem = "stopped", reply.problem if reply.document else None

    def lines(self) -> Iterator[Line]:
        stream = io.BytesIO(self.content)
        return read_lines(stream) if self.mapping is None else mapped_lines(stream, self.mapping)

    def column_of(self, pointer: str) -> str:
        """The column of a table that fills what the pointer names, "" for none."""
        return (self.mapping and self.mapping.column_of(pointer)) or ""

    def good_lines(self) -> Iterator[tuple[int, bytes]]:
        """Numbers and texts of the lines without a fault, in order."""
        for line in self.lines():
            if line.text is not None and line.number not in self.findings.faulty:
                yield line.number, line.text

    def event_ids(self) -> list[str]:
        """Of the lines without a fault, in order."""
        return [orjson.loads(text)["id"] for _, text in self.good_lines()]

    def refused_file(self) -> bytes:
        """The refused lines unchanged: a file of the same form, to correct and send again."""
        source, target = io.BytesIO(self.content), io.BytesIO()
        if self.mapping is None:
            copy_lines(source, target, self.refused_lines)
        else:
            copy_rows(source, target, self.mapping, self.refused_lines)
        return target.getvalue()


def checked(
    sender: Sender, name: str, content: bytes, mapping: MappingDocument | None, lines_max: int = LINES_MAX
) -> Upload:
    """Check a file as the registrar will. Raises `TooLarge`, `EventsTooLarge`, `NoEvents`, `WrongTable`,
    `WrongMapping`."""
    if len(content) > FILE_BYTES_MAX:
        raise TooLarge(str(TooLarge.__doc__))
    if mapping is None and not read_opening(io.BytesIO(content)).holds_events:
        raise NoEvents(str(NoEvents.__doc__))
    upload = Upload(secrets.token_urlsafe(9), sender, name, content, mapping)
    first_day = first_day_ahead(datetime.now(UTC))
    upload.findings = lint(_few(upload.lines(), lines_max), sender.agency, first_day, PROBLEMS_KEPT_MAX, mapping)
    if not upload.findings.lines:
        raise NoEvents(str(NoEvents.__doc__))
    return upload


def _few(lines: Iterator[Line], lines_max: int) -> Iterator[Line]:
    """The lines, one at a time. Raises `TooLarge` or `EventsTooLarge` where the next one is beyond the limits."""
    size = 0
    for count, line in enumerate(lines, 1):
        size += LINE_BYTES_MAX if line.text is None else len(line.text)
        if count > lines_max:
            raise TooLarge(str(TooLarge.__doc__))
        if size > EVENTS_BYTES_MAX:
            raise EventsTooLarge(str(EventsTooLarge.__doc__))
        yield line


@dataclass(frozen=True, slots=True)
class Pauses:
    """How long a file waits for a gateway that is busy or away, at first and later, before it is asked again.

    After `in_all_s` the file stops; its sender continues it.
    """

    first_s: float = 0.5
    longest_s: float = 5.0
    in_all_s: float = 60.0


class Uploads:
    """The files of all accounts."""

    def __init__(self, gateway: Gateway, pauses: Pauses = Pauses()) -> None:
        self._gateway = gateway
        self._pauses = pauses
        self._kept: dict[str, Upload] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._checks = asyncio.Semaphore(2)

    async def check(self, sender: Sender, name: str, content: bytes, mapping: MappingDocument | None) -> Upload:
        """Check a file in a thread, and keep it. Raises what `checked` raises, and `TooManyFiles`."""
        self._make_room(sender.sending.username)
        async with self._checks:
            upload = await asyncio.to_thread(checked, sender, name, content, mapping)
        self._kept[upload.id] = upload
        return upload

    async def map(self, content: bytes, name: str) -> str:
        """A mapping to start from, for a table. Raises `TooLarge`, `WrongTable`, `WrongMapping`."""
        if len(content) > FILE_BYTES_MAX:
            raise TooLarge(str(TooLarge.__doc__))
        async with self._checks:
            return await asyncio.to_thread(starter_mapping, io.BytesIO(content), name)

    def find(self, username: str, id_: str) -> Upload | None:
        """The file, if it is this account's."""
        upload = self._kept.get(id_)
        return upload if upload is not None and upload.sender.sending.username == username else None

    def of(self, username: str) -> list[Upload]:
        """The files of an account, the newest first."""
        return [upload for upload in reversed(self._kept.values()) if upload.sender.sending.username == username]

    def send(self, upload: Upload) -> None:
        """Send a file, or continue it. Nothing happens to one that is being sent. Raises `TooManyFiles`."""
        if upload.is_active or upload.state == "done":
            return
        self.require_turn(upload)
        upload.state, upload.problem = "sending", None
        task = self._tasks[upload.id] = asyncio.create_task(self._run(upload), name="upload")
        task.add_done_callback(lambda _: self._tasks.pop(upload.id))

    def require_turn(self, upload: Upload) -> None:
        """Raises `TooManyFiles` where another file of its account is being sent, or as many of all accounts as may."""
        mine = any(other.is_active for other in self.of(upload.sender.sending.username))
        if mine or len(self._tasks) >= SENDING_MAX:
            raise TooManyFiles(str(TooManyFiles.__doc__))

    async def close(self) -> None:
        """Stop. What was sent stays sent; the same file again gives duplicates for it."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError):
                await task

    def _make_room(self, username: str) -> None:
        mine = [upload for upload in self.of(username) if not upload.is_active]
        others = [upload for upload in self._kept.values() if not upload.is_active]
        while len(self.of(username)) >= KEPT_OF_ACCOUNT_MAX or len(self._kept) >= KEPT_MAX:
            oldest = mine.pop() if mine else others.pop(0) if others else None
            if oldest is None:
                raise TooManyFiles(str(TooManyFiles.__doc__))
            self._kept.pop(oldest.id, None)

    async def _run(self, upload: Upload) -> None:
        try:
            if await self._send_lines(upload):
                upload.state = "waiting"
                await self._await_verdicts(upload)
        except (NotServed, OutcomeUnknown):
            upload.state = "stopped"

    async def _send_lines(self, upload: Upload) -> bool:
        """Send what was not sent yet; whether all of it is stored. Raises `NotServed` and `OutcomeUnknown`."""
        batches = batches_of(upload)
        while batch := await asyncio.to_thread(next, batches, None):
            reply = await self._store(upload, b"[" + b",".join(text for _, text in batch) + b"]")
            if not reply.is_success:
                upload.stop(reply)
                return False
            answer = reply.read(SendAnswer)
            for stored in answer.receipt.events:
                upload.lines_of[stored.address] = batch[stored.event][0]
                upload.pending.add(stored.address)
            for error in answer.refused:
                upload.refused.append(RefusedLine(batch[error.event or 0][0], errors=(error,)))
            upload.sent += len(batch)
        return True

    async def _store(self, upload: Upload, body: bytes) -> Reply:
        """The gateway's answer to a request, once it is busy no more. Raises `NotServed` and `OutcomeUnknown`."""
        waited_s, pause_s = 0.0, self._pauses.first_s
        while True:
            try:
                reply = await self._ask(upload, "POST", "/v1/events", {"partial": "true"}, body)
                if reply.status not in (429, 500, 502, 503, 504) or waited_s >= self._pauses.in_all_s:
                    return reply
            except (NotServed, OutcomeUnknown):
                if waited_s >= self._pauses.in_all_s:
                    raise
            await asyncio.sleep(pause_s)
            waited_s += pause_s
            pause_s = min(self._pauses.longest_s, 2 * pause_s)

    async def _ask(
        self, upload: Upload, method: str, path: str, parameters: Mapping[str, str], body: bytes | None = None
    ) -> Reply:
        return await self._gateway.ask(
            upload.sender.sending,
            method,
            path,
            language=upload.sender.language,
            content=body,
            content_type="application/cloudevents-batch+json",
            parameters=parameters,
        )

    async def _await_verdicts(self, upload: Upload) -> None:
        """Until every stored line has its verdict, or none comes for long."""
        quiet = 0
        while upload.pending and quiet < _QUIET_POLLS_MAX:
            since = min(offset_of(address) for address in upload.pending)
            asked = {"since": str(since), "limit": str(_PAGE), "wait_s": str(_LONG_POLL_S)}
            try:
                reply = await self._ask(upload, "GET", "/v1/receipts", asked)
            except NotServed:
                reply = None
            if reply is None or reply.status in (429, 500, 502, 503, 504):
                quiet += 1
                await asyncio.sleep(self._pauses.longest_s)
            elif not reply.is_success:
                upload.stop(reply)
                return
            else:
                page = reply.read(VerdictPage)
                note_verdicts(upload, page)
                quiet = 0 if page.next > since else quiet + 1
        upload.state = "stopped" if upload.pending else "done"


def batches_of(upload: Upload) -> Iterator[list[tuple[int, bytes]]]:
    """The lines without a fault that were not sent yet, with their numbers, as many as one request takes."""
    filling = Defaults(upload.sender.agency.code)
    batch: list[tuple[int, bytes]] = []
    size = 0
    for number, line in islice(upload.good_lines(), upload.sent, None):
        text = filling.fill(line)
        if batch and (len(batch) >= _BATCH_EVENTS or size + len(text) > _BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append((number, text))
        size += len(text)
    if batch:
        yield batch


def note_verdicts(upload: Upload, page: VerdictPage) -> None:
    """Count the verdicts on the upload's records in a page of `/v1/receipts`."""
    upload.halted = page.halted
    for verdict in page.receipts:
        if verdict.address not in upload.pending or verdict.state == "pending":
            continue
        upload.pending.discard(verdict.address)
        number = upload.lines_of[verdict.address]
        if verdict.state == "refused":
            upload.refused.append(RefusedLine(number, verdict.index, verdict.errors))
        elif verdict.state == "lost":
            upload.refused.append(RefusedLine(number, is_lost=True))
        elif verdict.state == "duplicate":
            upload.duplicates += 1
        else:
            upload.registered += 1


def offset_of(address: str) -> int:
    """The offset of `topic/partition/offset`."""
    return int(address.rpartition("/")[2])
