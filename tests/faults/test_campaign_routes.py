"""A thousand launches while everything on the way to the teams is killed: each team gets each trigger, by every route.

A webhook, an e-mail and a record may come again, never under another id; none is lost. A rebuild of everything sends
nothing.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Final

import pytest

from infra.postgres.connection import connect
from tests.faults.killing import Killer
from tests.scenarios.figures import tell
from tests.scenarios.launches import event
from tests.scenarios.system import System, fresh_system
from tests.unit.consumers.delivery.receivers import Receiver, receiver
from tests.world.mail import MailServer, mail_server
from tests.world.topics import records

pytestmark = [pytest.mark.accept, pytest.mark.alone, pytest.mark.timeout(1_500)]

LAUNCHES: Final = int(os.environ.get("LAUNCHES", "1000"))
PIECES: Final = 20
"""The launches are published in so many files, one after another."""
KILLS: Final = 16
KILLED: Final = ("campaigns", "delivery", "kafka", "postgres")
TEAMS: Final = ("press", "radio", "tv")
TRIGGERED: Final = "sa.gov.yesser.campaign.triggered.v1"
DELIVERED_S: Final = 300
WAITING: Final = "SELECT count(*) FROM delivery.message WHERE state = 'waiting'"


@contextmanager
def environment(**variables: str) -> Iterator[None]:
    """These variables, which the processes of a system inherit."""
    os.environ.update(variables)
    try:
        yield
    finally:
        for name in variables:
            del os.environ[name]


@asynccontextmanager
async def routes() -> AsyncIterator[tuple[System, dict[str, Receiver], MailServer]]:
    """A system in which each team has a webhook, and the first one e-mails of triggers."""
    async with receiver() as press, receiver() as radio, receiver() as tv, mail_server() as mails:
        hooks = dict(zip(TEAMS, (press, radio, tv), strict=True))
        mail = {"SERVER": f"127.0.0.1:{mails.port}", "TLS": "none", "FROM": "campaigns@yesser.example"}
        with environment(
            YESSER_WEBHOOK_HOSTS="127.0.0.1", **{f"YESSER_MAIL_{name}": value for name, value in mail.items()}
        ):
            running = fresh_system()
            system = await asyncio.to_thread(running.__enter__)
            try:
                await asyncio.to_thread(add_teams, system, hooks)
                yield system, hooks, mails
            finally:
                await asyncio.to_thread(running.__exit__, None, None, None)


def add_teams(system: System, hooks: dict[str, Receiver]) -> None:
    system.add_agencies([("health", "agency")])
    for team, hook in hooks.items():
        names = ("--name-ar", "مكتب", "--name-en", "Office", "--contact", f"{team}@health.example")
        system.ask("teams", "add", "health", team, *names)
        system.ask("webhooks", "add", "health", team, hook.url())
        system.ask("subscriptions", "add", "health", team, "--route", "webhook")
    system.ask("teams", "domains", "health", "--domain", "health.example")
    system.ask("subscriptions", "add", "health", TEAMS[0], "--route", "email", "--type", "campaign.triggered")


def publish(system: System, lines: list[bytes], folder: Path, name: str) -> None:
    """Until every line is accepted: publishing again is safe where the outcome is unknown."""
    file = folder / f"{name}.ndjson"
    file.write_bytes(b"\n".join(lines) + b"\n")
    ends = time.monotonic() + 300
    while True:
        report = system.run("publish", str(file), "--agency", "health", "--wait", exits=(0, 1, 75))
        if report.get("accepted", 0) + report.get("duplicates", 0) == len(lines):
            return
        assert time.monotonic() < ends, report


def launch_all(system: System, folder: Path) -> None:
    each = -(-LAUNCHES // PIECES)
    for start in range(0, LAUNCHES, each):
        numbers = range(start, min(start + each, LAUNCHES))
        lines = [event("service.launched", number, on="2026-11-01", channels=["web"]) for number in numbers]
        publish(system, lines, folder, f"launched-{start}")


async def until_delivered(system: System) -> None:
    connection = await connect(system.settings, "test")
    try:
        async with asyncio.timeout(DELIVERED_S):
            while await connection.fetchval(WAITING):  # noqa: ASYNC110 - a table cannot be awaited
                await asyncio.sleep(0.2)
    finally:
        await connection.close()


async def test_a_thousand_launches_reach_every_team_by_every_route_through_kills(tmp_path: Path) -> None:
    async with routes() as (system, hooks, mails):
        registered = [event("service.registered", number, plan_id="P", group=1) for number in range(LAUNCHES)]
        await asyncio.to_thread(publish, system, registered, tmp_path, "registered")
        launching = asyncio.create_task(asyncio.to_thread(launch_all, system, tmp_path))
        killer = Killer(14, KILLS, KILLED, busy=lambda: not launching.done())
        await asyncio.to_thread(killer.run, system)
        await launching
        await asyncio.to_thread(system.until_all_ready)
        await asyncio.to_thread(system.settle)
        await until_delivered(system)
        tell(str(killer))

        campaigns = await require_every_trigger(system, hooks, mails)
        before = counts(hooks, mails), len(await records(system.settings, "yesser.campaign-triggers.health"))
        await asyncio.to_thread(system.run, "rebuild", "--swap")
        await asyncio.to_thread(system.kill, "delivery")
        await asyncio.to_thread(system.until_all_ready)
        await asyncio.to_thread(system.settle)
        await until_delivered(system)
        await asyncio.sleep(3)
        assert before == (counts(hooks, mails), len(await records(system.settings, "yesser.campaign-triggers.health")))
        assert len(campaigns) == LAUNCHES


async def require_every_trigger(system: System, hooks: dict[str, Receiver], mails: MailServer) -> set[str]:
    """Each route has each campaign of the log once, but for repeats under the same id."""
    rows = await asyncio.to_thread(system.ask, "campaigns", "list")
    campaigns = {row["campaign_id"] for row in rows}
    assert len(campaigns) == len(rows) == LAUNCHES
    inbox = await asyncio.to_thread(system.ask, "campaigns", "inbox", "--agency", "health")
    listed = inbox if isinstance(inbox, list) else inbox["campaigns"]
    assert {row["campaign_id"] for row in listed} == campaigns
    assert len(listed) == LAUNCHES
    for team, hook in hooks.items():
        got = {received.id: json.loads(received.body) for received in hook.got}
        triggered = [found["data"]["campaign_id"] for found in got.values() if found["type"] == TRIGGERED]
        assert Counter(triggered) == dict.fromkeys(campaigns, 1), team
    events = [json.loads(r.value) for r in await records(system.settings, "yesser.campaign-triggers.health")]
    ids = {found["id"]: found["data"]["campaign_id"] for found in events if found["type"] == TRIGGERED}
    assert Counter(ids.values()) == dict.fromkeys(campaigns, 1)
    first: dict[str, bool] = {}
    unnamed = 0
    for message in mails.messages:
        message_id = str(message["Message-ID"])
        unnamed += message_id in first and message["Yesser-Repeat"] is None
        first.setdefault(message_id, True)
    assert len(first) == LAUNCHES
    assert unnamed == 0, "an e-mail that comes again says so"
    repeats = {team: len(hook.got) - len(hook.ids()) for team, hook in hooks.items()}
    tell(f"{LAUNCHES} triggers by every route; repeats: {repeats}, e-mail {len(mails.messages) - LAUNCHES}")
    return campaigns


def counts(hooks: dict[str, Receiver], mails: MailServer) -> dict[str, int]:
    """What has come by each route."""
    return {team: len(hook.got) for team, hook in hooks.items()} | {"e-mail": len(mails.messages)}
