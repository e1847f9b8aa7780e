"""`yesser run delivery` as a process of its own, killed while it sends: nothing is lost, and repeats are named."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Callable
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
from infra.settings import Settings
from tests.integration.consumers.delivery.load import counting, delivery_process
from tests.scenarios.figures import tell
from tests.team_seals import seal_rows
from tests.world.mail import FIRST, add_team, mail_server
from tests.world.teams import WAITING, add_endpoint, for_hooks, live_launches, subscribe, until
from tests.world.waits import until as until_true

CAMPAIGNS = 100
WEBHOOKS = 4
KILLS = 4
PATIENCE_S = 60
ENDED = "SELECT count(*) FROM delivery.message WHERE route = $1 AND kind = 'campaign.triggered' AND state = 'delivered'"


async def test_a_process_that_is_killed_again_and_again_loses_nothing_and_names_each_repeated_e_mail(
    settings: Settings, connection: Connection, environment: Callable[..., dict[str, str]], tmp_path: Path
) -> None:
    settings = for_hooks(settings)
    await live_launches(connection, CAMPAIGNS)
    await add_team(connection, FIRST)
    # A team that was there on a Sunday gets a digest.
    await connection.execute("UPDATE delivery.team SET created_at = now()")
    await seal_rows(connection)
    chance, log = Random("kills"), tmp_path / "delivery.log"
    async with mail_server() as mails, counting() as (counted, port):
        for number in range(WEBHOOKS):
            await add_endpoint(connection, settings, f"e{number}", f"http://127.0.0.1:{port}/e{number}")
            await subscribe(connection, f"e{number}")
        mails.stall_s = 0.003  # so that a kill finds messages on their way
        given = environment(
            YESSER_WEBHOOK_HOSTS="127.0.0.1",
            YESSER_WEBHOOK_IN_FLIGHT_MAX="4",
            YESSER_MAIL_SERVER=f"127.0.0.1:{mails.port}",
            YESSER_MAIL_FROM="campaigns@yesser.example",
            YESSER_LEASE_MS="1000",
            YESSER_LEASE_RENEW_MS="250",
        )
        for kill in range(1, KILLS + 1):
            async with delivery_process(given, log) as process:
                enough = kill * CAMPAIGNS * WEBHOOKS // (KILLS + 1)
                await until_true(lambda n=enough: len(counted.first) >= n, f"{enough} are sent", PATIENCE_S)  # type: ignore[misc]
                await asyncio.sleep(chance.uniform(0, 0.05))
                process.kill()
                await process.wait()
        async with delivery_process(given, log):
            await until(connection, WAITING, 0, PATIENCE_S)
            await until(connection, "SELECT count(*) FROM delivery.pgqueuer", 0)

    assert Counter(path for path, _ in counted.first) == {f"/e{n}": CAMPAIGNS for n in range(WEBHOOKS)}
    copies = defaultdict(list)
    for message in mails.messages:
        if str(message["Yesser-Event"]).startswith("triggered."):
            copies[str(message["Message-ID"])].append(message["Yesser-Repeat"] is not None)
    assert len(copies) == CAMPAIGNS
    assert all(all(found[1:]) for found in copies.values()), "each repeat is named"
    assert await connection.fetchval(ENDED, "webhook") == CAMPAIGNS * WEBHOOKS
    assert await connection.fetchval(ENDED, "email") == CAMPAIGNS
    assert FIRST not in log.read_text(encoding="utf-8")
    again = counted.requests - CAMPAIGNS * WEBHOOKS, sum(map(sum, copies.values()))
    tell(f"{KILLS} x kill -9 of the delivery process: {again[0]} repeated webhooks, {again[1]} named e-mails")


async def test_without_what_it_needs_the_part_that_sends_e_mails_says_so_and_waits_or_halts(settings: Settings) -> None:
    stop = asyncio.Event()
    with capture_logs() as logs:
        structlog.configure(cache_logger_on_first_use=False)
        part = asyncio.create_task(work(settings.acting_as("delivery"), Term(1, stop), lambda: None))
        await until_true(lambda: logs, "it says that it has no server")
        assert not part.done()
        stop.set()
        await part
    assert [line["event"] for line in logs] == ["no e-mails are sent: YESSER_MAIL_SERVER is not set"]
    for server, sender, error, words in (
        ("mail.example:25", "campaigns@yesser.example", Halt, "YESSER_PUBLIC_ADDRESS"),
        ("127.0.0.1:25", "Campaigns <a@yesser.example>", MailNotConfigured, "YESSER_MAIL_FROM"),
    ):
        given = settings.model_copy(update={"mail_server": server, "mail_from": sender})
        with pytest.raises(error, match=words):
            await work(given.acting_as("delivery"), Term(1, asyncio.Event()), lambda: None)
