"""A log that grows by what was committed, and the relay that commits."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from consumers.documents.log.commitments import Status
from consumers.proof.commitments.check import hash_others
from consumers.proof.commitments.claims import status_of
from consumers.proof.commitments.commitment import CommitmentScheduler
from consumers.proof.commitments.trail import said_in_log
from events.wire.entry import entry_bytes, parse_entry
from infra.postgres.connection import Connection
from infra.process import lease
from infra.process.leader_election import Term
from infra.settings import Settings
from tests.world.logs import apply_everywhere, write_claims, write_log
from tests.world.records import RECORDED


async def register_outbox(connection: Connection, raw: Sequence[bytes]) -> list[bytes]:
    """The log with what the outbox held, as the registrar would have added it, applied by everyone."""
    rows = await connection.fetch("DELETE FROM platform.outbox RETURNING row_id, value")
    added = [entry_bytes(RECORDED, f"agency.platform.events/0/{number}", value) for number, value in sorted(rows)]
    return await grow(connection, raw, *added)


async def grow(connection: Connection, raw: Sequence[bytes], *entries: bytes) -> list[bytes]:
    """The log with these entries, applied by everyone."""
    grown = [*raw, *entries]
    await connection.execute("ALTER TABLE log.segment DISABLE TRIGGER append_only")
    await connection.execute("TRUNCATE log.segment")
    await write_log(connection, grown)
    await apply_everywhere(connection, grown)
    return grown


async def status_in_database(connection: Connection, name: str) -> Status:
    """What the database says of the log's commitments to what is no read model: there is one of this name."""
    claims, acknowledgements = await said_in_log(connection)
    (claim,) = [claim for claim in claims if claim.name == name]
    hashes = await hash_others(connection, [claim])
    return status_of(claim, hashes.get((name, claim.log_index)), acknowledgements=acknowledgements)


async def lose_what_was_committed(connection: Connection) -> None:
    """The notes are those of an older copy; the log has been recovered, with the commitments that came after it."""
    values = await connection.fetch("SELECT 1000 + row_id, value FROM platform.outbox")
    entries = [
        parse_entry(index, entry_bytes(RECORDED, "agency.platform.events/0/0", value)) for index, value in values
    ]
    await write_claims(connection, entries)
    await connection.execute("TRUNCATE platform.outbox, platform.committed")


async def scheduler_of(settings: Settings, connection: Connection) -> CommitmentScheduler:
    """That of a relay which has claimed the lease."""
    epoch = await lease.claim(connection, "relay", "test", settings)
    assert epoch is not None
    return CommitmentScheduler(settings, Term(epoch, asyncio.Event()))
