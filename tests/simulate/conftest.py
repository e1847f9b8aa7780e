"""A world over this session's PostgreSQL."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import pytest

from tests.simulate.points import simulation
from tests.simulate.scenarios import SCENARIOS
from tests.simulate.worlds import World, quiet, world
from tests.stack import TestStack
from tests.world.stacks import lasting_corner

Result = TypeVar("Result")
InWorld = Callable[[str, Callable[[World], Awaitable[Result]]], Result]


@pytest.fixture
def in_world(stack: TestStack, tmp_path: Path) -> InWorld[Result]:
    """Runs a function in a world of a scenario, by its name. Its loop is virtual: pytest's own is not used."""

    def run(name: str, use: Callable[[World], Awaitable[Result]]) -> Result:
        with lasting_corner(stack, tmp_path / "home") as (settings, _):

            async def work() -> Result:
                async with world(settings, SCENARIOS[name]()) as found:
                    return await use(found)

            with simulation() as runner, quiet():
                return runner.run(work())

    return run
