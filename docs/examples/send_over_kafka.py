"""Sends events to the agency's own Kafka topic, in order, and shows their places in the log. Run it twice: safe."""

import asyncio
from os import environ

from events.types.services import ServiceLaunched
from infra.settings import Settings
from producers.publisher.kafka_publisher import AgencyPublisher
from producers.sdk.typed_events import typed_event


async def main() -> None:
    agency, time = environ["YESSER_AGENCY"], "2006-05-01T09:00:00+03:00"
    services = [ServiceLaunched(service_id=id, on="2006-05-01", channels=["web"]) for id in ("permits", "licences")]
    events = [typed_event(agency, data, f"launch-{data.service_id}", time) for data in services]
    async with AgencyPublisher(Settings(), agency) as publisher:  # YESSER_KAFKA, YESSER_KAFKA_USER, …_PASSWORD
        print(*await publisher.publish(events), sep="\n")


asyncio.run(main())
