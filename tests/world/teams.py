"""Campaigns as live rows, teams with webhooks, and the delivery process at work.

`launches` and `make_live` lay down what was launched; `one_webhook` has a team's webhook get it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from consumers.delivery.delivery import Delivery
from consumers.delivery.routing.router import route
from consumers.delivery.secrets import new_secret, opening_keys, seal
from consumers.delivery.webhooks.route import send
from consumers.programme.campaigns.consumer import CONSUMER
from consumers.replay.fold.apply import apply
from consumers.replay.fold.postgres_store import live_store
from events.wire.entry import Entry
from infra.postgres import outbox_table
from infra.postgres.connection import Connection
from infra.postgres.migrate import create_tables
from infra.postgres.outbox import OutboxEvent
from infra.secret_files import ENDPOINT_KEY, password
from infra.settings import Settings
from tests.team_seals import seal_rows
from tests.unit.consumers.delivery.receivers import Answer, Receiver, receiver
from tests.world.logs import write_log
from tests.world.story import Story

WAITING = "SELECT count(*) FROM delivery.message WHERE state = 'waiting'"


def launches(number: int = 1) -> tuple[Story, list[str]]:
    """Services S0, S1, … of agency health are launched; their campaigns are in the log."""
    story, campaigns = Story(), []
    for service in range(number):
        story.register(f"S{service}")
        campaigns.append(f"service-launched.i{story.launch(f'S{service}')}")
    story.come_back()
    return story, campaigns


async def fold(connection: Connection, entries: Sequence[Entry], batch: int) -> None:
    """Apply the entries to the live campaigns, with the outbox, as the one loop would."""
    await create_tables(connection, CONSUMER.schema, CONSUMER.create_sql())
    await connection.execute(f"SET search_path = {CONSUMER.schema}")
    for start in range(0, len(entries), batch):
        async with connection.transaction():
            decided = await apply(live_store(connection, CONSUMER), CONSUMER, entries[start : start + batch])
            await outbox_table.write(connection, decided)


async def put(connection: Connection, *codes: str, padding: str = "") -> None:
    """Events about these agencies in the outbox, each of a size; the relay does not validate them."""
    await outbox_table.write(
        connection,
        [
            OutboxEvent(
                f"agency.{code}", "registry.agency-registered", f"agency/{code}",
                {"code": code, "name": padding}, "2026-01-01T00:00:00Z", None,
            )
            for code in codes
        ],
    )  # fmt: skip


async def make_live(connection: Connection, story: Story) -> None:
    """The story's entries are in the log and applied. What was decided is in them, not in the outbox."""
    await write_log(connection, story.raw)
    await connection.execute("UPDATE log.state SET recorded = $1", story.entries[-1].recorded)
    await fold(connection, story.entries, batch=256)
    await connection.execute("DELETE FROM platform.outbox")
    await set_position(connection, len(story.entries))


async def make_live_again(connection: Connection, story: Story) -> None:
    """The story has gone on since it was made live."""
    await connection.execute("ALTER TABLE log.segment DISABLE TRIGGER USER")
    await connection.execute("DELETE FROM log.segment")
    await connection.execute("DROP SCHEMA campaigns CASCADE")
    await make_live(connection, story)


async def live_launches(connection: Connection, number: int = 1) -> tuple[Story, list[str]]:
    story, campaigns = launches(number)
    await make_live(connection, story)
    return story, campaigns


async def set_position(connection: Connection, position: int) -> None:
    """The rows are those of this many entries, in this release's version."""
    await connection.execute("DELETE FROM platform.position WHERE consumer = 'campaigns'")
    await connection.execute(
        "INSERT INTO platform.position (consumer, position, rules_version, fold_sha256)"
        " VALUES ('campaigns', $1, $2, $3)",
        *(position, CONSUMER.version.number, CONSUMER.version.sha256),
    )


def for_hooks(settings: Settings, **changes: Any) -> Settings:
    """Settings with which webhooks go to receivers on loopback. The key of endpoints is made."""
    password(settings.secrets_folder / "delivery", ENDPOINT_KEY)
    return settings.model_copy(update={"webhook_hosts": "127.0.0.1, localhost, receiver.example", **changes})


async def add_team(connection: Connection, agency: str = "health", team: str = "press") -> None:
    await connection.execute(
        "INSERT INTO delivery.team (agency, team, name) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        *(agency, team, {"ar": "فريق", "en": "Team"}),
    )
    await seal_rows(connection)


async def add_endpoint(
    connection: Connection,
    settings: Settings,
    endpoint_id: str,
    url: str,
    kinds: Sequence[str] = ("v1",),
    *,
    is_sealed: bool = True,
) -> list[str]:
    """A webhook of the team; what the team was shown of its secrets. `is_sealed`: or `seal_rows` follows."""
    if is_sealed:
        await add_team(connection)
    await connection.execute(
        "INSERT INTO delivery.endpoint (endpoint_id, agency, team, url) VALUES ($1, 'health', 'press', $2)",
        endpoint_id,
        url,
    )
    key, *_ = opening_keys(settings, datetime.now(UTC))
    shown = []
    for secret_id, kind in enumerate(kinds, 1):
        made = new_secret("v1" if kind == "v1" else "v1a")
        shown.append(made.shown)
        await connection.execute(
            "INSERT INTO delivery.endpoint_secret (endpoint_id, secret_id, kind, sealed) VALUES ($1, $2, $3, $4)",
            *(endpoint_id, secret_id, kind, seal(bytes(key.public_key), endpoint_id, secret_id, made.secret)),
        )
    if is_sealed:
        await seal_rows(connection)
    return shown


async def subscribe(connection: Connection, endpoint_id: str, *, is_sealed: bool = True, **filters: Any) -> int:
    """A subscription of the endpoint, from the beginning of the log. `is_sealed`: or `seal_rows` follows."""
    values = {"from_index": 0, **filters}
    names = ", ".join(values)
    places = ", ".join(f"${number}" for number in range(2, 2 + len(values)))
    subscription_id: int = await connection.fetchval(
        "INSERT INTO delivery.subscription (agency, team, route, endpoint_id, "
        f"{names}) VALUES ('health', 'press', 'webhook', $1, {places}) RETURNING subscription_id",
        endpoint_id,
        *values.values(),
    )
    if is_sealed:
        await seal_rows(connection)
    return subscription_id


async def add_messages(connection: Connection, endpoint_id: str, states: Sequence[str]) -> None:
    """Messages `i0`, `i1`, … of the webhook in these states, made an hour apart, each with an attempt that failed."""
    for number, state in enumerate(states):
        message_id = await connection.fetchval(
            "INSERT INTO delivery.message (route, agency, team, endpoint_id, kind, event_id, log_index, campaign_id,"
            " lane, state, attempts, created_at) VALUES ('webhook', 'health', 'press', $1, 'triggered',"
            " 'i' || $2::int, $2::int, 'service-launched.i1', 'service/S', $3, 1,"
            " '2026-11-01T08:00Z'::timestamptz + $2::int * interval '1 hour') RETURNING message_id",
            *(endpoint_id, number, state),
        )
        await connection.execute(
            "INSERT INTO delivery.attempt VALUES ($1, 1, now(), 503, 17, NULL, 'down', $2)", message_id, endpoint_id
        )


@asynccontextmanager
async def delivering(settings: Settings) -> AsyncIterator[None]:
    """The delivery process with router and sender at work."""
    stop = asyncio.Event()
    task = asyncio.create_task(Delivery(settings, (route, send)).run(stop))
    try:
        yield
    finally:
        stop.set()
        await task


@asynccontextmanager
async def one_webhook(
    settings: Settings, connection: Connection, answer: Answer | None = None, *, launched: int = 1, **changes: Any
) -> AsyncIterator[Receiver]:
    """The delivery process at work with these `changes` of settings: so many services were launched, and webhook `e1`
    of the team gets everything. `answer`: of its receiver."""
    settings = for_hooks(settings, **changes)
    await live_launches(connection, launched)
    async with receiver(answer) as hook:
        await add_endpoint(connection, settings, "e1", hook.url())
        await subscribe(connection, "e1")
        async with delivering(settings):
            yield hook


async def until(connection: Connection, query: str, expected: object, timeout_s: float = 30) -> None:
    """Wait until the query gives this value."""
    found = None
    try:
        async with asyncio.timeout(timeout_s):
            while (found := await connection.fetchval(query)) != expected:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
    except TimeoutError:
        raise AssertionError(f"{query} gives {found!r}, not {expected!r}") from None


async def states(connection: Connection) -> dict[str, int]:
    rows = await connection.fetch("SELECT state, count(*) FROM delivery.message GROUP BY 1")
    return {row[0]: row[1] for row in rows}
