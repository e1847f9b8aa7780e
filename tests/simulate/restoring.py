"""Scenario: the database is an older copy, and an operator recovers its log while everything runs. What other rules
decided before the loss is decided again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from aiokafka.errors import KafkaError

from consumers.registrar.recovery.recover import CannotRecover, recover, topic_source
from consumers.registrar.registrar import Registrar
from consumers.relay.decisions import act as decide
from consumers.relay.relay import CLAIM_PREFIX
from events.errors import Retry
from infra.errors import is_older_copy
from infra.postgres.connection import TRANSIENT_ERRORS, connected
from infra.settings import Settings
from tests.oracle.fold import Oracle
from tests.oracle.log import read_entry
from tests.simulate.deciding import CAMPAIGNS, RELAY, announced, broken_decisions, undecided
from tests.simulate.numbering import REGISTRAR, found_agencies, raw_log, unregistered
from tests.simulate.worlds import LOOK_S, Role, Scenario, World, now
from tests.world.events import encoded
from tests.world.topics import HEALTH_TOPIC, LABOUR_TOPIC, PLATFORM_TOPIC, send

_KNOWN: Final = (
    "SELECT EXISTS (SELECT FROM platform.outbox WHERE event_id = $1 AND held_at IS NOT NULL) OR EXISTS"
    " (SELECT FROM log.event_id WHERE claim = substring(sha256($2::bytea || convert_to($1, 'UTF8')) FOR 16))"
)


class Recovering:
    """`yesser recover`, and then the registrar. Where the command fails, it ends and is run again."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    async def run(self, stop: asyncio.Event) -> None:
        try:
            await recover(self._settings, topic_source(self._settings), lambda *_: None)
        except (CannotRecover, Retry, KafkaError, *TRANSIENT_ERRORS):
            return
        await Registrar(self._settings, now).run(stop)


RECOVERY: Final = Role(REGISTRAR.lease, Recovering)


class Restoring(Scenario):
    """The copy lacks two announcements, and the trigger that other rules had decided on one of them."""

    roles: Sequence[Role] = (RECOVERY, CAMPAIGNS, RELAY)

    def __init__(self) -> None:
        self._before: list[bytes] = []
        self._lacking = ""
        """What only today's rules decide on what was recovered: a person does."""
        self._held: list[str] = []

    async def found(self, world: World) -> None:
        world.start(CAMPAIGNS, RELAY)
        await found_agencies(world)
        await world.keep_rows()
        world.may_halt = is_older_copy
        world.start(REGISTRAR)
        await send(world.settings, HEALTH_TOPIC, announced("health", "I-1"))
        await send(world.settings, LABOUR_TOPIC, announced("labour", "I-2"))
        await _registered(world)
        oracle = Oracle()
        for index, entry in enumerate(await raw_log(world)):
            oracle.apply(read_entry(index, entry))
        decided, lacking = sorted(oracle.campaigns.due(), key=lambda campaign: campaign.owner)
        await send(world.settings, PLATFORM_TOPIC, encoded(decided.event()))
        await _registered(world)
        self._before, self._lacking = await raw_log(world), f"triggered.{lacking.campaign_id}"

    async def act(self, world: World) -> None:
        await send(world.settings, HEALTH_TOPIC, announced("health", "I-3"))
        await world.rest(stays_s=0)
        async with connected(world.settings, "decisions") as connection:
            self._held = await decide(connection, "send", None)

    async def unfinished(self, world: World) -> str | None:
        if self._before and not await world.connection.fetchval(_KNOWN, self._lacking, CLAIM_PREFIX):
            return f"{self._lacking} is neither held nor sent"
        return await undecided(world)

    async def broken(self, world: World) -> list[str]:
        raw = await raw_log(world)
        found = await broken_decisions(world, raw)
        if raw[: len(self._before)] != self._before:
            found.append("the recovered entries are not those that were lost")
        if self._held != [self._lacking]:
            found.append(f"held were {self._held}, and not {self._lacking}")
        return found


async def _registered(world: World) -> None:
    while await unregistered(world):  # noqa: ASYNC110 - a process is
        await asyncio.sleep(LOOK_S)
