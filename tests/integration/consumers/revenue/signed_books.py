"""A log of revenue that is applied and signed, and what an auditor has of it."""

from __future__ import annotations

import asyncio

from consumers.event_index.consumer import CONSUMER as EVENT_INDEX
from consumers.revenue.consumer import CONSUMER as REVENUE
from infra.log.merkle import TileTree, leaf_hash
from infra.postgres.connection import Connection
from infra.private_keys.key_files import log_key_files
from infra.settings import Settings
from tests.world.logs import apply_live, write_log
from tests.world.memory_log import KEY, root_of


async def lay_down_books(connection: Connection, settings: Settings, raw: list[bytes]) -> None:
    """The log with its tree and its public key; the ledger and the index of events have applied it."""
    await write_log(connection, raw)
    nodes = TileTree().append([leaf_hash(entry) for entry in raw])
    await connection.executemany("INSERT INTO log.node VALUES ($1, $2, $3)", nodes)
    for consumer in (REVENUE, EVENT_INDEX):
        await apply_live(connection, consumer, raw)
    await asyncio.to_thread(settings.log_folder.mkdir, parents=True, exist_ok=True)
    await asyncio.to_thread(log_key_files(settings).vkey.write_text, KEY.verifier.vkey + "\n")


async def sign(connection: Connection, raw: list[bytes]) -> None:
    """A checkpoint of the log after these entries."""
    note = KEY.sign_checkpoint(len(raw), root_of(raw))
    await connection.execute("INSERT INTO log.checkpoint (size, note) VALUES ($1, $2)", len(raw), note)
