"""Verifies the commitments in the log: folds the log again up to the index of each, and compares the hashes.

Flows in: entries, and for `log-keys` the rotations that the registrar stored; neither the live tables nor the event
index are used. Flows out: a verdict per commitment.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final
from uuid import uuid4

from consumers.commitments.claims import TYPE, Claim, claims_among, newest, read_model_name
from consumers.commitments.log_keys import LOG_KEYS, hash_log_keys
from consumers.event_index.consumer import CONSUMER as EVENT_INDEX
from consumers.event_index.read import Query, as_full_type, find
from consumers.fold.consumer import Consumer
from consumers.fold.replay import Scratch, replay
from consumers.fold.table_hash import TableHash
from consumers.rebuild.table_hash import table_hash
from consumers.registry import CONSUMERS
from infra.log.reader import chosen_entries, entry_batches, log_size
from infra.postgres.connection import Connection, connected
from infra.postgres.outbox import PLATFORM
from infra.settings import Settings

_TAKEN_TWICE: Final = 2 * (sum(len(consumer.tables) for consumer in CONSUMERS.values()) + 1)
"""Entries among which the newest are: all read models, and the keys, twice."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """`found` is what the log gives at that index; None if there is no such read model or no such state."""

    claim: Claim
    found: TableHash | None

    @property
    def ok(self) -> bool:
        found = self.found
        return found is not None and (found.rows, found.sha256) == (self.claim.rows, self.claim.sha256)

    def document(self) -> dict[str, Any]:
        """As JSON."""
        claim, found = self.claim, self.found
        return {
            "index": claim.index,
            "name": claim.name,
            "log_index": claim.log_index,
            "rows": claim.rows,
            "sha256": claim.sha256,
            "found": None if found is None else {"rows": found.rows, "sha256": found.sha256},
            "ok": self.ok,
        }


async def claims_in_log(connection: Connection) -> list[Claim]:
    """Every commitment in the log, in log order."""
    claims: list[Claim] = []
    async for first, batch in entry_batches(connection, 0, await log_size(connection)):
        claims += claims_among(first, batch)
    return claims


async def newest_in_log(connection: Connection) -> list[Claim]:
    """The newest commitment to each read model, found by the event index, by name."""
    asked = Query(type=as_full_type(TYPE), agency=PLATFORM, rows_max=_TAKEN_TWICE, newest_first=True)
    async with connection.transaction():
        await connection.execute(f"SET LOCAL search_path = {EVENT_INDEX.schema}")
        indexes = [row["index"] for row in (await find(connection, asked)).events]
    claims: list[Claim] = []
    async for index, entry in chosen_entries(connection, sorted(indexes)):
        claims += claims_among(index, [entry])
    return sorted(newest(claims, 1), key=lambda claim: claim.name)


async def check(
    settings: Settings, claims: Sequence[Claim], consumers: Iterable[Consumer] = tuple(CONSUMERS.values())
) -> list[Verdict]:
    """A verdict for each claim, in log order. The log is folded once per consumer."""
    settings = settings.acting_as("auditor")
    found: dict[tuple[str, int], TableHash] = {}  # by name and index
    async with connected(settings, "commitments", batch=True) as connection:
        for consumer in consumers:
            names = {read_model_name(consumer, table.name) for table in consumer.tables}
            # A commitment cannot be about a state after its own entry.
            asked = sorted({(c.log_index, c.name) for c in claims if c.name in names and c.log_index <= c.index})
            if asked:
                found |= await _recompute(settings, connection, consumer, asked)
        for claim in claims:
            if claim.name == LOG_KEYS and claim.log_index <= claim.index:
                found[LOG_KEYS, claim.log_index] = await hash_log_keys(connection, claim.log_index)
    return [Verdict(claim, found.get((claim.name, claim.log_index))) for claim in claims]


async def _recompute(
    settings: Settings, connection: Connection, consumer: Consumer, asked: list[tuple[int, str]]
) -> dict[tuple[str, int], TableHash]:
    """The hashes of the read models in `asked`, given as (index, name)."""
    found = {}
    tables = {read_model_name(consumer, table.name): table for table in consumer.tables}
    scratch = Scratch(consumer, f"commitments_{consumer.schema}_{uuid4().hex[:12]}")
    await scratch.create(connection, lasting=False)
    try:
        for log_index, names in groupby(asked, key=lambda pair: pair[0]):
            await replay(settings, connection, [scratch], log_index)
            async with connection.transaction():
                for _, name in names:
                    found[name, log_index] = await table_hash(connection, tables[name])
    finally:
        await scratch.drop(connection)
    return found
