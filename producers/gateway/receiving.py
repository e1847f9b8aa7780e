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
from typing import Any, Final

from events.door import judge
from events.entry import recorded_time
from events.verdicts import Accepted, Agency
from infra.http.problems import Language, Problem
from infra.kafka import agency_topic
from infra.settings import Settings
from infra.telemetry import count
from producers.errors import OutcomeUnknown
from producers.gateway.body import read_body
from producers.gateway.http_mode import Claim, Mode, RawHeaders, claims_of, mode_of
from producers.gateway.problems import EventFaults, Refusal, listed_faults
from producers.gateway.receipts import ReceiptSigner, Stored
from producers.gateway.recent import Recent
from producers.gateway.writer import KafkaWriter, NotStored

_JUDGED_AT_ONCE: Final = 64
"""After so many events the other requests have their turn."""


@dataclass(frozen=True, slots=True)
class Judged:
    """The door's verdict on every event of a request, by its place."""

    mode: Mode
    accepted: list[tuple[int, Accepted]]
    refused: list[EventFaults]

    @property
    def batched(self) -> bool:
        return self.mode == "batch"


class Receiver:
    """Takes events for agencies. `clock` gives the gateway's time for receipts."""

    def __init__(
        self, settings: Settings, writer: KafkaWriter, signer: ReceiptSigner, clock: Callable[[], datetime]
    ) -> None:
        self._settings = settings
        self._writer = writer
        self._signer = signer
        self._clock = clock
        self._waiting_bytes = 0
        self.recent = Recent()

    async def judged(self, headers: RawHeaders, stream: AsyncIterator[bytes], agency: Agency) -> Judged:
        """Read the request and judge every event of it. Raises `Problem` where it cannot be read."""
        mode = mode_of(headers)
        claims = await self._claims(mode, headers, stream)
        return await judge_claims(mode, claims, agency)

    async def receive(
        self, headers: RawHeaders, stream: AsyncIterator[bytes], agency: Agency, *, partial: bool, language: Language
    ) -> dict[str, Any]:
        """The answer to events that are durable now. Raises `Problem` or `Refusal` where nothing was stored."""
        mode = mode_of(headers)
        if self._waiting_bytes > self._settings.gateway_waiting_bytes_max:
            raise Problem("overloaded", retry_after_s=1)
        claims = await self._claims(mode, headers, stream)
        with self._counted(claims):
            judged = await judge_claims(mode, claims, agency)
            if judged.refused and not (partial and judged.accepted):
                raise Refusal(judged.refused, batched=judged.batched)
            stored = await self._store(agency, judged.accepted)
        answer = self._signer.receipt(agency.code, recorded_time(self._clock()), stored)
        if judged.refused:
            answer["refused"], _ = listed_faults(judged.refused, judged.batched, language)
        return answer

    async def _claims(self, mode: Mode, headers: RawHeaders, stream: AsyncIterator[bytes]) -> list[Claim]:
        settings = self._settings
        body = await read_body(
            stream, headers, bytes_max=settings.gateway_body_bytes_max, timeout_s=settings.gateway_body_timeout_s
        )
        return claims_of(mode, headers, body, settings.gateway_batch_events_max)

    async def _store(self, agency: Agency, accepted: Sequence[tuple[int, Accepted]]) -> list[Stored]:
        if not accepted:
            return []
        topic = agency_topic(agency.code)
        try:
            offsets = await self._writer.write(topic, [event.event_bytes for _, event in accepted])
        except NotStored:
            raise Problem("kafka-away", retry_after_s=1) from None
        except OutcomeUnknown:
            raise Problem("outcome-unknown", retry_after_s=1) from None
        count("gateway_events_stored", len(accepted), agency=agency.code)
        self.recent.add(agency.code, [event.id for _, event in accepted], offsets)
        return [
            Stored(place, event.id, f"{topic}/0/{offset}", event.event_bytes)
            for (place, event), offset in zip(accepted, offsets, strict=True)
        ]

    @contextmanager
    def _counted(self, claims: Sequence[Claim]) -> Iterator[None]:
        """Count the bytes of a request for as long as they are held."""
        size = sum(len(claim.value) for claim in claims)
        self._waiting_bytes += size
        try:
            yield
        finally:
            self._waiting_bytes -= size


async def judge_claims(mode: Mode, claims: Sequence[Claim], agency: Agency) -> Judged:
    """The door's verdict on each claim, by the registrar's own code."""
    judged = Judged(mode, [], [])
    for place, claim in enumerate(claims):
        if place and place % _JUDGED_AT_ONCE == 0:
            await asyncio.sleep(0)
        verdict = judge(claim.value, claim.headers, agency)
        if isinstance(verdict, Accepted):
            judged.accepted.append((place, verdict))
        else:
            judged.refused.append(EventFaults(place, verdict.faults, verdict.claimed_id))
    return judged
