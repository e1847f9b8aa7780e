"""The read API on a real PostgreSQL, without Kafka: the gateway's application over a log that was applied."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import httpx

from consumers.programme.plan.document import PLAN_CONSUMERS
from consumers.replay.event_index.consumer import CONSUMER as EVENT_INDEX
from events.wire.entry import parse_entry
from infra.http.callers import Kind
from infra.postgres.connection import Connection, Pool, connected, create_pool
from infra.private_keys.key_files import gateway_key_files, load_or_create_keys
from infra.settings import Settings
from producers.agencies.tokens import TokenRequest, create_token, hash_key
from producers.gateway.access.callers import Access
from producers.gateway.app import application
from producers.gateway.process import reading_pool
from producers.gateway.receiving import ReceiptSigner, Receiver
from producers.gateway.routes.parts import GatewayParts
from producers.gateway.writer import KafkaWriter
from tests.oracle.log import EntryDict
from tests.stack import TestStack, corner
from tests.world.logs import apply_live, raw_entries, write_claims, write_log

CONSUMERS = (*PLAN_CONSUMERS, EVENT_INDEX)
CALLERS: dict[str, tuple[Kind, str]] = {
    "office": ("office", "yesser"),
    "auditor": ("auditor", "court-of-audit"),
    "treasury": ("treasury", "ministry-of-finance"),
    "health": ("agency", "health"),
    "labour": ("agency", "labour"),
    "acme": ("partner", "ACME"),
    "nobody": ("partner", "NOBODY"),
}
CHECKPOINT = "INSERT INTO log.checkpoint (size, note) VALUES ($1, E'origin\\n1\\nAAAA\\n')"
REGISTER = (
    "INSERT INTO platform.agency (code, role, name, registered_index) VALUES ($1, $2, '{}', 0) ON CONFLICT DO NOTHING"
)


@dataclass(frozen=True)
class Window:
    """The application, asked as one holder or another."""

    settings: Settings
    connection: Connection
    client: httpx.AsyncClient
    reads: Pool
    tokens: dict[tuple[Kind, str], str]

    async def get(self, path: str, kind: Kind = "office", holder: str = "yesser", **headers: str) -> httpx.Response:
        """The answer that this holder gets."""
        if (kind, holder) not in self.tokens:
            partners = (f"health/{holder}",) if kind == "partner" else ()
            asked = TokenRequest(kind, holder, 1, partners=partners)
            made = await create_token(self.connection, hash_key(self.settings), asked)
            self.tokens[kind, holder] = made.token
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.client.get(path, headers={"authorization": f"Bearer {self.tokens[kind, holder]}", **given})

    async def json(self, path: str, kind: Kind = "office", holder: str = "yesser") -> Any:
        """The document of an answer that has to be good."""
        answer = await self.get(path, kind, holder)
        assert answer.status_code == 200, (path, kind, answer.text)
        return answer.json()

    async def pages(self, path: str, limit: int, kind: Kind = "office", holder: str = "yesser") -> list[Any]:
        """The documents of all pages."""
        found = []
        following: str | None = f"{path}{'&' if '?' in path else '?'}limit={limit}"
        while following is not None:
            answer = await self.get(following, kind, holder)
            assert answer.status_code == 200, answer.text
            found.append(answer.json())
            following = answer.links.get("next", {}).get("url")
        return found

    async def rows(self, path: str, limit: int) -> list[Any]:
        """The rows of all pages."""
        return [row for page in await self.pages(path, limit) for row in page]


@asynccontextmanager
async def read_window(
    settings: Settings, connection: Connection, over: Settings | None = None
) -> AsyncIterator[Window]:
    """The application with a database and with nothing else; what is read is read over a line of its own, if given."""
    pool, reads = await create_pool(settings, "gateway"), await reading_pool(over or settings)
    signer = ReceiptSigner(load_or_create_keys(gateway_key_files(settings)))
    receiver = Receiver(settings, cast(KafkaWriter, None), signer, lambda: datetime.now(UTC))
    parts = GatewayParts(settings, Access(settings, pool), receiver, signer, reads)
    transport = httpx.ASGITransport(application(parts))
    try:
        async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as client:
            yield Window(settings, connection, client, reads, {})
    finally:
        await pool.close()
        reads.terminate()


@asynccontextmanager
async def window_on(stack: TestStack, home: Path, log: Sequence[EntryDict]) -> AsyncIterator[Window]:
    """The application over a database of its own with this log."""
    async with corner(stack, home) as settings, connected(settings, "test", batch=True) as connection:
        await lay_down(connection, log)
        async with read_window(settings, connection) as opened:
            yield opened


async def lay_down(connection: Connection, log: Sequence[EntryDict], indexed: int | None = None) -> None:
    """Write the log, apply it everywhere, and register the agencies that it names; only the first `indexed` entries are
    in the index of events, if it is given."""
    raw = raw_entries(log)
    await write_log(connection, raw)
    for consumer in CONSUMERS:
        await apply_live(connection, consumer, raw[:indexed] if consumer is EVENT_INDEX else raw)
    for entry in log:
        if entry["event"]["type"] == "sa.gov.yesser.registry.agency-registered.v1":
            data = entry["event"]["data"]
            await connection.execute(REGISTER, data["code"], data["role"])
    await write_claims(connection, map(parse_entry, range(len(raw)), raw))


async def change(connection: Connection, before: bytes, after: bytes) -> None:
    """Change the bytes of the log as a superuser can: without its hashes."""
    await connection.execute("ALTER TABLE log.segment DISABLE TRIGGER append_only")
    for first, entries in await connection.fetch("SELECT first_index, entries FROM log.segment"):
        await connection.execute(
            "UPDATE log.segment SET entries = $2 WHERE first_index = $1", first, entries.replace(before, after)
        )


def closed(schema: Any) -> Any:
    """The schema, of which no object may have a property that it does not name."""
    if isinstance(schema, list):
        return [closed(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    inner = {name: closed(part) for name, part in schema.items()}
    return {"additionalProperties": False, **inner} if isinstance(schema.get("properties"), dict) else inner
