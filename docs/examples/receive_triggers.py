"""Keeps each campaign of any agency that became due, once. For the programme office: no other agency may read it."""

import asyncio
import sqlite3
from contextlib import closing
from os import environ

from events.types.awareness import CampaignTriggered
from infra.settings import Settings
from producers.sdk.faststream_events import Event, event_broker, serve

settings = Settings()  # YESSER_KAFKA, YESSER_KAFKA_USER, …_PASSWORD
broker = event_broker(settings, consumer_only=True)  # commits a message once it is handled (AckPolicy.NACK_ON_ERROR)


@broker.subscriber(settings.triggers_topic, group_id="agency.yesser.office", auto_offset_reset="earliest")
async def receive(event: Event[CampaignTriggered]) -> None:
    row = (event.id, event.data.due_on, event.data.brief.ar)
    with closing(sqlite3.connect(environ["CAMPAIGNS"])) as database, database:
        # Committed before the message is: a trigger that comes again finds its id here.
        database.execute("INSERT INTO campaign VALUES (?, ?, ?) ON CONFLICT (id) DO NOTHING", row)


if __name__ == "__main__":
    asyncio.run(serve(broker))  # ends with the error of the first message that it cannot handle: start it again
