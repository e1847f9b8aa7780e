"""The peer: a Starlette application that only forwards the body to Kafka, on the same server as the gateway.

python -m tests.bench.bare_gateway PORT
"""

from __future__ import annotations

import sys

import uvicorn
import uvloop
from aiokafka import AIOKafkaProducer
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from infra.kafka import PRODUCER_DURABLE, agency_topic, client_arguments
from infra.kafka_admin import GATEWAY_USER
from infra.settings import Settings


async def serve(port: int) -> None:
    """Answer until the process is told to end."""
    arguments = client_arguments(Settings(), GATEWAY_USER)
    producer = AIOKafkaProducer(**arguments, **PRODUCER_DURABLE, max_batch_size=126_976)
    await producer.start()

    async def forward(request: Request) -> Response:
        body = await request.body()
        await producer.send_and_wait(agency_topic("health"), body)
        return Response(b"{}", 202, media_type="application/json")

    app = Starlette(routes=[Route("/v1/events", forward, methods=["POST"])])
    configuration = uvicorn.Config(
        app, port=port, http="httptools", ws="none", lifespan="off", access_log=False, log_config=None
    )
    await uvicorn.Server(configuration).serve()
    await producer.stop()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1])))
