"""Publishing over HTTP: request, claims, validation, Kafka, signed receipt.

Flows in: an HTTP request of an authenticated caller. Flows out: a receipt for the events that are stored, or the
faults. A request with a fault stores nothing, unless its sender asked for `partial`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Generic, TypeVar

from starlette.datastructures import Headers as HttpHeaders

from events.validation.validate import validate, validate_form
from events.validation.verdicts import Accepted, Admitted, Agency, Refused
from events.values.bilingual import Language
from events.wire.entry import recorded_time
from events.wire.kafka_binding import Headers
from infra.http.body import BodyLimits, RawHeaders, read_body
from infra.http.problems import Problem, language_of
from infra.http.quotas import Quota
from infra.kafka.client_config import agency_topic
from infra.observability.telemetry import count
from infra.settings import Settings
from producers.errors import OutcomeUnknown
from producers.gateway.acknowledgements import ReceiptSigner, Stored
from producers.gateway.answers import StoredAnswer
from producers.gateway.http.content_mode import Claims, Mode, claims_of, mode_of
from producers.gateway.http.problems import EventFaults, Refusal, listed_faults
from producers.gateway.recent import Recent, Repeat
from producers.gateway.writer import KafkaWriter, NotStored

_VALIDATED_FOR_S: Final = 0.005
"""Time for which a request's events are validated before other requests get to run."""

_CLOSE: Final = {"Connection": "close"}
Good = TypeVar("Good", bound=Admitted)
Validation = Callable[[bytes, Headers, Agency], Good | Refused]
"""`validate_form`, or `validate` where the events' identities are needed too."""


@dataclass(frozen=True, slots=True)
class Verdicts(Generic[Good]):
    """The verdict on every event of a request, with its position."""

    batched: bool
    accepted: list[tuple[int, Good]]
    refused: list[EventFaults]


@dataclass(frozen=True, slots=True)
class Sent:
    """A request with events: its ASGI headers, body and sender. `is_whole`: the whole body has arrived."""

    headers: RawHeaders
    stream: AsyncIterator[bytes]
    agency: Agency
    is_whole: bool = False

    @property
    def language(self) -> Language:
        """The language of the answer's messages."""
        return language_of(HttpHeaders(raw=list(self.headers)).get("accept-language"))


class Receiver:
    """Stores agencies' events. `clock` gives the gateway's time for receipts."""

    def __init__(
        self, settings: Settings, writer: KafkaWriter, signer: ReceiptSigner, clock: Callable[[], datetime]
    ) -> None:
        self._settings = settings
        self._writer = writer
        self._signer = signer
        self._clock = clock
        self._held_bytes = 0
        self._holders = Quota(settings.gateway_holder_bytes_max)
        self.recent = Recent()

    async def validate(self, sent: Sent) -> Verdicts[Accepted]:
        """Read a request and validate its events. Raises `Problem` where it cannot be read."""
        with self._holding(sent.agency.code) as held:
            mode, body = await self._read(sent, held)
            return await self._validate(sent, mode, body, validate)

    async def receive(self, sent: Sent, *, partial: bool) -> tuple[StoredAnswer, list[Repeat]]:
        """Store the events; returns the answer, and the events whose ids this gateway received recently.

        Raises `Problem` or `Refusal` where nothing was stored.
        """
        agency = sent.agency
        with self._holding(agency.code) as held:
            verdicts = await self._validate(sent, *await self._read(sent, held), validate_form)
            if verdicts.refused and not (partial and verdicts.accepted):
                raise Refusal(verdicts.refused, batched=verdicts.batched)
            stored, repeats = await self._store(agency, verdicts.accepted)
        answer = self._signer.receipt(agency.code, recorded_time(self._clock()), stored)
        if verdicts.refused:
            answer.refused, answer.unlisted = listed_faults(verdicts.refused, verdicts.batched, sent.language)
        return answer, repeats

    async def _read(self, sent: Sent, held: Callable[[int], None]) -> tuple[Mode, bytes]:
        settings = self._settings
        mode = mode_of(sent.headers)
        timeout_s = None if sent.is_whole else settings.gateway_body_timeout_s
        limits = BodyLimits(settings.gateway_body_bytes_max, timeout_s, held)
        return mode, await read_body(sent.stream, sent.headers, limits)

    async def _validate(self, sent: Sent, mode: Mode, body: bytes, validation: Validation[Good]) -> Verdicts[Good]:
        claims = claims_of(mode, sent.headers, body, self._settings.gateway_batch_events_max)
        return await validate_claims(claims, sent.agency, validation, batched=mode == "batch")

    async def _store(self, agency: Agency, accepted: Sequence[tuple[int, Admitted]]) -> tuple[Stored, list[Repeat]]:
        """The stored events with their offsets, and the repeats. Raises `Problem` unless Kafka acknowledged them."""
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
    def _holding(self, holder: str) -> Iterator[Callable[[int], None]]:
        """Counts the bytes of a request while they are in memory. Raises `Problem` above the limit for this holder
        (429) and for all requests (503)."""
        mine = 0

        def hold(size: int) -> None:
            nonlocal mine
            if self._held_bytes + size > self._settings.gateway_waiting_bytes_max:
                raise Problem("overloaded", retry_after_s=1, headers=_CLOSE)
            self._holders.take(holder, size)
            mine += size
            self._held_bytes += size

        try:
            yield hold
        finally:
            self._held_bytes -= mine
            self._holders.give_back(holder, mine)


async def validate_claims(
    claims: Claims, agency: Agency, validation: Validation[Good], *, batched: bool
) -> Verdicts[Good]:
    """The verdict on each claim, by the registrar's own code."""
    verdicts: Verdicts[Good] = Verdicts(batched, [], [])
    headers = claims.headers
    began = time.monotonic()
    for place, value in enumerate(claims.values):
        if time.monotonic() - began > _VALIDATED_FOR_S:
            await asyncio.sleep(0)
            began = time.monotonic()
        verdict = validation(value, headers, agency)
        if isinstance(verdict, Refused):
            verdicts.refused.append(EventFaults(place, verdict.faults, verdict.claimed_id, verdict.unlisted))
        else:
            verdicts.accepted.append((place, verdict))
    return verdicts
