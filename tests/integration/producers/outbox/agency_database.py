"""An agency with a database of its own, an outbox in it, and a topic and a credential on Kafka."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from random import Random

import asyncpg

from infra.postgres.connection import Connection
from infra.settings import Settings
from producers.outbox import outbox
from tests.world.senders import announced


async def with_outbox(settings: Settings, database: str) -> Settings:
    """The settings of the agency's relay: the agency's database is this one, and has an outbox now."""
    agencys = settings.model_copy(update={"outbox_postgres": database})
    async with one_connection(agencys) as connection:
        assert await outbox.install(connection)
    return agencys


@asynccontextmanager
async def one_connection(settings: Settings) -> AsyncIterator[Connection]:
    """A plain connection of the agency's own application."""
    connection: Connection = await asyncpg.connect(settings.outbox_postgres)
    try:
        yield connection
    finally:
        await connection.close()


@dataclass(slots=True)
class Commit:
    """One committed transaction: its events as (subject, id), and when its COMMIT was sent and answered."""

    events: list[tuple[str, str]]
    began: float
    ended: float


class Writers:
    """Transactions of an agency on several connections, some of which are rolled back, in a seeded order."""

    def __init__(self, settings: Settings, seed: int, *, subjects: int = 3) -> None:
        self._settings = settings
        self._seed = seed
        self._subjects = [f"I-{number}" for number in range(subjects)]
        self.commits: list[Commit] = []
        self.enough = asyncio.Event()

    async def run(self, writers: int, transactions: int, *, pause_max_s: float = 0.003) -> None:
        """Each of so many writers makes so many transactions, or fewer where `enough` is set."""
        async with AsyncExitStack() as stack:
            connections = [await stack.enter_async_context(one_connection(self._settings)) for _ in range(writers)]
            await asyncio.gather(*(self._write(c, n, transactions, pause_max_s) for n, c in enumerate(connections)))

    async def _write(self, connection: Connection, number: int, transactions: int, pause_max_s: float) -> None:
        chance = Random(f"{self._seed}/{number}")
        for turn in range(transactions):
            if self.enough.is_set():
                return
            # In one order of subjects, as with any rows: else two transactions may wait for each other.
            subjects = sorted(chance.choices(self._subjects, k=chance.randint(1, 3)))
            events = [(subject, f"{number}.{turn}.{place}") for place, subject in enumerate(subjects)]
            transaction = connection.transaction()
            await transaction.start()
            for subject, event_id in events:
                await outbox.add(connection, announced(event_id, subject))
                await asyncio.sleep(chance.uniform(0, pause_max_s))
            if chance.random() < 0.2:
                await transaction.rollback()
                continue
            began = asyncio.get_running_loop().time()
            await transaction.commit()
            self.commits.append(Commit(events, began, asyncio.get_running_loop().time()))


def disorder(commits: list[Commit], order: list[tuple[str, str]]) -> list[str]:
    """What is wrong with the order of events (subject, id), compared with the transactions that wrote them.

    Of two transactions on a subject, the one whose COMMIT was answered before the other's was sent must come first.
    """
    stands, written = Counter(order), Counter(event for commit in commits for event in commit.events)
    if stands != written:
        return [f"too few: {written - stands}; too many: {stands - written}"]
    commit_of = {event: commit for commit in commits for event in commit.events}
    wrong: list[str] = []
    latest: dict[str, tuple[float, str]] = {}
    for subject, event_id in order:
        commit = commit_of[subject, event_id]
        began, before = latest.get(subject, (commit.began, event_id))
        if commit.ended < began:
            wrong.append(f"{before} stands before {event_id} of {subject}")
        latest[subject] = max((began, before), (commit.began, event_id))
    places = {event: place for place, event in enumerate(order)}
    own = [[places[event] for event in commit.events] for commit in commits]
    return wrong + [f"one transaction's events stand at {stand}" for stand in own if stand != sorted(stand)]
