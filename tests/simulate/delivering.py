"""Scenario: the delivery process routes entries about campaigns, and sends them as webhooks to a receiver."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from types import MappingProxyType
from typing import Any, Final

import aiohttp

from consumers.delivery.delivery import Delivery
from consumers.delivery.routing.router import route
from consumers.delivery.sending.sender import Sender
from consumers.delivery.webhooks.client import WebhookClient
from consumers.delivery.webhooks.route import Webhooks, publish
from infra.postgres.connection import connected
from infra.process.leader_election import Term
from infra.settings import Settings
from tests.simulate.points import INSTANCE
from tests.simulate.worlds import Role, Scenario, World
from tests.world.story import Story
from tests.world.teams import add_endpoint, for_hooks, make_live, subscribe

SERVICES: Final = 2
ENDPOINTS: Final[Mapping[str, Sequence[str]]] = {"e1": ("triggered", "acknowledged", "completed"), "e2": ("triggered",)}
"""Webhooks, and the kinds of messages that each subscribes to."""
TYPES: Final = {
    "triggered": "campaign.triggered",
    "acknowledged": "awareness.campaign-acknowledged",
    "completed": "awareness.campaign-completed",
}


class Delivering(Scenario):
    """The delivery process alone, over campaigns that are there. The receiver answers 200."""

    settings: Mapping[str, Any] = MappingProxyType(
        # Retries become due by the database's clock, which is not virtual: short delays.
        {"webhook_hosts": "receiver.example", "webhook_retry_delays_s": ",".join(["0.001"] * 20)}
    )

    def __init__(self) -> None:
        self.roles: Sequence[Role] = (Role("delivery", lambda settings: Delivery(settings, (route, self._send))),)
        self._world: World
        self._due: dict[str, tuple[str, bytes]] = {}
        """What each webhook is to get, in log order: `endpoint/id` → its lane and body."""
        self._got: list[tuple[str, bytes]] = []
        self._again: list[str] = []

    async def found(self, world: World) -> None:
        self._world = world
        settings, story = for_hooks(world.settings, **self.settings), Story()
        for service in range(SERVICES):
            story.register(f"S{service}")
            campaign = f"service-launched.i{story.launch(f'S{service}')}"
            story.come_back()
            said = {"triggered": len(story.entries) - 1}
            said |= {"acknowledged": story.acknowledge(campaign), "completed": story.complete(campaign)}
            for kind, index in said.items():
                assert story.entries[index].type == TYPES[kind]
                id_ = f"{campaign}_{kind}_i{index}".replace(".", "_")
                event = story.raw[index].partition(b'"event":')[2][:-1]
                for endpoint in (endpoint for endpoint, kinds in ENDPOINTS.items() if kind in kinds):
                    self._due[f"{endpoint}/{id_}"] = f"{endpoint}/S{service}", event
        async with connected(settings, "simulation") as connection:
            await make_live(connection, story)
            for endpoint, kinds in ENDPOINTS.items():
                await add_endpoint(connection, settings, endpoint, f"http://receiver.example/{endpoint}")
                await subscribe(connection, endpoint, types=[TYPES[kind] for kind in kinds])

    async def act(self, world: World) -> None:
        self._got, self._again = [], []

    async def unfinished(self, world: World) -> str | None:
        rows = await world.connection.fetch("SELECT state, count(*) FROM delivery.message GROUP BY 1")
        states = dict(rows)
        if states == {"delivered": len(self._due)}:
            return None
        position = await world.connection.fetchval("SELECT next_index FROM delivery.position WHERE part = 'router'")
        return f"of {len(self._due)} messages up to entry {position} there are {states}"

    async def broken(self, world: World) -> list[str]:
        found = [*self._again]
        for webhook in self._due.keys() | dict(self._got):
            bodies = {body for got, body in self._got if got == webhook}
            if webhook not in self._due or bodies != {self._due[webhook][1]}:
                found.append(
                    f"{webhook} is {'' if webhook in self._due else 'not '}due, and arrived with {bodies or 'nothing'}"
                )
        if found:
            return found
        due: defaultdict[str, list[str]] = defaultdict(list)
        first: defaultdict[str, list[str]] = defaultdict(list)
        for lanes, webhooks in ((due, self._due), (first, dict(self._got))):
            for webhook in webhooks:
                lanes[self._due[webhook][0]].append(webhook)
        return [] if first == due else [f"arrived first were {dict(first)}, and the log's order is {dict(due)}"]

    async def _send(self, settings: Settings, term: Term, round_ended: Callable[[], None]) -> None:
        """`consumers.delivery.webhooks.route.send` over the network of this simulation."""
        async with term.connected(settings, "webhooks") as connection, _Client(settings, self) as client:
            await publish(connection, settings, term.epoch)
            sender = Sender(Webhooks(settings, client), term, connection)
            await sender.run(round_ended, settings.lease_renew_ms / 1000)

    @asynccontextmanager
    async def post(self, url: str, *, data: bytes, headers: Mapping[str, str], **_: Any) -> AsyncIterator[_Answer]:
        """A request, as the library's session sends it."""
        endpoint, id_ = url.rpartition("/")[2], headers["webhook-id"]

        async def arrive() -> _Answer:
            webhook, instance = f"{endpoint}/{id_}", INSTANCE.get()
            is_again = any(got == webhook for got, _ in self._got)
            self._got.append((webhook, data))
            state = "SELECT state FROM delivery.message WHERE endpoint_id = $1 AND event_id = $2"
            known = await self._world.connection.fetchval(state, endpoint, id_.rpartition("_")[2])
            # One that was suspended cannot know what its successor has done.
            if is_again and known == "delivered" and instance is not None and not instance.was_suspended:
                self._again.append(f"{webhook} was sent again after it was recorded as delivered")
            return _Answer()

        yield await self._world.over_http(f"{endpoint}.{id_}", arrive, aiohttp.ServerDisconnectedError)

    async def close(self) -> None:
        """Nothing is open."""


class _Client(WebhookClient):
    """Our client; the library's session is a double."""

    def __init__(self, settings: Settings, network: Delivering) -> None:
        self._network = network
        super().__init__(settings)

    def _session(self, **_: Any) -> Any:
        return self._network


class _Answer:
    """200, without a body."""

    status = 200
    headers: Mapping[str, str] = MappingProxyType({})

    @property
    def content(self) -> _Answer:
        return self

    async def read(self, _: int) -> bytes:
        return b""

    def at_eof(self) -> bool:
        return True
