"""Scenario: `yesser rebuild revenue --swap` replaces the tables while the revenue consumer applies the log."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from consumers.replay.rebuild.rebuild import RebuildOptions, rebuild
from consumers.revenue.consumer import CONSUMER
from infra.process.reaction import Reaction, reaction_to
from infra.settings import Settings
from tests.simulate.applying import CLAIMED, EVENTS, REVENUE, SEED, Applying
from tests.simulate.worlds import Role, World
from tests.world.logs import history_bytes, write_log

PORTION_ENTRIES: Final = 4
PORTIONS: Final = 6
PORTION_S: Final = 1.0
"""Seconds between two portions of new entries: the consumer looks for them as often."""
BEGINS_AFTER_S: Final = 1.0
"""When the consumer applies the first portion."""
AGAIN_S: Final = 5.0
"""Seconds after which an operator repeats a command that failed."""
SWAP: Final = RebuildOptions(compare=False, swap=True)
_SCHEMA: Final = "SELECT to_regnamespace('revenue')::oid"
_HELD: Final = (
    "SELECT count(*) FROM pg_locks l JOIN pg_database d ON d.oid = l.database"
    " WHERE locktype = 'advisory' AND datname = current_database()"
)
_SCRATCH: Final = "SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'rebuild%'"


class Swapping(Applying):
    """The command, which an operator repeats until it has ended well, beside the consumer. More entries come."""

    def __init__(self) -> None:
        self.roles: Sequence[Role] = (REVENUE, Role("rebuild revenue", lambda s: Command(self, s), is_command=True))
        self.is_swapped = True
        """The command has ended well."""
        self._raw = history_bytes(SEED, EVENTS, CLAIMED)
        self._old_schema = 0

    async def found(self, world: World) -> None:
        await write_log(world.connection, self._raw[: -PORTIONS * PORTION_ENTRIES])
        world.start(REVENUE)
        await world.rest()

    async def act(self, world: World) -> None:
        self.is_swapped = False
        await world.connection.execute("DROP SCHEMA IF EXISTS rebuild_revenue_next CASCADE")
        self._old_schema = await world.connection.fetchval(_SCHEMA)
        for left in range(PORTIONS - 1, -1, -1):
            end = len(self._raw) - left * PORTION_ENTRIES
            await write_log(world.connection, self._raw[:end], end - PORTION_ENTRIES)
            await asyncio.sleep(PORTION_S)

    async def unfinished(self, world: World) -> str | None:
        if not self.is_swapped:
            return "the tables are not swapped"
        if held := await world.connection.fetchval(_HELD):
            return f"{held} advisory locks are held"
        return await super().unfinished(world)

    async def broken(self, world: World) -> list[str]:
        found = await super().broken(world)
        if await world.connection.fetchval(_SCHEMA) == self._old_schema:
            found.append("the command has ended well, and the tables are the old ones")
        if left := await world.connection.fetchval(_SCRATCH):
            found.append(f"{left} schemas of rebuilds are left")
        rebuilt = await rebuild(world.settings.acting_as("operator"), CONSUMER)
        found += [f"{model.name}: {model.differing_rows} rows differ" for model in rebuilt.read_models if not model.ok]
        return found


class Command:
    """A call of the command, unless one has ended well."""

    def __init__(self, scenario: Swapping, settings: Settings) -> None:
        self._scenario, self._settings = scenario, settings.acting_as("operator")

    async def run(self, stop: asyncio.Event) -> None:
        await asyncio.sleep(BEGINS_AFTER_S)
        if not self._scenario.is_swapped:
            try:
                await rebuild(self._settings, CONSUMER, SWAP)
            except Exception as error:
                if reaction_to(error) is not Reaction.RETRY:
                    raise
                await asyncio.sleep(AGAIN_S)
                return
            self._scenario.is_swapped = True
        await stop.wait()
