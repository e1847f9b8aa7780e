"""What the gateway answers, as types. Members that are not known here are passed over: a newer gateway may add some."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

import httpx
from pydantic import BaseModel, ConfigDict, ValidationError

from events.errors import YesserError

Language = Literal["ar", "en"]
State = Literal["pending", "registered", "duplicate", "refused"]


class NotAGateway(YesserError):
    """The answer is not one of a Yesser gateway: look at the address, and at what stands between."""


class Answer(BaseModel):
    """The common ground of all answers."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class EventError(Answer):
    """One fault. `pointer` (RFC 6901) leads into the event or, of several, into their list; `event` is its place."""

    code: str
    pointer: str = ""
    detail: str = ""
    event: int | None = None
    id: str | None = None
    parameter: str | None = None

    def moved(self, first: int) -> EventError:
        """The same fault, where the list that was sent began at place `first` of the whole."""
        if self.event is None:
            return self
        place = self.event + first
        rest = self.pointer.removeprefix(f"/{self.event}")
        return self.model_copy(update={"event": place, "pointer": f"/{place}{rest}"})


class Problem(Answer):
    """RFC 9457: why not. `type` is the address of a page on the gateway, `unlisted` counts faults beyond the list."""

    type: str = "about:blank"
    title: str = ""
    status: int = 0
    detail: str = ""
    errors: tuple[EventError, ...] = ()
    unlisted: int = 0


class StoredRow(Answer):
    """One event of a receipt: its place in the request, and where it stands."""

    event: int
    id: str
    address: str
    sha256: str


class SignedPart(Answer):
    """What is signed."""

    kind: str
    agency: str
    time: str
    events: tuple[StoredRow, ...]


class SendAnswer(Answer):
    """The answer to events that are durable."""

    receipt: SignedPart
    refused: tuple[EventError, ...] = ()


class AcceptedRow(Answer):
    """An event that the door lets in."""

    event: int
    id: str
    type: str


class Validation(Answer):
    """The verdict on form and authority; nothing was stored."""

    valid: bool
    accepted: tuple[AcceptedRow, ...]
    errors: tuple[EventError, ...]
    unlisted: int = 0


class Verdict(Answer):
    """What became of a record. `index`: of its entry; of the first entry for a duplicate; of the refusal."""

    state: State
    id: str | None = None
    address: str | None = None
    sha256: str | None = None
    index: int | None = None
    errors: tuple[EventError, ...] = ()
    halted: str | None = None


class Registered(Verdict):
    """A verdict by which the event is in the log: at `index`, its own or, of a duplicate, the first one's."""

    index: int


class VerdictPage(Answer):
    """Verdicts in the order of the agency's topic. `next` is the cursor of the next page."""

    receipts: tuple[Verdict, ...]
    next: int
    halted: str | None = None


class Proof(Answer):
    """An entry and the way from its leaf to the root of a signed checkpoint; hashes are base64."""

    index: int
    entry: str
    leaf: str
    size: int
    path: tuple[str, ...]
    checkpoint: str


AnswerType = TypeVar("AnswerType", bound=Answer)


def read_answer(model: type[AnswerType], response: httpx.Response) -> AnswerType:
    """The answer as this type. Raises `NotAGateway`."""
    try:
        return model.model_validate_json(response.content)
    except ValidationError as error:
        raise NotAGateway(f"{NotAGateway.__doc__} ({response.request.url}: {error.error_count()} faults)") from error


def read_problem(response: httpx.Response) -> Problem:
    """The problem, as far as the answer tells: what stands between may answer with anything."""
    try:
        found = Problem.model_validate_json(response.content)
    except ValidationError:
        found = Problem(title=response.reason_phrase)
    missing: dict[str, Any] = {"status": response.status_code}
    return found.model_copy(update=missing)


@dataclass(frozen=True, slots=True)
class Receipt:
    """The gateway's promise that an event is durable.

    `address` is `topic/partition/offset`, `sha256` that of the event's bytes as they will stand in the entry, `time`
    the gateway's. `signed` is the whole answer, which proves it to anybody: keep it.
    """

    id: str
    address: str
    sha256: str
    agency: str
    time: str
    signed: dict[str, Any] = field(repr=False)

    @property
    def offset(self) -> int:
        """The place in the agency's topic."""
        return int(self.address.rpartition("/")[2])
