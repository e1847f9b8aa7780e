"""The delivery process: its parts work side by side while it holds the lease, and end together.

Flows in: the campaigns' entries, what notices tell, teams, subscriptions. Flows out: webhooks, e-mails, and timed
events of the platform through the outbox. What is already decided is never derived again: each part has a position or
a row for it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any, Final, TypeAlias

import structlog

from consumers.delivery.delivery_lease import LEASE
from consumers.delivery.mail import route as mail
from consumers.delivery.mail.timed import make_letters
from consumers.delivery.notices.notifier import notify
from consumers.delivery.routing.router import route
from consumers.delivery.timers.timers import set_off
from consumers.delivery.webhooks import route as webhooks
from consumers.delivery.withheld import delete_withheld
from events.errors import Halt, Tampered
from infra.observability.logs import LogOnce
from infra.postgres.connection import Connection, connect
from infra.postgres.sql import queries
from infra.process.health import Progress, Readiness
from infra.process.leader_election import LeaderElection, LeaderParts, Term
from infra.process.lease import LeaseSpec
from infra.process.retention import Delete, keep_retention
from infra.process.tasks import pause, until_one_ends
from infra.settings import Settings

log = structlog.get_logger()

RECIPIENTS_KEEP_DAYS: Final = 30
_SQL: Final = queries("consumers.delivery", "retention.sql")
Part: TypeAlias = Callable[[Settings, Term, Callable[[], None]], Coroutine[Any, Any, None]]
"""Works until the term's `stop`; calls the function after each round, which ends a wait or a halt that was reported. An
error ends the term of all parts, but for a `Halt`: the other parts go on, and this one is tried again."""


async def forget(settings: Settings, term: Term, round_ended: Callable[[], None]) -> None:
    """A part of the delivery process, which never fails: deletes what is older than its retention."""
    round_ended()
    tables = {
        "delivery.attempt": _older_than("attempts", settings.webhook_attempts_keep_days),
        "delivery.message": _older_than("messages", settings.messages_keep_days),
        "delivery.notice": _older_than("notices", settings.messages_keep_days),
        "delivery.noted": _older_than("noted", settings.messages_keep_days),
        "delivery.mail_link": _older_than("links", 0),
        "delivery.recipient": delete_recipients,
    }
    await keep_retention(settings, term, tables)


def _older_than(name: str, days: int) -> Delete:
    async def delete(connection: Connection, rows_max: int) -> str:
        return await connection.execute(_SQL[name], days, rows_max)

    return delete


delete_recipients: Final = _older_than("recipients", RECIPIENTS_KEEP_DAYS)
"""What stopped letters stays: it holds where the address is added again."""

PARTS: Final[tuple[Part, ...]] = (
    route,
    notify,
    webhooks.send,
    mail.send,
    make_letters,
    set_off,
    delete_withheld,
    forget,
)


class Delivery:
    """Stands by for the lease, and runs `parts` while it holds it."""

    def __init__(self, settings: Settings, parts: tuple[Part, ...] = PARTS) -> None:
        self._settings = settings = settings.acting_as("delivery")
        self._parts = parts
        self._halted: dict[int, str] = {}
        spec = LeaseSpec(LEASE, lambda application: connect(settings, application))
        self._election = LeaderElection(settings, spec, self._work, Progress(time.monotonic, positions=False))
        self._together = LeaderParts(self._election.moved)

    def readiness(self) -> Readiness:
        """Ready while it stands by, or works and no part is halted."""
        return self._election.progress.readiness()

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`."""
        await self._election.run(stop)

    async def _work(self, term: Term) -> None:
        log.info("delivering", epoch=term.epoch)
        parts = (self._run(number, part, term) for number, part in enumerate(self._parts))
        await until_one_ends(*parts, self._while_leading(term))

    async def _run(self, number: int, part: Part, term: Term) -> None:
        """Run a part until it returns. What halts it, such as a missing key, is the process's alarm meanwhile."""
        halt = LogOnce("a part is halted, the others go on", "the part goes on")

        def round_ended() -> None:
            self._show_halted(number, None)
            halt.ends()
            self._election.progress.begin()
            self._together.ended(str(number))

        try:
            while True:
                try:
                    await part(self._settings, term, round_ended)
                    return
                except Exception as error:
                    if isinstance(error, Tampered) or not isinstance(error, Halt):
                        self._together.failed(str(number))
                        raise
                    halt.begins(error)
                    self._show_halted(number, str(error))
                await pause(term.stop, self._settings.halted_retry_ms / 1000)
                if term.stop.is_set():
                    return
        finally:
            self._show_halted(number, None)

    def _show_halted(self, number: int, reason: str | None) -> None:
        self._halted.pop(number, None)
        if reason is not None:
            self._halted[number] = reason
        self._election.progress.alarm = "; ".join(self._halted.values()) or None

    async def _while_leading(self, term: Term) -> None:
        """The lease is renewed, so the process works even where no part has anything to do."""
        while not term.stop.is_set():
            self._election.progress.begin()
            await pause(term.stop, self._settings.lease_renew_ms / 1000)
