"""Keeps what happens to an agency's campaigns, once. The agency's own Kafka user may read this topic, and no other."""

import asyncio
import sqlite3
from contextlib import closing
from os import environ

from infra.settings import Settings
from producers.sdk.faststream_events import CampaignEvent, event_broker, serve

agency, settings = environ["YESSER_AGENCY"], Settings()  # YESSER_KAFKA, YESSER_KAFKA_USER, …_PASSWORD
broker = event_broker(settings, consumer_only=True)  # commits a message once it is handled (AckPolicy.NACK_ON_ERROR)
topic = f"{settings.triggers_topic}.{agency}"


@broker.subscriber(topic, group_id=f"agency.{agency}.desk", auto_offset_reset="earliest")
async def receive(event: CampaignEvent) -> None:
    row = (event.source, event.id, event.data.campaign_id, event.type)
    with closing(sqlite3.connect(environ["CAMPAIGNS"])) as database, database:
        # Committed before the message is: an event that comes again finds its source and id here.
        database.execute("INSERT INTO event VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING", row)


if __name__ == "__main__":
    asyncio.run(serve(broker))
