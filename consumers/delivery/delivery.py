"""The delivery process: its parts work side by side while it holds the lease, and end together.

Flows in: the campaigns' entries, teams, subscriptions. Flows out: webhooks, e-mails, and timed events of the platform
through the outbox. What is already decided is never derived again: each part has a position or a row for it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any, Final, TypeAlias

import structlog

from consumers.delivery.delivery_lease import LEASE
from consumers.delivery.mail import part as mail
from consumers.delivery.routing.router import route
from consumers.delivery.timers.timers import set_off
from consumers.delivery.webhooks.sender import send
from infra.postgres.connection import connect
from infra.process.health import Progress, Readiness
from infra.process.leader_election import LeaderElection, Term
from infra.process.lease import LeaseSpec
from infra.process.tasks import pause, until_one_ends
from infra.settings import Settings

log = structlog.get_logger()

Part: TypeAlias = Callable[[Settings, Term, Callable[[], None]], Coroutine[Any, Any, None]]
"""Works until the term's `stop`; calls the function after each round, which ends a wait or a halt that was reported. An
error ends the term of all parts."""

PARTS: Final[tuple[Part, ...]] = (route, send, mail.work, set_off)


class Delivery:
    """Stands by for the lease, and runs `parts` while it holds it."""

    def __init__(self, settings: Settings, parts: tuple[Part, ...] = PARTS) -> None:
        self._settings = settings = settings.acting_as("delivery")
        self._parts = parts
        spec = LeaseSpec(LEASE, lambda application: connect(settings, application))
        self._election = LeaderElection(settings, spec, self._work, Progress(time.monotonic, positions=False))

    def readiness(self) -> Readiness:
        """Ready while it stands by, or a part has recently ended a round."""
        return self._election.progress.readiness()

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`."""
        await self._election.run(stop)

    async def _work(self, term: Term) -> None:
        log.info("delivering", epoch=term.epoch)
        parts = (part(self._settings, term, self._round_ended) for part in self._parts)
        await until_one_ends(*parts, self._while_leading(term))

    async def _while_leading(self, term: Term) -> None:
        """The lease is renewed, so the process works even where no part has anything to do."""
        while not term.stop.is_set():
            self._round_ended()
            await pause(term.stop, self._settings.lease_renew_ms / 1000)

    def _round_ended(self) -> None:
        self._election.progress.begin()
        self._election.moved()
