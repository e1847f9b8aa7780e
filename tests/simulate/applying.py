"""Scenario: the revenue consumer applies a log, a few entries a transaction, and decides settlements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from consumers.replay.as_of.view import view
from consumers.replay.pipeline.pipeline import Pipeline
from consumers.revenue.consumer import CONSUMER
from consumers.revenue.read import balances, statements
from infra.kafka.client_config import agency_topic
from infra.log.reader import log_size
from tests.oracle.fold import fold
from tests.oracle.history import Profile, generate
from tests.oracle.log import read_entry
from tests.simulate.numbering import found_agencies, raw_log
from tests.simulate.worlds import Role, Scenario, World
from tests.world.documents import as_json
from tests.world.ledger import books_of

REVENUE: Final = Role(f"consumer.{CONSUMER.name}", lambda settings: Pipeline(CONSUMER, settings))
SEED: Final = 11
EVENTS: Final = 32
CLAIMED: Final = Profile(
    ("health",), duplicate_rate=0, conflict_rate=0, bad_rate=0, revenue_part=0.94, training_part=0, services_part=0,
    projects_part=0,
)  # fmt: skip
BATCH_ENTRIES: Final = 4
"""So few that some transactions have no receipt: the key of a receipt guards it as the fence does."""


class Applying(Scenario):
    """The consumer alone, over a log that is there."""

    roles: Sequence[Role] = (REVENUE,)
    settings: Mapping[str, Any] = MappingProxyType({"batch_records_max": BATCH_ENTRIES})

    async def found(self, world: World) -> None:
        lines = generate(SEED, EVENTS, CLAIMED).lines
        await found_agencies(world, {agency_topic(code): found for code, found in lines.items()})

    async def act(self, world: World) -> None:
        """The log is there."""

    async def unfinished(self, world: World) -> str | None:
        select = "SELECT position FROM platform.position WHERE consumer = $1"
        position = await world.connection.fetchval(select, CONSUMER.name)
        size = await log_size(world.connection)
        return None if position == size else f"the position is {position}, and the log ends at {size}"

    async def broken(self, world: World) -> list[str]:
        figures = fold(read_entry(index, entry) for index, entry in enumerate(await raw_log(world)))
        found = []
        async with view(world.settings, [CONSUMER]) as looked_at:
            reader = await looked_at.use(CONSUMER)
            accounts = {row.pop("account"): row for row in as_json(await balances(reader))}
            shown, checked = as_json(await statements(reader)), await books_of(reader)
        if accounts != figures.balances:
            found.append(f"balances are {accounts}, and not {figures.balances}")
        if shown != sorted(figures.statements, key=lambda row: (row["partnership_id"], row["period"])):
            found.append(f"statements are {shown}, and not {figures.statements}")
        if checked != {"sum_halalas": 0, "ok": True}:
            found.append(f"the books are not even: {checked}")
        decided = [row["event_id"] for row in await world.connection.fetch("SELECT event_id FROM platform.outbox")]
        expected = [f"settlement.{row['partnership_id']}.{row['period']}" for row in figures.statements]
        if sorted(decided) != sorted(expected):
            found.append(f"decided are {sorted(decided)}, and not {sorted(expected)}")
        return found
