"""`yesser run delivery` as a process of its own, killed while it sends: nothing is lost, and repeats are named."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path
from random import Random

import psutil
import pytest
import structlog
from structlog.testing import capture_logs

from consumers.delivery.mail.notices import UNKNOWN_MAX
from consumers.delivery.mail.route import send as send_letters
from consumers.delivery.mail.smtp import MailNotConfigured
from events.errors import Halt
from infra.postgres.connection import Connection
from infra.process.leader_election import Term
from infra.settings import Settings
from tests.scenarios.figures import tell
from tests.team_seals import seal_rows
from tests.unit.consumers.delivery.receivers import Receiver, receiver, silence
from tests.world import teams
from tests.world.mail import FIRST, add_team, mail_server
from tests.world.processes import kill, started
from tests.world.teams import WAITING, add_endpoint, for_hooks, live_launches, subscribe, until
from tests.world.waits import until as until_true

CAMPAIGNS = 100
WEBHOOKS = 4
KILLS = UNKNOWN_MAX - 1
"""An e-mail that each kill finds on its way is sent once more."""
PATIENCE_S = 60
Environment = Callable[..., dict[str, str]]
ENDED = "SELECT count(*) FROM delivery.message WHERE route = $1 AND event_id LIKE 'i%' AND state = 'delivered'"


def sent(hook: Receiver) -> set[tuple[str, str]]:
    """Paths and ids, without repeats."""
    return {(received.path, received.id) for received in hook.got}


async def test_a_process_that_is_killed_again_and_again_loses_nothing_and_names_each_repeated_e_mail(
    settings: Settings, connection: Connection, environment: Environment, tmp_path: Path
) -> None:
    settings = for_hooks(settings)
    await live_launches(connection, CAMPAIGNS)
    await add_team(connection, FIRST)
    # A team that was there on a Sunday gets a digest.
    await connection.execute("UPDATE delivery.team SET created_at = now()")
    chance, log = Random("kills"), tmp_path / "delivery.log"
    async with mail_server() as mails, receiver() as hook:
        for number in range(WEBHOOKS):
            await add_endpoint(connection, settings, f"e{number}", hook.url(f"/e{number}"))
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
        for number in range(1, KILLS + 1):
            async with started(given, log) as process:
                enough = number * CAMPAIGNS * WEBHOOKS // (KILLS + 1)
                await until_true(lambda n=enough: len(sent(hook)) >= n, f"{enough} are sent", PATIENCE_S)  # type: ignore[misc]
                await asyncio.sleep(chance.uniform(0, 0.05))
                await kill(process)
        async with started(given, log):
            await until(connection, WAITING, 0, PATIENCE_S)

    assert Counter(path for path, _ in sent(hook)) == {f"/e{n}": CAMPAIGNS for n in range(WEBHOOKS)}
    copies = defaultdict(list)
    for message in mails.messages:
        if str(message["Yesser-Event"]).startswith("i"):  # no reminder
            copies[str(message["Message-ID"])].append(message["Yesser-Repeat"] is not None)
    assert len(copies) == CAMPAIGNS
    assert all(all(found[1:]) for found in copies.values()), "each repeat is named"
    assert await connection.fetchval(ENDED, "webhook") == CAMPAIGNS * WEBHOOKS
    assert await connection.fetchval(ENDED, "email") == CAMPAIGNS
    assert FIRST not in log.read_text(encoding="utf-8")
    again = len(hook.got) - CAMPAIGNS * WEBHOOKS, sum(map(sum, copies.values()))
    tell(f"{KILLS} x kill -9 of the delivery process: {again[0]} repeated webhooks, {again[1]} named e-mails")


async def test_without_what_it_needs_the_part_that_sends_e_mails_says_so_and_waits_or_halts(settings: Settings) -> None:
    stop = asyncio.Event()
    with capture_logs() as logs:
        structlog.configure(cache_logger_on_first_use=False)
        part = asyncio.create_task(send_letters(settings.acting_as("delivery"), Term(1, stop), lambda: None))
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
            await send_letters(given.acting_as("delivery"), Term(1, asyncio.Event()), lambda: None)


@pytest.mark.accept
@pytest.mark.timeout(600)
async def test_a_long_queue_drains_though_a_hundred_of_a_thousand_webhooks_hang(
    settings: Settings, connection: Connection, environment: Environment, tmp_path: Path
) -> None:
    settings, launched, webhooks = for_hooks(settings), 20, 1_000
    await live_launches(connection, launched)
    await teams.add_team(connection)
    async with receiver() as hook, receiver(silence) as hanging:
        for number in range(webhooks):
            url = (hanging if number % 10 == 0 else hook).url(f"/e{number}")
            await add_endpoint(connection, settings, f"e{number}", url, is_sealed=False)
            await subscribe(connection, f"e{number}", is_sealed=False)
        await seal_rows(connection)  # once: sealing all of them after each takes half an hour
        total = launched * webhooks * 9 // 10
        async with started(environment(YESSER_WEBHOOK_HOSTS="127.0.0.1"), tmp_path / "log") as child:
            await hook.until(1, timeout_s=PATIENCE_S)
            process = psutil.Process(child.pid)
            before = process.cpu_times()
            await hook.until(total, timeout_s=300)
            after = process.cpu_times()
    assert Counter(received.path for received in hook.got) == {f"/e{n}": launched for n in range(webhooks) if n % 10}
    used = after.user + after.system - before.user - before.system
    tell(f"{total} webhooks beside 100 that hang: {1e6 * used / total:,.0f} µs of processor time each")
    assert used / total < 1 / 1_000
