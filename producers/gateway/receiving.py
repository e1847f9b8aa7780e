"""Publishing over HTTP: request, claims, validation, Kafka, signed receipt.

Flows in: an HTTP request of an authenticated caller. Flows out: a receipt for the events that are stored, or the
faults. A request with a fault stores nothing, unless its sender asked for `partial`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from starlette.datastructures import Headers as HttpHeaders
from starlette.requests import Request

from events.validation.validate import validate, validate_form
from events.validation.verdicts import Accepted, Admitted, Agency
from events.values.bilingual import Language
from events.wire.entry import recorded_time
from infra.http.body import BodyLimits, RawHeaders, read_body
from infra.http.problems import Problem, language_of
from infra.http.rate_limits import Quota
from infra.kafka.client_config import agency_topic
from infra.observability.telemetry import count
from infra.settings import Settings
from producers.errors import OutcomeUnknown
from producers.gateway.acknowledgements import ReceiptSigner
from producers.gateway.answers import AheadRow, StoredAnswer
from producers.gateway.http.content_mode import content_of
from producers.gateway.http.protocol import WHOLE
from producers.gateway.http.splitting import split_batch
from producers.gateway.problems import listed_faults
from producers.gateway.recent import Recent, Repeat, Stored
from producers.gateway.validating import Claims, Refusal, Verdicts, validate_claims
from producers.gateway.writer import KafkaWriter, NotStored

_CLOSE: Final = {"Connection": "close"}


@dataclass(frozen=True, slots=True)
class Sent:
    """A request with events: its ASGI headers, body and sender. `is_whole`: the whole body has arrived."""

    headers: RawHeaders
    stream: AsyncIterator[bytes]
    agency: Agency
    is_whole: bool = False

    @classmethod
    def of(cls, request: Request, agency: Agency) -> Sent:
        scope = request.scope
        return cls(scope["headers"], request.stream(), agency, WHOLE in scope.get("extensions", ()))

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
        self.recent = Recent()
        self._signer = signer
        self._clock = clock
        self._held_bytes = 0
        self._holders = Quota(settings.gateway_holder_bytes_max)

    async def validate(self, sent: Sent) -> Verdicts[Accepted]:
        """Read a request and validate its events. Raises `Problem` where it cannot be read."""
        with self._holding(sent.agency.code) as held:
            claims = await self._read(sent, held)
            return await validate_claims(claims, sent.agency, validate)

    async def receive(self, sent: Sent, *, partial: bool) -> tuple[StoredAnswer, list[Repeat]]:
        """Store the events; returns the answer, and the events whose ids this gateway received recently.

        Raises `Problem` or `Refusal` where nothing was stored.
        """
        agency = sent.agency
        with self._holding(agency.code) as held:
            claims = await self._read(sent, held)
            verdicts = await validate_claims(claims, agency, validate_form)
            if verdicts.refused and not (partial and verdicts.accepted):
                raise Refusal(verdicts.refused, batched=verdicts.batched)
            stored, repeats = await self._store(agency.code, verdicts.accepted)
        answer = self._signer.receipt(agency.code, recorded_time(self._clock()), stored)
        if ahead := self._ahead(verdicts.accepted):
            answer.ahead = ahead
        if verdicts.refused:
            answer.refused, answer.unlisted = listed_faults(verdicts.refused, verdicts.batched, sent.language)
        return answer, repeats

    async def _store(self, agency: str, accepted: Sequence[tuple[int, Admitted]]) -> tuple[Stored, list[Repeat]]:
        """The stored events with their offsets, and the repeats. Raises `Problem` unless Kafka acknowledged them."""
        values = [event.event_bytes for _, event in accepted]
        if not values:
            return Stored([], [], [], []), []
        try:
            offsets = await self._writer.write(agency_topic(agency), values)
        except NotStored:
            raise Problem("kafka-away", retry_after_s=1) from None
        except OutcomeUnknown:
            raise Problem("outcome-unknown", retry_after_s=1) from None
        count("gateway_events_stored", len(offsets), agency=agency)
        stored = Stored([place for place, _ in accepted], [event.id for _, event in accepted], offsets, values)
        return stored, self.recent.add(agency, stored)

    def _ahead(self, accepted: Sequence[tuple[int, Admitted]]) -> list[AheadRow]:
        # By the first letters, YYYY-MM-DD: whatever its offset, such a time is more than a day ahead.
        first_day = (self._clock() + timedelta(days=2)).date().isoformat()
        return [AheadRow(place, event.id, event.time) for place, event in accepted if event.time >= first_day]

    async def _read(self, sent: Sent, held: Callable[[int], None]) -> Claims:
        """The claims of a request. Raises `Problem`."""
        settings = self._settings
        content = content_of(sent.headers)
        timeout_s = None if sent.is_whole else settings.gateway_body_timeout_s
        limits = BodyLimits(settings.gateway_body_bytes_max, timeout_s, held)
        body = await read_body(sent.stream, sent.headers, limits)
        values = split_batch(body, settings.gateway_batch_events_max) if content.batched else [body]
        return Claims(values, content.record_headers, content.batched)

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
