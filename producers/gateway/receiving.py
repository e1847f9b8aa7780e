"""The way of an event in: request, claims, the door's verdict, Kafka, signed receipt.

Flows in: an HTTP request of a known caller. Flows out: a receipt for what is durable, or the reason why nothing (or,
with `partial`, what) is not. Nothing is stored of a request with a fault unless its sender asked for that.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Generic, TypeVar

from events.door import admit, judge
from events.entry import recorded_time
from events.kafka_mode import Headers
from events.verdicts import Accepted, Admitted, Agency, Refused
from infra.http.problems import Language, Problem
from infra.kafka import agency_topic
from infra.settings import Settings
from infra.telemetry import count
from producers.errors import OutcomeUnknown
from producers.gateway.body import BodyLimits, read_body
from producers.gateway.http_mode import Claims, RawHeaders, claims_of, elements_of, mode_of
from producers.gateway.problems import EventFaults, Refusal, listed_faults
from producers.gateway.receipts import ReceiptSigner, Stored
from producers.gateway.recent import Recent
from producers.gateway.writer import KafkaWriter, NotStored

_JUDGED_AT_ONCE: Final = 64
"""After so many events the other requests have their turn."""

_CLOSE: Final = {"Connection": "close"}
Good = TypeVar("Good", bound=Admitted)
Door = Callable[[bytes, Headers, Agency], Good | Refused]
"""`admit`, or `judge` for whoever asks for the events' identities too."""


@dataclass(frozen=True, slots=True)
class Judged(Generic[Good]):
    """The door's verdict on every event of a request, by its place."""

    batched: bool
    accepted: list[tuple[int, Good]]
    refused: list[EventFaults]


@dataclass(frozen=True, slots=True)
class Sent:
    """A request that brings events: its headers as ASGI gives them, its body, and who sent it."""

    headers: RawHeaders
    stream: AsyncIterator[bytes]
    agency: Agency


class Receiver:
    """Takes events for agencies. `clock` gives the gateway's time for receipts."""

    def __init__(
        self, settings: Settings, writer: KafkaWriter, signer: ReceiptSigner, clock: Callable[[], datetime]
    ) -> None:
        self._settings = settings
        self._writer = writer
        self._signer = signer
        self._clock = clock
        self._held_bytes = 0
        self.recent = Recent()

    async def judged(self, sent: Sent) -> Judged[Accepted]:
        """Read the request and judge every event of it. Raises `Problem` where it cannot be read."""
        with self._holding() as held:
            return await self._judged(sent, judge, held)

    async def receive(self, sent: Sent, *, partial: bool, language: Language) -> dict[str, Any]:
        """The answer to events that are durable now. Raises `Problem` or `Refusal` where nothing was stored."""
        with self._holding() as held:
            judged = await self._judged(sent, admit, held)
            if judged.refused and not (partial and judged.accepted):
                raise Refusal(judged.refused, batched=judged.batched)
            stored = await self._store(sent.agency, judged.accepted)
        answer = self._signer.receipt(sent.agency.code, recorded_time(self._clock()), stored)
        if judged.refused:
            answer["refused"], _ = listed_faults(judged.refused, judged.batched, language)
        return answer

    async def _judged(self, sent: Sent, door: Door[Good], held: Callable[[int], None]) -> Judged[Good]:
        settings = self._settings
        mode, events_max = mode_of(sent.headers), settings.gateway_batch_events_max
        limits = BodyLimits(settings.gateway_body_bytes_max, settings.gateway_body_timeout_s, held)
        body = await read_body(sent.stream, sent.headers, limits)
        claims = claims_of(mode, sent.headers, body, events_max)
        judged = await judge_claims(claims, sent.agency, door, batched=mode == "batch")
        if judged.refused and judged.batched:
            elements = elements_of(body, events_max)
            if elements != claims:
                judged = await judge_claims(elements, sent.agency, door, batched=True)
        return judged

    async def _store(self, agency: Agency, accepted: Sequence[tuple[int, Admitted]]) -> list[Stored]:
        if not accepted:
            return []
        try:
            offsets = await self._writer.write(agency_topic(agency.code), [event.event_bytes for _, event in accepted])
        except NotStored:
            raise Problem("kafka-away", retry_after_s=1) from None
        except OutcomeUnknown:
            raise Problem("outcome-unknown", retry_after_s=1) from None
        count("gateway_events_stored", len(accepted), agency=agency.code)
        self.recent.add(agency.code, [event.id for _, event in accepted], offsets)
        return [
            Stored(place, event.id, offset, event.event_bytes)
            for (place, event), offset in zip(accepted, offsets, strict=True)
        ]

    @contextmanager
    def _holding(self) -> Iterator[Callable[[int], None]]:
        """Counts the bytes of a request for as long as they are held. Raises `Problem` where all hold too many."""
        mine = 0

        def hold(size: int) -> None:
            nonlocal mine
            if self._held_bytes + size > self._settings.gateway_waiting_bytes_max:
                raise Problem("overloaded", retry_after_s=1, headers=_CLOSE)
            mine += size
            self._held_bytes += size

        try:
            yield hold
        finally:
            self._held_bytes -= mine


async def judge_claims(claims: Claims, agency: Agency, door: Door[Good], *, batched: bool) -> Judged[Good]:
    """The door's verdict on each claim, by the registrar's own code."""
    judged: Judged[Good] = Judged(batched, [], [])
    headers = claims.headers
    for place, value in enumerate(claims.values):
        if place and place % _JUDGED_AT_ONCE == 0:
            await asyncio.sleep(0)
        verdict = door(value, headers, agency)
        if isinstance(verdict, Refused):
            judged.refused.append(EventFaults(place, verdict.faults, verdict.claimed_id))
        else:
            judged.accepted.append((place, verdict))
    return judged
