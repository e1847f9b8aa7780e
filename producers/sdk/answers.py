"""The gateway's answers as types. Unknown members are ignored: a newer gateway may add some."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, TypeVar

import httpx
from pydantic import BaseModel, ConfigDict, ValidationError

from events.errors import YesserError
from events.wire.entry import event_bytes
from events.wire.texts import put_back
from infra.json_documents import from_json

Language = Literal["ar", "en"]
State = Literal["pending", "registered", "duplicate", "refused", "lost"]


SignedAnswer = dict[str, Any]
"""A whole answer as the gateway sent it, which proves its receipts to third parties."""


class NotAGateway(YesserError):
    """The answer is not from a Yesser gateway: check the address, and any proxy in between."""


class Answer(BaseModel):
    """Base of all answers."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class EventError(Answer):
    """One fault. `pointer` (RFC 6901) refers to the event, or to the list of events; `event` is its position."""

    code: str = ""
    pointer: str = ""
    detail: str = ""
    event: int | None = None
    id: str | None = None
    parameter: str | None = None

    def moved(self, first: int) -> EventError:
        """The same fault, for a list that began at position `first` of the whole."""
        if self.event is None:
            return self
        place = self.event + first
        rest = self.pointer.removeprefix(f"/{self.event}")
        return self.model_copy(update={"event": place, "pointer": f"/{place}{rest}"})


class Problem(Answer):
    """An RFC 9457 problem. `type` is the address of a page on the gateway; `unlisted` counts faults beyond the list."""

    type: str = "about:blank"
    title: str = ""
    status: int = 0
    detail: str = ""
    errors: tuple[EventError, ...] = ()
    unlisted: int = 0

    @property
    def code(self) -> str:
        """The last part of `type`."""
        return self.type.rpartition("/")[2]


class Account(Answer):
    """Whose token this is. One that may not send has no `topic` and no `types`."""

    kind: Literal["agency", "office", "partner", "treasury", "auditor"]
    holder: str
    key_id: str
    scopes: tuple[str, ...]
    suspended: bool
    limits: dict[str, float]
    name: dict[Language, str] | None = None
    partners: tuple[str, ...] = ()
    expires_at: datetime | None = None
    topic: str | None = None
    types: tuple[str, ...] = ()


class StoredRow(Answer):
    """One event of a receipt: its position in the request, and its address."""

    event: int
    id: str
    address: str
    sha256: str


class SignedPart(Answer):
    """The signed part of an answer."""

    kind: str
    agency: str
    time: str
    events: tuple[StoredRow, ...]


class SendAnswer(Answer):
    """The answer to stored events."""

    receipt: SignedPart
    refused: tuple[EventError, ...] = ()
    unlisted: int = 0


class AcceptedRow(Answer):
    """An event that validation accepts."""

    event: int
    id: str
    type: str


class DuplicateRow(Answer):
    """An event that validation finds to repeat an earlier one."""

    event: int


class Validation(Answer):
    """The verdict on form and authority; nothing was stored."""

    valid: bool
    accepted: tuple[AcceptedRow, ...]
    duplicates: tuple[DuplicateRow, ...] = ()
    errors: tuple[EventError, ...]
    unlisted: int = 0


class Anomaly(Answer):
    """A rule that a registered event contradicts: it changed nothing."""

    rule: str
    detail: str
    detail_ar: str = ""


class Verdict(Answer):
    """The verdict on a record. `index`: of its entry, of a duplicate's first entry, or of the refusal.

    `lost`: the record was removed from the topic, or replaced, before it was read: send the event again.
    """

    state: State
    id: str | None = None
    address: str | None = None
    sha256: str | None = None
    index: int | None = None
    errors: tuple[EventError, ...] = ()
    halted: str | None = None
    applied: bool | None = None
    """Of `status`: whether the figures contain the entry, so that `anomalies` is known."""
    anomalies: tuple[Anomaly, ...] = ()


class Registered(Verdict):
    """The verdict on an event that is in the log at `index`: its own or, for a duplicate, the first one's."""

    index: int


class VerdictPage(Answer):
    """Verdicts in the order of the agency's topic. `next` is the cursor of the next page."""

    receipts: tuple[Verdict, ...]
    next: int
    halted: str | None = None


class EntryText(Answer):
    """A free text of an entry: the JSON that was sent, or what is read in its place once `withheld_by` withholds it."""

    index: int
    member: str
    sha256: str
    salt: str | None = None
    withheld_by: int | None = None
    text: str


class Proof(Answer):
    """An entry and its inclusion proof against a signed checkpoint; hashes are base64.

    `rotations` are the notes by which an earlier key of the log verifies the checkpoint too. `texts` are the free texts
    whose hashes the entry has.
    """

    index: int
    entry: str
    leaf: str
    size: int
    path: tuple[str, ...]
    checkpoint: str
    rotations: str = ""
    texts: tuple[EntryText, ...] = ()

    @property
    def shown(self) -> bytes:
        """The entry as people read it: with its texts."""
        return put_back(self.entry.encode(), {text.sha256: text.text.encode() for text in self.texts})

    @property
    def event(self) -> bytes:
        """The event as it was sent, whose SHA-256 is that of its receipt, unless a text of it is withheld."""
        texts = {text.sha256: text.text.encode() for text in self.texts}
        return put_back(event_bytes(self.entry.encode()), texts)


AnswerType = TypeVar("AnswerType", bound=Answer)


def read_answer(model: type[AnswerType], response: httpx.Response) -> AnswerType:
    """The answer as this type. Raises `NotAGateway`."""
    try:
        return model.model_validate_json(response.content)
    except ValidationError as error:
        raise NotAGateway(f"{NotAGateway.__doc__} ({response.request.url}: {error.error_count()} faults)") from error


def read_document(response: httpx.Response) -> Any:
    """The document of any answer; None where it has none."""
    try:
        return from_json(response.content)
    except ValueError:
        return None


def read_problem(response: httpx.Response) -> Problem:
    """The problem of an answer that is no success."""
    return problem_in(read_document(response), response.status_code, response.reason_phrase)


def problem_in(document: object, status: int, title: str = "") -> Problem:
    """The problem; a proxy's answer may have any form, so missing members are filled in."""
    try:
        found = Problem.model_validate(document)
    except ValidationError:
        found = Problem(title=title)
    return found.model_copy(update={"status": status})


@dataclass(frozen=True, slots=True)
class Receipt:
    """The gateway's signed receipt for a stored event.

    `address` is `topic/partition/offset`, `sha256` that of the event as sent (`Proof.event`), `time` the gateway's.
    `signed` is the whole answer, which proves the receipt to third parties: keep it.
    """

    id: str
    address: str
    sha256: str
    agency: str
    time: str
    signed: SignedAnswer = field(repr=False)

    @property
    def offset(self) -> int:
        """The offset in the agency's topic."""
        return int(self.address.rpartition("/")[2])
