"""A gateway in a simulation: what its route calls, without a server; and the way of a client's requests to it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager

import httpx

from events.validation.verdicts import Agency
from infra.http.problems import Problem, problem_document
from infra.json_documents import to_json
from infra.private_keys.key_files import gateway_key_files, load_or_create_keys
from infra.settings import Settings
from producers.gateway.receiving import ReceiptSigner, Receiver, Sent
from producers.gateway.writer import KafkaWriter
from tests.simulate.worlds import World, now


class SimulatedGateway:
    """A process with what the gateway's route calls. Its requests are cut when it ends."""

    def __init__(self, settings: Settings, world: World, gateways: list[SimulatedGateway]) -> None:
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
            return httpx.Response(202, content=to_json(body))

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


class Way(httpx.AsyncBaseTransport):
    """The way of an agency's requests to the newest gateway."""

    def __init__(self, agency: Agency, gateways: Sequence[SimulatedGateway]) -> None:
        self._agency, self._gateways = agency, gateways

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if not self._gateways:
            raise httpx.ConnectError("no gateway listens")
        headers = [(name.lower(), value) for name, value in request.headers.raw]
        return await self._gateways[-1].ask(Sent(headers, _parts(request.content), self._agency, is_whole=True))


async def _parts(body: bytes) -> AsyncIterator[bytes]:
    yield body
