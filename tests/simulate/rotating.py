"""Scenario: the registrar replaces its key, as an operator asked, while it registers."""

from __future__ import annotations

import os
from typing import Final

from infra.log.reader import read_rotations
from infra.log.signed_note import LogKey
from infra.private_keys.key_files import NextKey, load_keys, log_key_files, write_next
from tests.simulate.numbering import Registering, broken_log, raw_log
from tests.simulate.worlds import World
from tests.world.records import said
from tests.world.topics import HEALTH_TOPIC, send

OVERLAP_DAYS: Final = 30


class Rotating(Registering):
    """A key that was prepared, and is to replace the current one."""

    async def act(self, world: World) -> None:
        files = log_key_files(world.settings)
        write_next(files, NextKey(LogKey(files.name, os.urandom(32)), OVERLAP_DAYS))
        world.disk_is_synced()
        await send(world.settings, HEALTH_TOPIC, said("1"))
        await world.rest(stays_s=0)
        await send(world.settings, HEALTH_TOPIC, said("2"))

    async def unfinished(self, world: World) -> str | None:
        if log_key_files(world.settings).next.exists():
            return "the prepared key is not in use"
        return await super().unfinished(world)

    async def broken(self, world: World) -> list[str]:
        found = await broken_log(world, await raw_log(world))
        steps = await read_rotations(world.connection)
        keys = load_keys(log_key_files(world.settings), steps)
        if len(steps) != 1 or keys.current.verifier != steps[0].new:
            found.append(f"there are {len(steps)} rotations, and the key is not that of the last one")
        newest = await world.connection.fetchval("SELECT note FROM log.checkpoint ORDER BY size DESC LIMIT 1")
        keys.history.parse_checkpoint(newest)
        return found
