"""Teams with webhooks, and the delivery process at work, for tests."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from consumers.delivery.delivery import Delivery
from consumers.delivery.routing.router import route
from consumers.delivery.secrets import new_secret, opening_keys, seal
from consumers.delivery.webhooks.sender import send
from infra.postgres.connection import Connection
from infra.secret_files import ENDPOINT_KEY, password
from infra.settings import Settings
from tests.team_seals import seal_rows

TEAM = ("health", "press")


def for_hooks(settings: Settings, **changes: Any) -> Settings:
    """Settings with which webhooks go to receivers on loopback. The key of endpoints is made."""
    password(settings.secrets_folder / "delivery", ENDPOINT_KEY)
    return settings.model_copy(update={"webhook_hosts": "127.0.0.1, localhost, receiver.example", **changes})


async def add_team(connection: Connection, agency: str = "health", team: str = "press") -> None:
    await connection.execute(
        "INSERT INTO delivery.team (agency, team, name) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        agency,
        team,
        {"ar": "فريق", "en": "Team"},
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
            endpoint_id,
            secret_id,
            kind,
            seal(bytes(key.public_key), endpoint_id, secret_id, made.secret),
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
