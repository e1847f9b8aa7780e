"""Scenario: agencies send events to the gateway, and again where they got no receipt, while the registrar registers."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from hashlib import sha256
from itertools import chain
from typing import Final

import httpx

from events.validation.verdicts import Agency
from infra.kafka.client_config import agency_topic
from infra.private_keys.key_files import gateway_key_files, load_or_create_keys
from infra.settings import Settings
from producers.errors import OutcomeUnknown
from producers.sdk.acknowledgements import verified_receipts
from producers.sdk.answers import Receipt
from producers.sdk.client import batch_of
from producers.sdk.connection import ClientLimits, Connection, Request
from producers.sdk.problems import NotServed
from tests.scenarios.invariants import read_topic
from tests.simulate.numbering import (
    BASE_ENTRIES,
    REGISTRAR,
    accepted_ids,
    broken_log,
    found_agencies,
    raw_log,
    unregistered,
)
from tests.simulate.simulated_gateway import SimulatedGateway, Way
from tests.simulate.worlds import Role, Scenario, World
from tests.world.records import HEALTH, LABOUR, said

BATCH: Final = "application/cloudevents-batch+json"
REQUESTS: Final[Sequence[tuple[Agency, Sequence[Sequence[str]]]]] = (
    (HEALTH, (("a1", "a2"), ("a3",))),
    (HEALTH, (("b1",), ("b2",))),
    (LABOUR, (("1", "2"),)),
)
"""What each client sends: the ids of its requests, each of which follows the receipt of the one before."""
SENT: Final = sum(len(ids) for _, requests in REQUESTS for ids in requests)


class Receiving(Scenario):
    """Clients of the SDK, the gateway behind its routes, and the registrar."""

    def __init__(self) -> None:
        self.roles: Sequence[Role] = (REGISTRAR, Role("gateway", self._gateway))
        self._gateways: list[SimulatedGateway] = []
        """Those that take requests, the newest last."""
        self._receipts: list[Receipt] = []
        self._clients = 0
        self._world: World

    def _gateway(self, settings: Settings) -> SimulatedGateway:
        return SimulatedGateway(settings, self._world, self._gateways)

    async def found(self, world: World) -> None:
        self._world = world
        load_or_create_keys(gateway_key_files(world.settings))
        await found_agencies(world)

    async def act(self, world: World) -> None:
        self._receipts, self._clients = [], len(REQUESTS)
        await asyncio.gather(*(self._send(agency, requests) for agency, requests in REQUESTS))

    async def _send(self, agency: Agency, requests: Sequence[Sequence[str]]) -> None:
        """A client. What the SDK does not get stored in time, its caller sends again."""
        keys = load_or_create_keys(gateway_key_files(self._world.settings))
        way = Way(agency, self._gateways)
        async with httpx.AsyncClient(transport=way, base_url="http://gateway", trust_env=False) as http:
            connection = Connection(http, ClientLimits(), chance=lambda: 0.5)
            for ids in requests:
                events = [said(id_, agency=agency) for id_ in ids]
                request = Request("/v1/events", batch_of(events), BATCH, stores=True)
                answer = None
                for _ in range(2):
                    try:
                        answer = await connection.ask(request)
                        break
                    except (NotServed, OutcomeUnknown):
                        continue
                if answer is None:
                    return
                self._receipts += verified_receipts(answer, events, keys.current.verifier)[0]
        self._clients -= 1

    async def unfinished(self, world: World) -> str | None:
        if self._clients:
            return f"{self._clients} clients have receipts for {len(self._receipts)} of {SENT} events"
        return await unregistered(world)

    async def broken(self, world: World) -> list[str]:
        raw = await raw_log(world)
        found = await broken_log(world, raw)
        for agency in (HEALTH, LABOUR):
            topic = agency_topic(agency.code)
            accepted, records = accepted_ids(raw, topic), await read_topic(world.settings, topic)
            stored = {f"{topic}/0/{record.offset}": sha256(record.value).hexdigest() for record in records}
            for receipt in (receipt for receipt in self._receipts if receipt.agency == agency.code):
                if stored.get(receipt.address) != receipt.sha256 or accepted.count(receipt.id) != 1:
                    found.append(f"{receipt.id} has a receipt for {receipt.address}, and the log has {accepted}")
            for ids in ([*chain(*requests)] for sender, requests in REQUESTS if sender == agency):
                if [id_ for id_ in accepted if id_ in ids] != ids:
                    found.append(f"{topic}: accepted are {accepted}, and {ids} were sent in this order")
        if len(raw) != BASE_ENTRIES + SENT:
            found.append(f"the log has {len(raw)} entries, and not {BASE_ENTRIES + SENT}")
        return found
