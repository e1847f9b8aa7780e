"""`AgencyClient`: an agency's events over HTTP, each answered with a signed receipt, a verdict and a proof.

Flows in: the bytes of events (`producers.sdk.typed_events` builds them from the models of the catalogue). Flows out:
receipts verified against the gateway's key and the bytes that were sent. To publish over Kafka use
`producers.publisher.kafka_publisher`.

Events are split into requests within the gateway's limits, with their bytes unchanged.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, Self, cast
from urllib.parse import quote

import httpx

from events.validation.verdicts import Agency
from events.values.fields import Role
from infra.addresses import server_address
from infra.errors import WaitTimedOut
from infra.json_documents import from_json
from infra.log.key_history import KeyHistory, key_name, parse_history
from infra.log.signed_note import InvalidNote, Verifier, parse_vkey
from infra.settings import Settings
from infra.tls.certificate_files import TlsFiles
from infra.tls.plaintext import refuse_plain_http, require_loopback
from producers.errors import TopicHalted
from producers.sdk.acknowledgements import all_errors, key_named_in, unlisted_errors, verified_proof, verified_receipts
from producers.sdk.answers import (
    Account,
    EventError,
    Language,
    NotAGateway,
    Proof,
    Receipt,
    Registered,
    Validation,
    Verdict,
    VerdictPage,
    read_answer,
)
from producers.sdk.connection import ClientLimits, Connection, Request, authorisation, http_client
from producers.sdk.problems import (
    ClientClosed,
    EmptyEvent,
    GatewayProblem,
    NotASender,
    NotGenuine,
    RecordReplaced,
    RefusedByRegistrar,
)

_SINGLE: Final = "application/cloudevents+json"
_BATCH: Final = "application/cloudevents-batch+json"
_EVENTS: Final = "/v1/events"
_VALIDATE: Final = "/v1/events:validate"
_LONG_POLL_S: Final = 20.0
_PAGE_ROWS: Final = 500
_UNPROCESSABLE: Final = 422


@dataclass(slots=True)
class Sent:
    """The result of sending many events: receipts of the stored ones, faults of the others (`partial`)."""

    receipts: list[Receipt] = field(default_factory=list)
    refused: list[EventError] = field(default_factory=list)


class AgencyClient:
    """A client of one gateway with one token; an asynchronous context manager. Many tasks may use it at once.

    `gateway_key` is a verifier key of receipts; without it the client trusts the first key that the gateway shows. If
    the gateway's key is rotated, the client follows the signed history.
    `language` is that of problems. `tls` has the authority of the gateway's certificate, if it is a private one, and
    the client's own certificate, if the gateway asks for one. Leaving the block waits for open requests.

    An address that is none raises `NotAnAddress`, and one that is neither https nor on this machine `PlaintextRefused`
    before the token is sent, unless `dangerously_allow_plaintext`.

    Everything that sends raises `GatewayProblem` if the gateway refuses, `NotServed` or `OutcomeUnknown` after the
    timeout, `NotTrusted` for another server's certificate, and `NotGenuine` for a receipt that is not valid. Sending
    the same events again is always safe.
    """

    def __init__(
        self,
        address: str,
        token: str,
        *,
        language: Language = "en",
        gateway_key: str | None = None,
        limits: ClientLimits | None = None,
        tls: TlsFiles | None = None,
        dangerously_allow_plaintext: bool = False,
    ) -> None:
        self._limits = limits or ClientLimits()
        is_plain = _is_plain(address, dangerously_allow_plaintext)
        http = http_client(
            self._limits,
            None if is_plain else tls or TlsFiles(),
            trust_env=not is_plain,  # a proxy on the way could read a plain request
            address=address,
            headers=authorisation(token, language),
        )
        self._connection = Connection(http, self._limits)
        self._keys = None if gateway_key is None else KeyHistory((parse_vkey(gateway_key),))
        self._slots = asyncio.Semaphore(self._limits.requests_in_flight_max)
        self._is_open = False

    @classmethod
    def of(cls, settings: Settings, address: str, token: str, limits: ClientLimits | None = None) -> Self:
        """With the certificates and the permission for plain HTTP of the settings, which a refusal names."""
        if _is_plain(address, allowed=True):
            refuse_plain_http(settings, "gateway", "--gateway or --to", address)
        return cls(address, token, limits=limits, tls=TlsFiles.of(settings), dangerously_allow_plaintext=True)

    async def __aenter__(self) -> Self:
        self._is_open = True
        return self

    async def __aexit__(self, *error: object) -> None:
        self._is_open = False
        try:
            # Slots are granted in order: holding all of them means that all earlier requests are done.
            for _ in range(self._limits.requests_in_flight_max):
                await self._slots.acquire()
        finally:
            await self._connection.close()

    async def account(self) -> Account:
        """Whose token this is, what it may send, until when and within which limits."""
        return read_answer(Account, await self._ask("/v1/account", {}))

    async def sender(self, agency: str | None = None) -> Agency:
        """The agency that the token sends as. Raises `NotASender` if it sends nothing, or as another than `agency`."""
        account = await self.account()
        of = f"The token {account.key_id} is of {account.kind} {account.holder}"
        if account.topic is None:
            raise NotASender(f"{of}, with the scopes {', '.join(account.scopes)}. {NotASender.__doc__}")
        if agency not in (None, account.holder):
            raise NotASender(f"{of}, not {agency}: leave --agency and YESSER_AGENCY out. Nothing was sent.")
        return Agency(account.holder, cast(Role, account.kind))

    async def send(self, event: bytes) -> Receipt:
        """Send one event; returns its receipt once it is stored."""
        content = content_of(event)
        async with self._sending():
            receipts, _ = await self._post(Request(_EVENTS, content, _SINGLE, stores=True), [content])
        return receipts[0]

    async def send_many(self, events: Sequence[bytes], *, partial: bool = False) -> Sent:
        """Send events in order, in batches, each once the one before is stored.

        A batch with a faulty event stores nothing and ends the call; the problem's `receipts` are those of the batches
        before. With `partial` the valid events are stored and the others are returned with their faults. Raises
        `EmptyEvent` before anything is sent.
        """
        sent = Sent()
        async with self._sending():
            for first, batch in slices(events, self._limits.batch_events_max, self._limits.batch_bytes_max):
                await self._send_batch(first, batch, sent, partial=partial)
        return sent

    async def validate(self, events: Sequence[bytes]) -> list[EventError]:
        """The faults of form and authority of these events; none means valid. Nothing is stored.

        Raises `EmptyEvent`.
        """
        found: list[EventError] = []
        async with self._sending():
            for first, batch in slices(events, self._limits.batch_events_max, self._limits.batch_bytes_max):
                response = await self._connection.ask(Request(_VALIDATE, batch_of(batch), _BATCH))
                errors = all_errors(read_answer(Validation, response), len(batch))
                found += [error.moved(first) for error in errors]
        return found

    async def status(self, event_id: str, address: str | None = None) -> Verdict:
        """The verdict on an id or, with a receipt's `address`, on exactly that record."""
        parameters = {} if address is None else {"address": address}
        return read_answer(Verdict, await self._ask(f"{_EVENTS}/{quote(event_id, safe='')}", parameters))

    async def receipts(self, since: int = 0) -> AsyncIterator[Verdict]:
        """The verdict on every record of the agency from offset `since` on, sent over HTTP or Kafka; waits for more.

        Raises `TopicHalted` if the registrar halted the agency's topic.
        """
        while True:
            page = await self._page(since, _PAGE_ROWS, _LONG_POLL_S)
            for verdict in page.receipts:
                yield verdict
            if page.halted is not None and not page.receipts:
                raise TopicHalted(f"{TopicHalted.__doc__} {page.halted}")
            since = page.next

    async def wait_registered(self, receipt: Receipt, timeout_s: float = 60.0) -> Registered:
        """Wait for the registrar's verdict on a receipt's record: registered, or duplicate of an earlier entry.

        Raises `RefusedByRegistrar`, `RecordReplaced`, `TopicHalted`, or `WaitTimedOut` after `timeout_s`.
        """
        deadline = asyncio.get_running_loop().time() + timeout_s
        while (left_s := deadline - asyncio.get_running_loop().time()) > 0:
            page = await self._page(receipt.offset, 1, min(left_s, _LONG_POLL_S))
            for verdict in page.receipts:
                _require_same_record(receipt, verdict)
                if verdict.state == "lost":
                    raise RecordReplaced(f"{receipt.address}: {RecordReplaced.__doc__}")
                if verdict.state == "refused":
                    raise RefusedByRegistrar(verdict)
                return Registered.model_validate(verdict.model_dump())
            if page.halted is not None:
                raise TopicHalted(f"{TopicHalted.__doc__} {page.halted}")
        raise WaitTimedOut(f"{receipt.address} has no verdict after {timeout_s:g} s: it is stored, so try again later.")

    async def read(self, path: str) -> tuple[int, Any]:
        """A document of the read API, and the number of log entries that it shows. Raises `NotAGateway`."""
        return _read(await self._ask(path, {}))

    async def read_pages(self, path: str, parameters: Mapping[str, str], rows_max: int | None = None) -> list[Any]:
        """The pages of a list of the read API, all or as many as hold `rows_max` rows. Raises `NotAGateway`."""
        answer = await self._ask(path, parameters)
        pages: list[Any] = [_read(answer)[1]]
        while (following := answer.links.get("next", {}).get("url")) is not None:
            if rows_max is not None and sum(map(len, pages)) >= rows_max:
                break
            answer = await self._ask(following, {})
            pages.append(_read(answer)[1])
        return pages

    async def proof(self, index: int, log_key: str | None = None) -> Proof:
        """The entry at this index with its verified inclusion proof; waits until a signed checkpoint covers it.

        With `log_key`, any verifier key that the log has had, also verifies the checkpoint's signature. Raises
        `NotGenuine`.
        """
        proof = read_answer(Proof, await self._ask(f"/v1/proofs/{index}", {}))
        if proof.index != index:
            raise NotGenuine(f"Entry {proof.index} was given for entry {index}. {NotGenuine.__doc__}")
        return verified_proof(proof, None if log_key is None else parse_vkey(log_key))

    async def _send_batch(self, first: int, batch: Sequence[bytes], sent: Sent, *, partial: bool) -> None:
        """Send one batch, whose first event is at position `first` of all, and add the result to `sent`."""
        request = Request(_EVENTS, batch_of(batch), _BATCH, {"partial": "true"} if partial else {}, stores=True)
        try:
            receipts, refused = await self._post(request, batch)
        except GatewayProblem as error:
            errors = tuple(found.moved(first) for found in error.errors)
            if partial and error.problem.status == _UNPROCESSABLE:
                sent.refused += errors + unlisted_errors(range(first, first + len(batch)), errors)
                return
            problem = error.problem.model_copy(update={"errors": errors})
            raise GatewayProblem(problem, may_be_stored=error.may_be_stored, receipts=sent.receipts) from error
        sent.receipts += receipts
        sent.refused += [error.moved(first) for error in refused]

    async def _post(self, request: Request, events: Sequence[bytes]) -> tuple[list[Receipt], tuple[EventError, ...]]:
        await self._gateway_keys()
        answer = await self._connection.ask(request)
        return verified_receipts(answer, events, await self._key_of(answer))

    async def _gateway_keys(self) -> KeyHistory:
        """The keys of receipts: the given one, else the first that the gateway showed, and those that replaced it."""
        if self._keys is None:
            shown = await self._connection.ask(Request("/v1/key"))
            self._keys = self._keys or KeyHistory((parse_vkey(shown.text.strip()),))
        return self._keys

    async def _key_of(self, answer: httpx.Response) -> Verifier:
        """The key that the receipt names, if it is ours or one that replaced it; else ours, which did not sign it."""
        keys = await self._gateway_keys()
        named = key_named_in(answer)
        if all(named != key_name(key) for key in keys.keys):
            shown = await self._connection.ask(Request("/v1/keys"))
            try:
                keys = self._keys = parse_history(shown.text, keys.current)
            except InvalidNote as error:
                raise NotGenuine(f"The gateway's keys do not continue ours: {error}. {NotGenuine.__doc__}") from error
        return next((key for key in keys.valid_at(datetime.now(UTC)) if key_name(key) == named), keys.current)

    async def _page(self, since: int, limit: int, wait_s: float) -> VerdictPage:
        parameters = {"since": since, "limit": limit, "wait_s": round(wait_s, 3)}
        return read_answer(VerdictPage, await self._ask("/v1/receipts", parameters, wait_s))

    async def _ask(self, path: str, parameters: Mapping[str, str | int | float], wait_s: float = 0.0) -> httpx.Response:
        if not self._is_open:
            raise ClientClosed
        return await self._connection.ask(Request(path, parameters=parameters, wait_s=wait_s))

    @asynccontextmanager
    async def _sending(self) -> AsyncIterator[None]:
        """Hold one of the slots for sending. Raises `ClientClosed`."""
        if not self._is_open:
            raise ClientClosed
        async with self._slots:
            yield


def _is_plain(address: str, allowed: bool) -> bool:
    """Whether the address is plain HTTP. Raises `NotAnAddress`, and `PlaintextRefused` if it then leaves this machine
    and must not."""
    url = server_address(address)
    if url.scheme == "https":
        return False
    if not allowed:
        remedy = "use the gateway's https:// address, or give dangerously_allow_plaintext=True"
        require_loopback("The token", [url.host], remedy)
    return True


def _read(answer: httpx.Response) -> tuple[int, Any]:
    """The number of log entries that an answer of the read API shows, and its document. Raises `NotAGateway`."""
    try:
        return int(answer.headers["log-index"]), from_json(answer.content)
    except (KeyError, ValueError) as error:
        raise NotAGateway(f"{NotAGateway.__doc__} ({answer.request.url})") from error


def _require_same_record(receipt: Receipt, verdict: Verdict) -> None:
    """Raise `RecordReplaced` if the verdict is on another record. A verdict may lack the id or the hash."""
    if (verdict.id or receipt.id, verdict.sha256 or receipt.sha256) != (receipt.id, receipt.sha256):
        raise RecordReplaced(f"{receipt.address}: {RecordReplaced.__doc__}")


_WHITE_SPACE = b" \t\n\r"


def content_of(event: bytes) -> bytes:
    """The event without surrounding white space, so that its bytes are the same alone and in a batch."""
    return event.strip(_WHITE_SPACE)


def batch_of(events: Sequence[bytes]) -> bytes:
    """The body of a batch request."""
    return b"[" + b",".join(events) + b"]"


def slices(events: Sequence[bytes], events_max: int, bytes_max: int) -> Iterator[tuple[int, list[bytes]]]:
    """The events in order, in batches within both limits, each with the position of its first event.

    An event above the limit is sent alone, and the gateway answers whether it is too large. Raises `EmptyEvent` before
    the first batch.
    """
    contents = [content_of(event) for event in events]
    if b"" in contents:
        raise EmptyEvent(f"the event at position {contents.index(b'')} is empty: leave it out, then send the others")
    first, batch, size = 0, list[bytes](), 0
    for place, event in enumerate(contents):
        if batch and (len(batch) >= events_max or size + len(event) + 1 > bytes_max):
            yield first, batch
            first, batch, size = place, [], 0
        batch.append(event)
        size += len(event) + 1
    if batch:
        yield first, batch
