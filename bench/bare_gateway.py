"""The peers: Starlette applications that only forward what they are sent to Kafka, on the same server as the gateway.

python -m bench.bare_gateway body|events PORT

`body` forwards each body as one record. `events` cuts it and forwards each event as a record of its own by the
gateway's own writer, as the log needs them, and looks at nothing: what the gateway costs beyond it are its verdicts,
its receipts, and its manners.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final

import msgspec
import uvicorn
import uvloop
from aiokafka import AIOKafkaProducer
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from infra.kafka.client_config import PRODUCER_DURABLE, agency_topic, client_arguments
from infra.settings import Settings
from producers.gateway.writer import KafkaWriter

TOPIC: Final = agency_topic("health")
BATCH_BYTES_MAX: Final = 126_976
Store = Callable[[bytes], Awaitable[object]]


async def serve(kind: str, port: int) -> None:
    """Answer until the process is ended."""
    async with {"body": storing_bodies, "events": storing_events}[kind](Settings().acting_as("gateway")) as store:
        application = Starlette(routes=[Route("/v1/events", forwarding(store), methods=["POST"])])
        configuration = uvicorn.Config(
            application, port=port, http="httptools", ws="none", lifespan="off", access_log=False, log_config=None
        )
        await uvicorn.Server(configuration).serve()


def forwarding(store: Store) -> Callable[[Request], Awaitable[Response]]:
    async def forward(request: Request) -> Response:
        await store(await request.body())
        return Response(b"{}", 202, media_type="application/json")

    return forward


@asynccontextmanager
async def storing_bodies(settings: Settings) -> AsyncIterator[Store]:
    arguments = client_arguments(settings)
    async with AIOKafkaProducer(**arguments, **PRODUCER_DURABLE, max_batch_size=BATCH_BYTES_MAX) as producer:
        yield lambda body: producer.send_and_wait(TOPIC, body)


@asynccontextmanager
async def storing_events(settings: Settings) -> AsyncIterator[Store]:
    """Cut an array as the gateway does, by msgspec."""
    writer = KafkaWriter(settings)
    writer.start()
    array = msgspec.json.Decoder(list[msgspec.Raw])
    yield lambda body: writer.write(
        TOPIC, [bytes(part) for part in array.decode(body)] if body.startswith(b"[") else [body]
    )
    await writer.stop()


if __name__ == "__main__":
    uvloop.run(serve(sys.argv[1], int(sys.argv[2])))
