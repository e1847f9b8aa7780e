"""Scenario: agencies send events to the gateway, and again where they got no receipt, while the registrar registers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import sha256
from itertools import chain
from types import MappingProxyType
from typing import Any, Final

import httpx
import orjson

from events.validation.verdicts import Agency
from infra.http.problems import Problem, problem_document
from infra.kafka.client_config import agency_topic
from infra.private_keys.key_files import gateway_key_files, load_or_create_keys
from infra.settings import Settings
from producers.errors import OutcomeUnknown
from producers.gateway.acknowledgements import ReceiptSigner
from producers.gateway.receiving import Receiver, Sent
from producers.gateway.writer import KafkaWriter
from producers.sdk.acknowledgements import verified_receipts
from producers.sdk.answers import Receipt
from producers.sdk.batches import batch_of
from producers.sdk.connection import ClientLimits, Connection, Request
from producers.sdk.problems import NotServed
from tests.scenarios.invariants import broken_invariants, read_topic
from tests.simulate.numbering import (
    BASE_ENTRIES,
    REGISTRAR,
    accepted_ids,
    broken_by_power,
    found_agencies,
    raw_log,
    unregistered,
)
from tests.simulate.worlds import Role, World, now
from tests.world.records import HEALTH, LABOUR, said

BATCH: Final = "application/cloudevents-batch+json"
REQUESTS: Final[Sequence[tuple[Agency, Sequence[Sequence[str]]]]] = (
    (HEALTH, (("a1", "a2"), ("a3",))),
    (HEALTH, (("b1",), ("b2",))),
    (LABOUR, (("1", "2"),)),
)
"""What each client sends: the ids of its requests, each of which follows the receipt of the one before."""
SENT: Final = sum(len(ids) for _, requests in REQUESTS for ids in requests)


class Receiving:
    """Clients of the SDK, the gateway behind its routes, and the registrar."""

    name = "gateway"
    settings: Mapping[str, Any] = MappingProxyType({})

    def __init__(self) -> None:
        self.roles: Sequence[Role] = (REGISTRAR, Role("gateway", self._gateway))
        self._gateways: list[_Gateway] = []
        """Those that take requests, the newest last."""
        self._receipts: list[Receipt] = []
        self._clients = 0
        self._world: World

    def _gateway(self, settings: Settings) -> _Gateway:
        return _Gateway(settings, self._world, self._gateways)

    async def found(self, world: World) -> None:
        self._world = world
        load_or_create_keys(gateway_key_files(world.settings))
        await found_agencies(world)

    async def act(self, world: World) -> None:
        self._receipts, self._clients = [], len(REQUESTS)
        await asyncio.gather(*(self._send(agency, requests) for agency, requests in REQUESTS))

    async def _send(self, agency: Agency, requests: Sequence[Sequence[str]]) -> None:
        """A client. What the SDK does not get stored in time, its caller sends again."""
        keys = load_or_create_keys(gateway_key_files(self._world.settings))
        way = _Way(agency, self._gateways)
        async with httpx.AsyncClient(transport=way, base_url="http://gateway", trust_env=False) as http:
            connection = Connection(http, ClientLimits(), chance=lambda: 0.5)
            for ids in requests:
                events = [said(id_, agency=agency) for id_ in ids]
                request = Request("/v1/events", batch_of(events), BATCH, stores=True)
                answer = None
                for _ in range(2):
                    try:
                        answer = await connection.ask(request)
                        break
                    except (NotServed, OutcomeUnknown):
                        continue
                if answer is None:
                    return
                self._receipts += verified_receipts(answer, events, keys.current.verifier)[0]
        self._clients -= 1

    async def unfinished(self, world: World) -> str | None:
        if self._clients:
            return f"{self._clients} clients have receipts for {len(self._receipts)} of {SENT} events"
        return await unregistered(world)

    async def broken(self, world: World) -> list[str]:
        raw = await raw_log(world)
        found = await broken_invariants(world.settings, raw)
        for agency in (HEALTH, LABOUR):
            topic = agency_topic(agency.code)
            accepted, records = accepted_ids(raw, topic), await read_topic(world.settings, topic)
            stored = {f"{topic}/0/{record.offset}": sha256(record.value).hexdigest() for record in records}
            for receipt in (receipt for receipt in self._receipts if receipt.agency == agency.code):
                if stored.get(receipt.address) != receipt.sha256 or accepted.count(receipt.id) != 1:
                    found.append(f"{receipt.id} has a receipt for {receipt.address}, and the log has {accepted}")
            for ids in ([*chain(*requests)] for sender, requests in REQUESTS if sender == agency):
                if [id_ for id_ in accepted if id_ in ids] != ids:
                    found.append(f"{topic}: accepted are {accepted}, and {ids} were sent in this order")
        if len(raw) != BASE_ENTRIES + SENT:
            found.append(f"the log has {len(raw)} entries, and not {BASE_ENTRIES + SENT}")
        return found

    async def broken_by_power(self, world: World) -> list[str]:
        return await broken_by_power(world)


class _Gateway:
    """A process with what the gateway's route calls. Its requests are cut when it ends."""

    def __init__(self, settings: Settings, world: World, gateways: list[_Gateway]) -> None:
        self._settings, self._world, self._gateways = settings.acting_as("gateway"), world, gateways
        self._arrived: asyncio.Queue[tuple[Sent, asyncio.Future[httpx.Response]]] = asyncio.Queue()
        self._open: set[asyncio.Future[httpx.Response]] = set()

    async def run(self, _: asyncio.Event) -> None:
        writer = KafkaWriter(self._settings)
        signer = ReceiptSigner(load_or_create_keys(gateway_key_files(self._settings)))
        receiver = Receiver(self._settings, writer, signer, now)
        requests = set()
        writer.start()
        with self._listening():
            try:
                while True:
                    # Of this process, and not of the client: a fault there is one of this process.
                    requests.add(asyncio.create_task(self._answer(receiver, *await self._arrived.get())))
            finally:
                for request in requests:
                    request.cancel()
                await asyncio.gather(writer.stop(), *requests, return_exceptions=True)

    @contextmanager
    def _listening(self) -> Iterator[None]:
        self._gateways.append(self)
        try:
            yield
        finally:
            self._gateways.remove(self)
            for answer in [*self._open]:
                _cut(answer)

    async def ask(self, sent: Sent) -> httpx.Response:
        """A client's request. Raises `httpx.ReadError` where the connection is lost."""
        answer: asyncio.Future[httpx.Response] = asyncio.get_running_loop().create_future()
        self._open.add(answer)
        answer.add_done_callback(self._open.discard)
        self._arrived.put_nowait((sent, answer))
        return await answer

    async def _answer(self, receiver: Receiver, sent: Sent, answer: asyncio.Future[httpx.Response]) -> None:
        async def receive() -> httpx.Response:
            try:
                body, _ = await receiver.receive(sent, partial=False)
            except Problem as problem:
                return httpx.Response(problem.status, headers=problem.headers, json=problem_document(problem, "en"))
            return httpx.Response(202, content=orjson.dumps(body))

        try:
            response = await self._world.over_http(
                f"events.{sent.agency.code}", receive, lambda: ConnectionResetError("simulated")
            )
            if not answer.done():
                answer.set_result(response)
        finally:
            _cut(answer)


def _cut(answer: asyncio.Future[httpx.Response]) -> None:
    if not answer.done():
        answer.set_exception(httpx.ReadError("simulated"))


class _Way(httpx.AsyncBaseTransport):
    """The way of an agency's requests to the newest gateway."""

    def __init__(self, agency: Agency, gateways: Sequence[_Gateway]) -> None:
        self._agency, self._gateways = agency, gateways

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if not self._gateways:
            raise httpx.ConnectError("no gateway listens")
        headers = [(name.lower(), value) for name, value in request.headers.raw]
        return await self._gateways[-1].ask(Sent(headers, _parts(request.content), self._agency, is_whole=True))


async def _parts(body: bytes) -> AsyncIterator[bytes]:
    yield body
