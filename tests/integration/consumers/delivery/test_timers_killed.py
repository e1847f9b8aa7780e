"""kill -9 of the delivery process and of the campaigns consumer while timers fire: each campaign is escalated once."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import orjson
import pytest

from consumers.campaigns.consumer import CONSUMER
from consumers.pipeline.pipeline import Pipeline
from consumers.rebuild.rebuild import RebuildOptions, rebuild
from consumers.registrar.registrar import Registrar
from consumers.relay.relay import Relay
from events.wire.codec import build_event
from infra.kafka.client_config import agency_triggers_topic
from infra.log.reader import log_size
from infra.postgres.connection import Connection
from infra.process.subprocess_command import subprocess_command
from infra.secret_files import ENDPOINT_KEY, password
from infra.settings import Settings
from tests.world.registrars import found, log_of, registrar
from tests.world.topics import HEALTH_TOPIC, records, send
from tests.world.waits import running, until

CAMPAIGNS = 700
"""More than the timers put into the outbox in one transaction."""
KILLS = 6
SEED = 14
PATIENCE_S = 90.0
SHORT = {"lease_ms": 600, "lease_renew_ms": 150, "retry_wait_max_ms": 200}
Environment = Callable[..., dict[str, str]]


def announced(number: int) -> bytes:
    """An initiative, which triggers a campaign."""
    text = {"ar": "مبادرة", "en": "Initiative"}
    return build_event(
        type="awareness.initiative-announced",
        agency="health",
        id=f"announced-{number}",
        subject=f"initiative/I-{number}",
        time="2026-10-01T08:00:00Z",
        data={"initiative_id": f"I-{number}", "name": text, "aim": text, "on": "2026-10-01"},
    )


async def triggered_a_month_ago(settings: Settings, connection: Connection) -> None:
    """The log of a month ago has the campaigns, and is applied."""
    await found(settings, "health")
    await send(settings, HEALTH_TOPIC, *map(announced, range(CAMPAIGNS)))
    then = datetime.now(UTC) - timedelta(days=31)
    async with running(Registrar(settings, lambda: then), Relay(settings), Pipeline(CONSUMER, settings)):

        async def all_triggered() -> bool:
            if not await connection.fetchval("SELECT to_regclass('campaigns.route') IS NOT NULL"):
                return False
            count: int = await connection.fetchval("SELECT count(*) FROM campaigns.route")
            return count == CAMPAIGNS

        await until(all_triggered, "all campaigns are in the log", PATIENCE_S)


async def escalated_rows(connection: Connection) -> int:
    count: int = await connection.fetchval("SELECT count(*) FROM campaigns.campaign WHERE escalated")
    return count


async def has_written(connection: Connection) -> bool:
    """Whether an escalation has left the delivery process: it is in the outbox, or in the log."""
    return bool(
        await connection.fetchval(
            "SELECT EXISTS (SELECT FROM platform.outbox WHERE event_id LIKE 'escalated.%') OR size > $1 FROM log.state",
            3 + 2 * CAMPAIGNS,
        )
    )


async def kill_while_it_works(name: str, environment: dict[str, str], log: Path, seconds: float) -> None:
    """Start a process, and kill it -9 after a while."""
    process = await started(name, environment, log)
    await asyncio.sleep(seconds)
    process.kill()
    await process.wait()


async def started(name: str, environment: dict[str, str], log: Path) -> asyncio.subprocess.Process:
    with log.open("ab") as lines:
        return await asyncio.create_subprocess_exec(*subprocess_command("run", name), env=environment, stderr=lines)


@pytest.mark.accept
@pytest.mark.timeout(300)
async def test_each_campaign_is_escalated_once_whatever_is_killed(
    settings: Settings, connection: Connection, environment: Environment, tmp_path: Path
) -> None:
    settings = settings.model_copy(update=SHORT | {"clock_difference_max_s": 1e9})
    password(settings.secrets_folder / "delivery", ENDPOINT_KEY)
    await triggered_a_month_ago(settings, connection)
    random, log = Random(SEED), tmp_path / "killed.log"
    given = environment(**{f"YESSER_{name.upper()}": str(value) for name, value in SHORT.items()})

    async with running(registrar(settings), Relay(settings)):
        # The first one dies as soon as it has written something.
        first = await started("delivery", given, log)
        await until(lambda: has_written(connection), f"an escalation is written; see {log}", PATIENCE_S, every_s=0.001)
        first.kill()
        await first.wait()
        for _ in range(KILLS):
            # A second goes by until a process has started and holds its lease.
            await asyncio.gather(
                kill_while_it_works("delivery", given, log, random.uniform(1.2, 3.5)),
                kill_while_it_works("campaigns", given, log, random.uniform(1.2, 3.5)),
            )
        last = [await started(name, given, log) for name in ("delivery", "campaigns")]

        async def all_escalated() -> bool:
            return await escalated_rows(connection) == CAMPAIGNS

        try:
            await until(all_escalated, f"all are escalated; see {log}", PATIENCE_S)
            # A rebuild and a restart decide nothing again.
            size = await log_size(connection)
            await rebuild(settings, CONSUMER, RebuildOptions(compare=False, swap=True))
            last[0].kill()
            await last[0].wait()
            last[0] = await started("delivery", given, log)
            await asyncio.sleep(4)
            assert await log_size(connection) == size
        finally:
            for process in last:
                process.kill()
                await process.wait()

    types = Counter(entry.type for entry in await log_of(connection))
    assert types["campaign.escalated"] == CAMPAIGNS
    assert types["registrar.refused"] == 0
    assert await connection.fetchval("SELECT count(*) FROM campaigns.anomaly") == 0
    # A relay that is stopped while it sends may repeat messages, with the same ids.
    sent = await records(settings, agency_triggers_topic(settings, "health"))
    ids = {orjson.loads(record.value)["id"] for record in sent}
    assert Counter(id.partition(".")[0] for id in ids) == {"triggered": CAMPAIGNS, "escalated": CAMPAIGNS}
