"""`yesser run delivery` as a process of its own, killed while it sends: one message each, or a named repeat."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random

import pytest
import structlog
from structlog.testing import capture_logs

from consumers.delivery.mail.part import work
from consumers.delivery.mail.smtp import MailNotConfigured
from events.errors import Halt
from infra.postgres.connection import Connection
from infra.process.leader_election import Term
from infra.process.subprocess_command import subprocess_command
from infra.secret_files import ENDPOINT_KEY, password
from infra.settings import Settings
from tests.scenarios.figures import tell
from tests.world.mail import FIRST, MailServer, add_team, mail_server
from tests.world.teams import WAITING, launches, live_launches, make_live, until

EACH_IN_A_LANE = (
    "INSERT INTO delivery.message"
    " (subscription_id, route, agency, team, kind, event_id, log_index, campaign_id, lane)"
    " SELECT 1, 'email', 'health', 'press', 'campaign.triggered', 'e' || n, 4, $1, 'l' || n"
    " FROM generate_series(1, $2) n"
)
NO_DIGEST = "UPDATE delivery.team SET created_at = now()"
"""On a Sunday and the day after, a team that was there before gets one."""
MESSAGES = 200
KILLS = 3
PATIENCE_S = 60


@asynccontextmanager
async def delivery(environment: Mapping[str, str], log: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    with log.open("ab") as file:
        process = await asyncio.create_subprocess_exec(
            *subprocess_command("run", "delivery"), env=environment, stdout=file, stderr=file
        )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def until_received(mails: MailServer, count: int) -> None:
    """Raises `TimeoutError` after some time."""
    for _ in range(PATIENCE_S * 50):
        if len(mails.received) >= count:
            return
        await asyncio.sleep(0.02)
    raise TimeoutError(f"{len(mails.received)} of {count} messages")


async def test_a_killed_process_loses_no_message_and_names_each_repeat(
    settings: Settings, connection: Connection, environment: Callable[..., dict[str, str]], tmp_path: Path
) -> None:
    story, (campaign,) = await live_launches(connection)
    await add_team(connection, FIRST)
    await connection.execute(NO_DIGEST)
    await connection.execute("INSERT INTO delivery.position VALUES ('router', $1)", len(story.entries))
    await connection.execute(EACH_IN_A_LANE, campaign, MESSAGES)
    password(settings.secrets_folder / "delivery", ENDPOINT_KEY)  # as `yesser prepare` makes it
    random, log = Random("mail"), tmp_path / "delivery.log"
    async with mail_server() as mails:
        mails.stall_s = 0.003  # so that a kill finds messages on their way
        given = environment(
            YESSER_MAIL_SERVER=f"127.0.0.1:{mails.port}",
            YESSER_MAIL_FROM="campaigns@yesser.example",
            YESSER_LEASE_MS="1500",
            YESSER_LEASE_RENEW_MS="300",
        )
        for kill in range(1, KILLS + 1):
            async with delivery(given, log) as process:
                await until_received(mails, kill * MESSAGES // (KILLS + 2))
                await asyncio.sleep(random.uniform(0, 0.05))
                process.kill()
        async with delivery(given, log):
            await until(connection, WAITING, 0, PATIENCE_S)

    copies = defaultdict(list)
    for message in mails.messages:
        copies[str(message["Message-ID"])].append(message["Yesser-Repeat"] is not None)
    assert len(copies) == MESSAGES
    assert all(not any(named is False for named in found[1:]) for found in copies.values())
    repeats = sum(map(sum, copies.values()))
    tell(
        f"{KILLS} x kill -9 while {MESSAGES} e-mails are sent: {len(mails.received)} received, {repeats} named repeats"
    )
    states = await connection.fetch("SELECT state, count(*) FROM delivery.message GROUP BY state")
    assert [tuple(row) for row in states] == [("delivered", MESSAGES)]
    assert FIRST not in log.read_text(encoding="utf-8")


async def test_the_process_routes_and_sends_what_happens_to_a_campaign(
    settings: Settings, connection: Connection, environment: Callable[..., dict[str, str]], tmp_path: Path
) -> None:
    story, (campaign,) = launches()
    story.acknowledge(campaign)
    story.change("suspended", "S0")
    story.come_back()
    story.change("resumed", "S0")
    story.come_back()
    story.complete(campaign)
    await make_live(connection, story)
    await add_team(connection, FIRST)
    await connection.execute(NO_DIGEST)
    password(settings.secrets_folder / "delivery", ENDPOINT_KEY)
    async with mail_server() as mails:
        given = environment(YESSER_MAIL_SERVER=f"127.0.0.1:{mails.port}", YESSER_MAIL_FROM="campaigns@yesser.example")
        async with delivery(given, tmp_path / "delivery.log"):
            await until_received(mails, 5)
    subjects = [str(message["Subject"]).partition("|")[2].partition(":")[0].strip() for message in mails.messages]
    assert subjects == [
        "New awareness campaign, due 2026-11-15",
        "Acknowledged by desk",
        "Campaign paused",
        "Campaign resumed, now due 2026-11-15",
        "Campaign completed",
    ]


async def test_without_a_server_the_part_says_so_once_and_waits(settings: Settings) -> None:
    stop = asyncio.Event()
    with capture_logs() as logs:
        structlog.configure(cache_logger_on_first_use=False)
        part = asyncio.create_task(work(settings.acting_as("delivery"), Term(1, stop), lambda: None))
        await asyncio.sleep(0.1)
        assert not part.done()
        stop.set()
        await part
    assert [line["event"] for line in logs] == ["no e-mails are sent: YESSER_MAIL_SERVER is not set"]


async def test_without_a_public_address_no_e_mail_leaves_this_machine(settings: Settings) -> None:
    changes = {"mail_server": "mail.example:25", "mail_from": "campaigns@yesser.example"}
    given = settings.model_copy(update=changes).acting_as("delivery")
    with pytest.raises(Halt, match="YESSER_PUBLIC_ADDRESS"):
        await work(given, Term(1, asyncio.Event()), lambda: None)


async def test_a_senders_address_that_is_none_is_named_at_the_start(settings: Settings) -> None:
    given = settings.model_copy(update={"mail_server": "127.0.0.1:25", "mail_from": "Campaigns <a@yesser.example>"})
    with pytest.raises(MailNotConfigured, match="YESSER_MAIL_FROM"):
        await work(given.acting_as("delivery"), Term(1, asyncio.Event()), lambda: None)
