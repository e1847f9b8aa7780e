"""The examples with FastStream as they stand, against the real Kafka: nothing is lost, and nothing counts twice."""

from __future__ import annotations

import asyncio
import signal
import sqlite3
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from events.wire.codec import canonical_bytes
from infra.kafka.admin import admin_client, allow_agency
from infra.kafka.client_config import agency_topic, agency_triggers_topic
from infra.kafka.rights import OFFICE, agency_user
from infra.postgres.connection import Connection
from infra.settings import Settings
from tests.paths import ROOT
from tests.world.binary_mode import to_binary_mode
from tests.world.events import golden_event
from tests.world.records import registered
from tests.world.registrars import found, log_of, registrar, until_read, until_size
from tests.world.topics import make_topics, records, send
from tests.world.waits import running, until

EXAMPLES = ROOT / "docs" / "examples"
TRIGGER = golden_event("campaign.triggered")
DUE = TRIGGER["data"]["due_on"]
Environment = Callable[..., dict[str, str]]
Row = tuple[str, str]


def trigger(key: str) -> dict[str, Any]:
    return {**TRIGGER, "id": key, "subject": f"campaign/{key}", "data": {**TRIGGER["data"], "campaign_id": key}}


def structured(*keys: str) -> list[bytes]:
    return [canonical_bytes(trigger(key)) for key in keys]


@dataclass(frozen=True)
class Team:
    """A campaign team: its own database, and what its process is started with."""

    environment: dict[str, str]
    example: str = "receive_triggers.py"

    @property
    def database(self) -> str:
        return self.environment["CAMPAIGNS"]

    def make_list(self) -> None:
        self.ask("CREATE TABLE campaign (id text PRIMARY KEY, due_on text, brief text)")

    def ask(self, statement: str) -> list[Row]:
        connection = sqlite3.connect(self.database)
        try:
            with connection:
                return connection.execute(statement).fetchall()
        finally:
            connection.close()

    async def until_has(self, *keys: str) -> None:
        wanted = [(key, DUE) for key in keys]
        await until(lambda: self.ask("SELECT id, due_on FROM campaign ORDER BY rowid") == wanted, f"it has {keys}")

    async def start(self) -> asyncio.subprocess.Process:
        return await start(self.example, self.environment)

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        """Its process runs, and exits cleanly on SIGTERM."""
        process = await self.start()
        try:
            yield
        finally:
            process.send_signal(signal.SIGTERM)
            _, errors = await process.communicate()
        assert process.returncode == 0, errors.decode()


async def start(example: str, environment: dict[str, str]) -> asyncio.subprocess.Process:
    """An example in a process of its own, as a reader would run it."""
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-W", "error", EXAMPLES / example),
        env=environment,
        cwd=EXAMPLES,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def end_of(process: asyncio.subprocess.Process) -> tuple[int | None, str, str]:
    """Exit code and what was written by a process that ends by itself."""
    try:
        async with asyncio.timeout(30):
            lines, errors = await process.communicate()
    except TimeoutError:
        process.kill()
        raise
    return process.returncode, lines.decode(), errors.decode()


async def error_of(process: asyncio.subprocess.Process) -> str:
    """What a process says that ends by itself, and not well."""
    code, _, errors = await end_of(process)
    assert code == 1
    return errors


@pytest.fixture
async def team(settings: Settings, environment: Environment, tmp_path: Path) -> Team:
    """The programme office, which may read all triggers in groups of its own."""
    await make_topics(settings)
    given = await admitted(settings, OFFICE)
    return Team(environment(**given, CAMPAIGNS=str(tmp_path / "campaigns.sqlite")))


async def admitted(settings: Settings, code: str) -> dict[str, str]:
    """The credential of an agency that has its rights on Kafka."""
    async with admin_client(settings) as admin:
        await allow_agency(admin, settings, code, f"secret-of-{code}")
    return {"YESSER_KAFKA_USER": agency_user(code), "YESSER_KAFKA_PASSWORD": f"secret-of-{code}"}


async def test_a_team_receives_each_trigger_once_in_whichever_mode(settings: Settings, team: Team) -> None:
    async def sent(*values: bytes) -> None:
        await send(settings, settings.triggers_topic, *values)

    await sent(*structured("a", "b", "a"))
    assert "no such table: campaign" in await error_of(await team.start())
    team.make_list()
    async with team.at_work():
        await team.until_has("a", "b")  # what could not be handled is received again at the next start
        value, headers = to_binary_mode(trigger("c"))
        await send(settings, settings.triggers_topic, value, headers=headers)
        await team.until_has("a", "b", "c")
    await sent(*structured("c", "b", "d"))
    async with team.at_work():
        await team.until_has("a", "b", "c", "d")
    await sent(b"{", *structured("e"))
    for _ in range(2):
        assert "JSONDecodeError" in await error_of(await team.start()), "it stops there at every start"
        await team.until_has("a", "b", "c", "d")


CAMPAIGN_TYPES = [
    "campaign.triggered",
    "campaign.paused",
    "campaign.resumed",
    "campaign.escalated",
    "awareness.campaign-acknowledged",
    "awareness.campaign-aired",
    "awareness.campaign-completed",
]


async def test_an_agency_gets_its_campaigns_once(settings: Settings, environment: Environment, tmp_path: Path) -> None:
    await make_topics(settings)
    await admitted(settings, "interior")
    own = {"YESSER_AGENCY": "health", "CAMPAIGNS": str(tmp_path / "campaigns.sqlite")}
    desk = Team(environment(**await admitted(settings, "health"), **own), "receive_campaigns.py")
    desk.ask("CREATE TABLE event (source text, id text, campaign_id text, type text, PRIMARY KEY (source, id))")
    messages = [canonical_bytes(golden_event(name)) for name in CAMPAIGN_TYPES]
    await send(settings, agency_triggers_topic(settings, "interior"), messages[0])

    topic = agency_triggers_topic(settings, "health")
    await send(settings, topic, *messages[:4])
    async with desk.at_work():
        await send(settings, topic, *messages)  # what it has is sent again

        def has_all() -> bool:
            return len(desk.ask("SELECT source, id FROM event")) == len(messages)

        await until(has_all, "the desk has them all")
    kept = desk.ask("SELECT type, campaign_id FROM event ORDER BY rowid")
    assert [type.removeprefix("sa.gov.yesser.").removesuffix(".v1") for type, _ in kept] == CAMPAIGN_TYPES


async def test_an_agencys_typed_publisher_is_registered_and_its_repetition_is_dropped(
    settings: Settings, connection: Connection, environment: Environment
) -> None:
    await found(settings)
    given = await admitted(settings, "health")
    await send(settings, agency_topic("platform"), registered("health"))
    for place in range(2):
        process = await start("publish_with_faststream.py", environment(YESSER_AGENCY="health", **given))
        code, line, errors = await end_of(process)
        assert (code, line) == (0, f"agency.health.events/0/{place}\n"), errors
    async with running(registrar(settings)):
        await until_size(connection, 4)
        await until_read(connection, agency_topic("health"), 2)
    assert await connection.fetchval("SELECT count(*) FROM log.duplicate") == 1, "the second record"
    event = (await log_of(connection))[3]
    assert (event.id, event.address) == ("launch-passports", "agency.health.events/0/0")
    first, second = await records(settings, agency_topic("health"))
    assert first.value == second.value
