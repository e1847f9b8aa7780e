"""Publishing over HTTP: request, claims, validation, Kafka, signed receipt.

Flows in: an HTTP request of an authenticated caller. Flows out: a receipt for the events that are stored, or the
faults. A request with a fault stores nothing, unless its sender asked for `partial`.

One receipt covers the events of a request that Kafka has acknowledged. The signed text is one line:
`urn:yesser:receipt:v1 ` and the hexadecimal SHA-256 of the RFC 8785 form (UTF-8, names sorted, no white space) of the
answer's member `receipt`, which anyone can recompute from the parsed answer. The signature is Ed25519 with the
gateway's own key, in base64. `key` names it as `<name>+<key id>`, the beginning of its verifier key (`vkey`).
"""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

import orjson
from starlette.datastructures import Headers as HttpHeaders
from starlette.requests import Request

from events.validation.validate import validate, validate_form
from events.validation.verdicts import Accepted, Admitted, Agency, first_day_ahead
from events.values.bilingual import Language
from events.wire.entry import recorded_time
from infra.clock import Clock
from infra.http.body import BodyLimits, RawHeaders, read_body
from infra.http.problems import Problem, language_of
from infra.http.rate_limits import Quota
from infra.kafka.client_config import agency_topic
from infra.log.key_history import key_name
from infra.log.receipt import RECEIPT_KIND, signed_line
from infra.observability.telemetry import count
from infra.private_keys.key_files import KeyRing
from infra.settings import Settings
from producers.errors import OutcomeUnknown
from producers.gateway.answers import AheadRow, StoredAnswer
from producers.gateway.http.content_mode import content_of, split_batch
from producers.gateway.http.protocol import WHOLE
from producers.gateway.recent import Recent, Repeat, Stored
from producers.gateway.validating import Claims, Refusal, Verdicts, listed_faults, validate_claims
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

    def __init__(self, settings: Settings, writer: KafkaWriter, signer: ReceiptSigner, clock: Clock) -> None:
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
        first_day = first_day_ahead(self._clock())
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


class ReceiptSigner:
    """Signs receipts with the gateway's current key; `keys` also has those before it, which verify older receipts."""

    def __init__(self, keys: KeyRing) -> None:
        self.use(keys)

    def use(self, keys: KeyRing) -> None:
        """Sign with these keys from now on, after a rotation."""
        self.keys = keys
        self.key_name = key_name(keys.current.verifier)

    def receipt(self, agency: str, time: str, stored: Stored) -> StoredAnswer:
        """The answer with its signed receipt. `time` is the gateway's, RFC 3339."""
        receipt = receipt_bytes(agency, time, stored)
        signature = base64.b64encode(self.keys.current.signature(signed_line(receipt).encode())).decode()
        return StoredAnswer(receipt=orjson.Fragment(receipt), key=self.key_name, signature=signature)


def receipt_bytes(agency: str, time: str, stored: Stored) -> bytes:
    """The RFC 8785 form of a receipt. No value has a character that JSON would escape, so it is written directly."""
    hashes = [sha256(value).hexdigest() for value in stored.values]
    address = f'{{"address":"{agency_topic(agency)}/0/'
    rows = ",".join(
        [
            f'{address}{offset}","event":{place},"id":"{id_}","sha256":"{hash_}"}}'
            for place, id_, offset, hash_ in zip(stored.places, stored.ids, stored.offsets, hashes, strict=True)
        ]
    )
    return f'{{"agency":"{agency}","events":[{rows}],"kind":"{RECEIPT_KIND}","time":"{time}"}}'.encode()
