"""The way of an event in: request, claims, validation, Kafka, signed receipt.

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

from starlette.datastructures import Headers as HttpHeaders

from events.validation.validate import validate, validate_form
from events.validation.verdicts import Accepted, Admitted, Agency, Refused
from events.wire.entry import recorded_time
from events.wire.kafka_binding import Headers
from infra.http.problems import Language, Problem, language_of
from infra.kafka.client_config import agency_topic
from infra.observability.telemetry import count
from infra.settings import Settings
from producers.errors import OutcomeUnknown
from producers.gateway.acknowledgements import ReceiptSigner, Stored
from producers.gateway.http.body import BodyLimits, read_body
from producers.gateway.http.content_mode import Claims, Mode, RawHeaders, claims_of, mode_of
from producers.gateway.http.problems import EventFaults, Refusal, listed_faults
from producers.gateway.recent import Recent, Repeat
from producers.gateway.writer import KafkaWriter, NotStored

_JUDGED_AT_ONCE: Final = 64
"""After so many events the other requests have their turn."""

_CLOSE: Final = {"Connection": "close"}
Good = TypeVar("Good", bound=Admitted)
Validation = Callable[[bytes, Headers, Agency], Good | Refused]
"""`validate_form`, or `validate` where the events' identities are asked for too."""


@dataclass(frozen=True, slots=True)
class Judged(Generic[Good]):
    """The verdict on every event of a request, by its place."""

    batched: bool
    accepted: list[tuple[int, Good]]
    refused: list[EventFaults]


@dataclass(frozen=True, slots=True)
class Sent:
    """A request that brings events: its headers as ASGI gives them, its body, who sent it, and whether all of it is
    there already."""

    headers: RawHeaders
    stream: AsyncIterator[bytes]
    agency: Agency
    is_whole: bool = False

    @property
    def language(self) -> Language:
        """The language of what is told about its events."""
        return language_of(HttpHeaders(raw=list(self.headers)).get("accept-language"))


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
            mode, body = await self._read(sent, held)
            return await self._judged(sent, mode, body, validate)

    async def receive(self, sent: Sent, *, partial: bool) -> tuple[dict[str, Any], list[Repeat]]:
        """The answer to events that are durable now, and those of them whose ids were taken lately.

        Raises `Problem` or `Refusal` where nothing was stored.
        """
        agency = sent.agency
        with self._holding() as held:
            judged = await self._judged(sent, *await self._read(sent, held), validate_form)
            if judged.refused and not (partial and judged.accepted):
                raise Refusal(judged.refused, batched=judged.batched)
            stored, repeats = await self._store(agency, judged.accepted)
        answer = self._signer.receipt(agency.code, recorded_time(self._clock()), stored)
        if judged.refused:
            answer["refused"], _ = listed_faults(judged.refused, judged.batched, sent.language)
        return answer, repeats

    async def _read(self, sent: Sent, held: Callable[[int], None]) -> tuple[Mode, bytes]:
        settings = self._settings
        mode = mode_of(sent.headers)
        timeout_s = None if sent.is_whole else settings.gateway_body_timeout_s
        limits = BodyLimits(settings.gateway_body_bytes_max, timeout_s, held)
        return mode, await read_body(sent.stream, sent.headers, limits)

    async def _judged(self, sent: Sent, mode: Mode, body: bytes, validation: Validation[Good]) -> Judged[Good]:
        claims = claims_of(mode, sent.headers, body, self._settings.gateway_batch_events_max)
        return await judge_claims(claims, sent.agency, validation, batched=mode == "batch")

    async def _store(self, agency: Agency, accepted: Sequence[tuple[int, Admitted]]) -> tuple[Stored, list[Repeat]]:
        """The events with their offsets, and which of them are repeats. Raises `Problem` where Kafka has not
        acknowledged them."""
        places = [place for place, _ in accepted]
        ids = [event.id for _, event in accepted]
        values = [event.event_bytes for _, event in accepted]
        if not values:
            return Stored([], [], [], []), []
        try:
            offsets = await self._writer.write(agency_topic(agency.code), values)
        except NotStored:
            raise Problem("kafka-away", retry_after_s=1) from None
        except OutcomeUnknown:
            raise Problem("outcome-unknown", retry_after_s=1) from None
        count("gateway_events_stored", len(offsets), agency=agency.code)
        repeats = self.recent.add(agency.code, places, ids, offsets, values)
        return Stored(places, ids, offsets, values), repeats

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


async def judge_claims(claims: Claims, agency: Agency, validation: Validation[Good], *, batched: bool) -> Judged[Good]:
    """The verdict on each claim, by the registrar's own code."""
    judged: Judged[Good] = Judged(batched, [], [])
    headers = claims.headers
    for place, value in enumerate(claims.values):
        if place and place % _JUDGED_AT_ONCE == 0:
            await asyncio.sleep(0)
        verdict = validation(value, headers, agency)
        if isinstance(verdict, Refused):
            judged.refused.append(EventFaults(place, verdict.faults, verdict.claimed_id))
        else:
            judged.accepted.append((place, verdict))
    return judged
