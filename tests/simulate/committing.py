"""Scenario: the relay commits to read models whose log does not leave its block, on two days, after an upgrade from a
release whose commitments named no version.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from functools import partial
from typing import Any, Final

from consumers.programme.projections.consumer import CONSUMER as PROJECTIONS
from consumers.proof.commitments.claims import read_model_name
from consumers.proof.commitments.commitment import Commitment
from consumers.replay.event_index.consumer import CONSUMER as EVENT_INDEX
from consumers.replay.fold import past_rows
from consumers.replay.pipeline.pipeline import Pipeline
from infra.log.reader import log_size
from infra.postgres.outbox import event_bytes
from tests.oracle.log import full_type
from tests.simulate.deciding import RELAY
from tests.simulate.numbering import REGISTRAR, broken_log, found_agencies, raw_log, unregistered
from tests.simulate.worlds import Role, Scenario, World
from tests.world.records import said
from tests.world.topics import HEALTH_TOPIC, PLATFORM_TOPIC, send

COMMITTED: Final = (EVENT_INDEX, PROJECTIONS)
"""They say how far the log has grown."""
NAMES: Final = [read_model_name(consumer, table.name) for consumer in COMMITTED for table in consumer.tables]
BLOCK_ENTRIES: Final = 64
ROLES: Final = {consumer.name: Role(f"consumer.{consumer.name}", partial(Pipeline, consumer)) for consumer in COMMITTED}
A_DAY_PASSES: Final = "UPDATE platform.committed SET committed_at = committed_at - interval '25 hours'"


class Committing(Scenario):
    """Each read model is committed at the beginning of the block, and the next day at the position."""

    roles: Sequence[Role] = (REGISTRAR, *ROLES.values(), RELAY)
    constants = ((past_rows, "BLOCK_ENTRIES", BLOCK_ENTRIES),)

    def __init__(self) -> None:
        self._is_due = False
        """Whether more than a day has passed since the base was made."""

    async def found(self, world: World) -> None:
        world.start(*ROLES.values(), RELAY)
        await found_agencies(world, {HEALTH_TOPIC: [said(str(number)) for number in range(BLOCK_ENTRIES)]})
        recorded = json.loads((await raw_log(world))[BLOCK_ENTRIES - 1])["recordedtime"]
        earlier = [Commitment(name, BLOCK_ENTRIES, 0, "00" * 32, recorded, None, 0).event() for name in NAMES]
        await send(world.settings, PLATFORM_TOPIC, *map(event_bytes, earlier))
        await world.rest()
        await world.connection.execute(A_DAY_PASSES)

    async def act(self, world: World) -> None:
        self._is_due = True
        await world.rest(stays_s=0)
        await world.connection.execute(A_DAY_PASSES)
        await send(world.settings, HEALTH_TOPIC, said("new"))

    async def unfinished(self, world: World) -> str | None:
        size = await log_size(world.connection)
        positions = await world.connection.fetch("SELECT position FROM platform.position")
        waiting = await world.connection.fetchval("SELECT count(*) FROM platform.outbox")
        if waiting or [row["position"] for row in positions] != [size] * len(COMMITTED):
            return f"{waiting} events wait, the log ends at {size}, and positions are {positions}"
        today = "SELECT array_agg(consumer) FROM platform.committed WHERE committed_at > now() - interval '1 hour'"
        made = await world.connection.fetchval(today)
        if self._is_due and not {consumer.name for consumer in COMMITTED} <= {*(made or [])}:
            return f"today only {made} are committed"
        return await unregistered(world)

    async def broken(self, world: World) -> list[str]:
        found = await broken_log(world, await raw_log(world))
        made = Counter(
            (data["name"], data["fold_version"], data["log_index"])
            for data in await commitments(world)
            if "fold_version" in data
        )
        if twice := [key for key, count in made.items() if count > 1]:
            found.append(f"committed twice: {twice}")
        if len(made) != 2 * len(NAMES):
            found.append(f"{len(made)} commitments were made, and not {2 * len(NAMES)}")
        if refused := await world.connection.fetch("SELECT index, claimed_id, errors::text FROM log.refusal"):
            found.append(f"refused are {[dict(row) for row in refused]}")
        return found


async def commitments(world: World) -> list[dict[str, Any]]:
    """The data of all commitments in the log."""
    events = [json.loads(entry)["event"] for entry in await raw_log(world)]
    return [event["data"] for event in events if event["type"] == full_type("projection.committed")]
