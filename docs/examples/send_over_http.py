"""Sends an event to the gateway, waits until the national log has it, and checks the proof. Run it twice: safe."""

import asyncio
from os import environ

from events.types.services import ServiceLaunched
from producers.sdk.client import AgencyClient
from producers.sdk.typed_events import typed_event


async def main() -> None:
    launched = ServiceLaunched(service_id="appointments", on="2006-05-01", channels=["web"])
    async with AgencyClient(environ["YESSER_GATEWAY"], environ["YESSER_TOKEN"]) as client:
        sender = await client.sender()
        event = typed_event(sender.code, launched, "launch-1", "2006-05-01T09:00:00+03:00")
        entry = await client.wait_registered(await client.send(event))
        proof = await client.proof(entry.index)
    print(f"{entry.id} is entry {proof.index} of {proof.size}, proven by {len(proof.path)} hashes")


asyncio.run(main())
