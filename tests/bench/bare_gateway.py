"""The peers: Starlette applications that only forward what they are sent to Kafka, on the same server as the gateway.

python -m tests.bench.bare_gateway body|events PORT

`body` forwards each body as one record. `events` cuts it and forwards each event as a record of its own, as the log
needs them, and looks at nothing: what the gateway costs beyond it are its verdicts, its receipts, and its manners.
"""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable

import uvicorn
import uvloop
from aiokafka import AIOKafkaProducer
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from events.codec import STRUCTURED_HEADERS
from infra.kafka import PRODUCER_DURABLE, agency_topic, client_arguments
from infra.kafka_admin import GATEWAY_USER
from infra.settings import Settings

TOPIC = agency_topic("health")
BATCH_BYTES_MAX = 126_976


async def serve(kind: str, port: int) -> None:
    """Answer until the process is told to end."""
    arguments = client_arguments(Settings(), GATEWAY_USER)
    producer = AIOKafkaProducer(**arguments, **PRODUCER_DURABLE, max_batch_size=BATCH_BYTES_MAX)
    await producer.start()
    forward = forwarding(producer, {"body": as_one_record, "events": as_records}[kind])
    configuration = uvicorn.Config(
        Starlette(routes=[Route("/v1/events", forward, methods=["POST"])]),
        port=port,
        http="httptools",
        ws="none",
        lifespan="off",
        access_log=False,
        log_config=None,
    )
    await uvicorn.Server(configuration).serve()
    await producer.stop()


def forwarding(
    producer: AIOKafkaProducer, send: Callable[[AIOKafkaProducer, bytes], Awaitable[None]]
) -> Callable[[Request], Awaitable[Response]]:
    async def forward(request: Request) -> Response:
        await send(producer, await request.body())
        return Response(b"{}", 202, media_type="application/json")

    return forward


async def as_one_record(producer: AIOKafkaProducer, body: bytes) -> None:
    await producer.send_and_wait(TOPIC, body)


async def as_records(producer: AIOKafkaProducer, body: bytes) -> None:
    """Cut where one event ends and the next begins; the load holds nothing that looks so within an event."""
    builder = producer.create_batch()
    for value in body.strip(b"[]").replace(b"},{", b"}\n{").split(b"\n"):
        builder.append(key=None, value=value, timestamp=None, headers=STRUCTURED_HEADERS)
    acknowledgement = await producer.send_batch(builder, TOPIC, partition=0)
    await acknowledgement


if __name__ == "__main__":
    uvloop.run(serve(sys.argv[1], int(sys.argv[2])))
