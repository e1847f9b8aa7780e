"""Launches that are published, and the webhooks of a team that follow from them, through the whole system."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from standardwebhooks import Webhook

from infra.embedded.processes.signals import usual_parts
from producers.publisher.kafka_publisher import AgencyPublisher
from tests.scenarios.system import System, fresh_system, running_system
from tests.unit.consumers.delivery.receivers import Receiver, receiver
from tests.world.events import encoded, event


def service_event(name: str, number: int, **data: Any) -> bytes:
    """An event of agency `health` about the service `S` and the number, of now."""
    service, now = f"S{number}", datetime.now(UTC).isoformat().replace("+00:00", "Z")
    if name == "service.registered":
        data["name"] = {"ar": f"خدمة {number}", "en": f"Service {number}"}
    about = event(name, f"service/{service}", {"service_id": service, **data}, id=f"{name}-{number}", time=now)
    return encoded(about)


@asynccontextmanager
async def hooked_system(home: Path | None = None) -> AsyncIterator[tuple[System, Receiver, str]]:
    """A system in which the team `health/press` has a webhook for everything; its receiver and secret.

    Its processes are those that `yesser up` starts on this machine. `home` stays where it is given.
    """
    os.environ["YESSER_WEBHOOK_HOSTS"] = "127.0.0.1"
    running = fresh_system(only=usual_parts()) if home is None else running_system(home, only=usual_parts())
    system = await asyncio.to_thread(running.__enter__)
    try:
        async with receiver() as hook:
            await asyncio.to_thread(system.add_agencies, [("health", "agency")])
            names = ("--name-ar", "المكتب الإعلامي", "--name-en", "Press office")
            contact = ("--contact", "press@health.example")
            await asyncio.to_thread(system.ask, "teams", "add", "health", "press", *names, *contact)
            made = await asyncio.to_thread(system.ask, "webhooks", "add", "health", "press", hook.url())
            await asyncio.to_thread(system.ask, "subscriptions", "add", "health", "press", "--route", "webhook")
            yield system, hook, made["secret"]
    finally:
        await asyncio.to_thread(running.__exit__, None, None, None)
        del os.environ["YESSER_WEBHOOK_HOSTS"]


async def waits_s(launches: int, per_s: float) -> list[float]:
    """Seconds from when each launch was due to its webhook, the shortest first. Each has arrived exactly once."""
    async with hooked_system() as (system, hook, secret):
        async with AgencyPublisher(system.settings, "health") as publisher:
            for number in range(launches):
                await publisher.add(service_event("service.registered", number, plan_id="P", group=1))
            await publisher.flush()
            await asyncio.to_thread(system.settle)
            arrived: dict[str, float] = {}

            async def note(received: Any, writer: asyncio.StreamWriter) -> None:
                arrived.setdefault(json.loads(received.body)["data"]["service_id"], time.monotonic())
                writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")

            hook.answer = note
            began, published = time.monotonic(), {}
            for number in range(launches):
                await asyncio.sleep(began + number / per_s - time.monotonic())
                published[f"S{number}"] = began + number / per_s
                await publisher.add(service_event("service.launched", number, on="2026-11-01", channels=["web"]))
                await publisher.push()
            await publisher.flush()
            await hook.until(launches, timeout_s=120)
        await asyncio.to_thread(system.settle)
    assert len(hook.ids()) == len(hook.got) == launches
    Webhook(secret).verify(hook.got[-1].body, hook.got[-1].headers)
    return sorted(arrived[service] - at for service, at in published.items())
