"""Publishes a typed event to the agency's own topic with FastStream, and prints its log index. Run it twice: safe."""

import asyncio
from os import environ

from events.types.services import ServiceLaunched
from infra.settings import Settings
from producers.sdk.faststream_events import EventPublisher, event_broker

broker = event_broker(Settings())  # YESSER_KAFKA, YESSER_KAFKA_USER, …_PASSWORD
launched = EventPublisher(broker, environ["YESSER_AGENCY"], ServiceLaunched)


async def main() -> None:
    async with broker:
        data = ServiceLaunched(service_id="passports", on="2006-05-01", channels=["web"])
        stored = await launched.publish(data, "launch-passports", "2006-05-01T09:00:00+03:00")
    print(f"{stored.topic}/{stored.partition}/{stored.offset}")


if __name__ == "__main__":
    asyncio.run(main())
