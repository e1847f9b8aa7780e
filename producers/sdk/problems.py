"""Errors of the gateway's client; the class decides the reaction.

Retry
├── OutcomeUnknown   timeout, the events may be stored: send the same again
└── NotServed        timeout, nothing was stored: try again later
Reject
├── GatewayProblem   the gateway refuses the request: `problem` lists the faults
├── EmptyEvent       one of the events given has no content; nothing was sent
├── NotASender       the token sends no events, or as another agency; nothing was sent
├── RefusedByRegistrar   an event was stored and then refused in the log
└── RecordReplaced       the topic lost the event after its receipt: send it again
Tampered
└── NotGenuine       a receipt or proof is not valid: call the programme office
"""

from __future__ import annotations

from collections.abc import Sequence

from events.errors import Reject, Retry, Tampered, YesserError
from producers.errors import OutcomeUnknown as OutcomeUnknown
from producers.sdk.answers import EventError, Problem, Receipt, Verdict

_SHOWN_MAX = 5


class ClientClosed(YesserError):
    """This client is closed, or was not opened: use it inside `async with`."""


class NotServed(Retry):
    """The gateway did not serve the request in time, and nothing was stored: try again later."""

    def __init__(self, message: str, problem: Problem | None = None) -> None:
        super().__init__(message)
        self.problem = problem


class GatewayProblem(Reject):
    """The gateway refused the request.

    `problem` is its answer. `receipts` are those of earlier requests of the same call, whose events are stored.
    `may_be_stored` is true if an earlier attempt was cut off: the outcome is then unknown.
    """

    def __init__(self, problem: Problem, *, may_be_stored: bool = False, receipts: Sequence[Receipt] = ()) -> None:
        self.problem = problem
        self.may_be_stored = may_be_stored
        self.receipts = tuple(receipts)
        super().__init__(
            f"{problem.status} {problem.title}: {problem.detail}{_listed(problem.errors, problem.unlisted)}"
        )

    @property
    def errors(self) -> tuple[EventError, ...]:
        """The faults, each with its code and pointer."""
        return self.problem.errors


class NotASender(Reject):
    """The token does not send as this agency: ask the programme office for one that does. Nothing was sent."""


class EmptyEvent(Reject):
    """An event has no content, such as what `split` leaves after a last line end: leave it out. Nothing was sent."""


class RefusedByRegistrar(Reject):
    """The event was stored, but refused in the log: `verdict` has every fault, and the index of the refusal."""

    def __init__(self, verdict: Verdict) -> None:
        self.verdict = verdict
        super().__init__(
            f"The event {verdict.id} was refused in the log, entry {verdict.index}{_listed(verdict.errors)}"
        )


class RecordReplaced(Reject):
    """The topic lost this event after its receipt: its address has no verdict, or another record's. Send it again."""


class NotGenuine(Tampered):
    """A receipt or proof is not valid: do not trust this gateway, keep its answer, call the programme office."""


def _listed(errors: Sequence[EventError], unlisted: int = 0) -> str:
    """The first faults as text. `unlisted`: how many more there are than these."""
    shown = [f"{error.code} at {error.pointer or 'the whole'}: {error.detail}" for error in errors[:_SHOWN_MAX]]
    left = len(errors) - len(shown) + unlisted
    more = [f"and {left} more"] if left else []
    return "".join(f"; {line}" for line in shown + more)
