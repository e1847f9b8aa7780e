"""From a published launch to the topic that the agency's own credential reads."""

from __future__ import annotations

import asyncio
import time
from statistics import median, quantiles

import orjson
import pytest
from aiokafka import AIOKafkaConsumer

from events.types.services import ServiceLaunched, ServiceRegistered
from events.values.fields import L
from infra.kafka.client_config import agency_triggers_topic, client_arguments
from infra.settings import Settings
from producers.publisher.kafka_publisher import AgencyPublisher
from producers.sdk.typed_events import typed_event
from tests.scenarios.figures import tell
from tests.scenarios.system import System

pytestmark = pytest.mark.stack

AGENCY = "launching"
LAUNCHES = 40
BETWEEN_S = 0.05
TIME = "2006-05-01T09:00:00+03:00"
LONGEST_S = 240.0
"""Never reached, also on a busy machine."""


async def seconds_to_the_topic(settings: Settings) -> list[float]:
    """The seconds from each launch until its trigger was read; each once."""
    arguments = client_arguments(settings, f"agency-{AGENCY}")
    consumer = AIOKafkaConsumer(
        agency_triggers_topic(settings, AGENCY),
        group_id=f"agency.{AGENCY}.desk",
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        **arguments,
    )
    await consumer.start()
    read: dict[str, float] = {}
    published: dict[str, float] = {}

    async def receive() -> None:
        async for record in consumer:
            service: str = orjson.loads(record.value)["data"]["service_id"]
            assert service not in read, "a trigger came twice while nothing was stopped"
            read[service] = time.monotonic()
            if len(read) == LAUNCHES:
                return

    receiving = asyncio.create_task(receive())
    try:
        async with AgencyPublisher(settings, AGENCY) as publisher:
            name = L(ar="خدمة", en="Service")
            services = [f"L-{number}" for number in range(LAUNCHES)]
            registered = [ServiceRegistered(service_id=s, plan_id="P", group=1, name=name) for s in services]
            await publisher.publish([typed_event(AGENCY, data, f"r-{data.service_id}", TIME) for data in registered])
            for service in services:
                data = ServiceLaunched(service_id=service, on="2006-05-01", channels=["web"])
                published[service] = time.monotonic()
                await publisher.publish([typed_event(AGENCY, data, f"l-{service}", TIME)])
                await asyncio.sleep(BETWEEN_S)
        await asyncio.wait_for(receiving, LONGEST_S)
    finally:
        receiving.cancel()
        await consumer.stop()
    return [read[service] - published[service] for service in services]


def test_a_launch_reaches_its_agency_once(system: System) -> None:
    system.add_agencies([(AGENCY, "agency")])
    taken = asyncio.run(seconds_to_the_topic(system.settings))
    p99 = quantiles(taken, n=100)[98]
    tell(f"published launch → agency's topic: p50 {median(taken) * 1000:.0f} ms, p99 {p99 * 1000:.0f} ms")
    system.settle()
