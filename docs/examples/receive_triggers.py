"""Keeps each campaign that became due, once. Today only the platform's own Kafka user may read the topic."""

import asyncio
import sqlite3
from os import environ

from faststream import AckPolicy

from events.types.awareness import CampaignTriggered
from infra.settings import Settings
from producers.sdk.faststream_events import Event, event_broker, serve

settings = Settings()  # YESSER_KAFKA, YESSER_KAFKA_USER, …_PASSWORD
broker = event_broker(settings, consumer_only=True)
campaigns = sqlite3.connect(environ["CAMPAIGNS"])


@broker.subscriber(
    settings.triggers_topic, group_id="campaign-team", auto_offset_reset="earliest", ack_policy=AckPolicy.NACK_ON_ERROR
)
async def receive(event: Event[CampaignTriggered]) -> None:
    row = (event.id, event.data.due_on, event.data.brief.ar)
    with campaigns:  # committed before the message is: one that comes again finds its id here
        campaigns.execute("INSERT INTO campaign VALUES (?, ?, ?) ON CONFLICT (id) DO NOTHING", row)


if __name__ == "__main__":
    asyncio.run(serve(broker))  # ends with the error of a message that it cannot handle; start it again
