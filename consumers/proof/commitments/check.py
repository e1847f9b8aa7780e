"""Verifies the commitments in the log: folds the log again up to the index of each, and compares the hashes.

Flows in: entries, for `log-keys` the rotations that the registrar stored, and for `trail` its rows; neither the live
tables nor the event index are used. The versions of the live rows say which commitments are of an earlier fold. Flows
out: a verdict per commitment.

Acknowledges a wrong commitment: it stays wrong, and its alarm ends, with a reason in the log itself.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Final

from msgspec import Struct
from msgspec.structs import asdict

from consumers.documents.document import Label, Name
from consumers.documents.log.commitments import Claim, Status
from consumers.models.registry import CONSUMERS
from consumers.proof.commitments.claims import (
    ACKNOWLEDGED,
    TYPE,
    Acknowledgement,
    RowsVersion,
    consumer_name,
    read_model_name,
    said_among,
    sorted_out,
    status_of,
)
from consumers.proof.commitments.commitment import LOG_KEYS, hash_log_keys
from consumers.proof.commitments.trail import TRAIL, hash_trail
from consumers.replay.event_index.read import as_full_type
from consumers.replay.fold.replay import Progress, Scratch, no_progress, replay
from consumers.replay.fold.table_hash import TableHash
from consumers.replay.fold.version import FoldVersion
from consumers.replay.rebuild.comparison import table_hash
from events.errors import YesserError
from events.wire.entry import recorded_time
from infra.clock import Clock, utc_now
from infra.command_line.database import with_database
from infra.log.reader import chosen_entries, read_checked
from infra.postgres import outbox_table
from infra.postgres.connection import Connection, connected
from infra.postgres.outbox import OutboxEvent
from infra.postgres.sql import queries
from infra.postgres.trail import add_to_trail
from infra.settings import Settings

_NONCE_BYTES: Final = 8
_SQL: Final = queries("consumers.proof.commitments", "commit.sql")
READ_MODELS: Final = tuple(
    read_model_name(consumer, table.name) for consumer in CONSUMERS.values() for table in consumer.tables
)
"""Their names in commitments."""


Hashes = dict[tuple[str, int], TableHash]
"""What the log gives, by name and index."""


class NoCommitment(YesserError):
    """There is no commitment at this index: `yesser audit commitments` names those that do not match."""


def trail_command(index: int) -> str:
    """The command, as the trail has it."""
    return f"audit acknowledge {index}"


def acknowledged(settings: Settings, index: int, reason: Mapping[str, str]) -> Claim:
    """`acknowledge` by an operator, now."""
    settings = settings.acting_as("operator")
    return with_database(settings, "acknowledge", lambda connection: acknowledge(connection, index, reason, utc_now))


def event_of(claim: Claim, reason: Mapping[str, str], now: datetime) -> OutboxEvent:
    """Each has an id of its own: a reason may be corrected."""
    return OutboxEvent(
        id=f"acknowledged.{claim.name}.i{claim.index}.{secrets.token_hex(_NONCE_BYTES)}",
        type=ACKNOWLEDGED,
        subject=f"projection/{claim.name}",
        data={"name": claim.name, "commitment_index": claim.index, "reason": dict(reason)},
        time=recorded_time(now),
        cause_index=claim.index,
    )


async def acknowledge(connection: Connection, index: int, reason: Mapping[str, str], clock: Clock) -> Claim:
    """Announce that the commitment at `index` is known to be wrong, and return it.

    Raises `NoCommitment`, and `NotAnnounced` for a reason that validation refuses.
    """
    entries = await read_checked(connection, index, 1)
    claim = next((said for said in said_among(index, entries) if isinstance(said, Claim)), None)
    if claim is None:
        raise NoCommitment(f"Entry {index}: {NoCommitment.__doc__}")
    event = event_of(claim, reason, clock())
    outbox_table.require_accepted(event)
    async with connection.transaction():
        await outbox_table.write(connection, [event])
        await add_to_trail(connection, trail_command(index))
    return claim


class RowsHash(Struct, frozen=True):
    """What the log gives for a read model at an index."""

    rows: int
    sha256: str


class Known(Struct, frozen=True):
    """The acknowledgement at the entry `index`; `by`: the operator, as far as the trail says."""

    index: int
    by: str | None
    reason: dict[str, str]


class CheckedClaim(Claim, frozen=True):
    """A commitment after its check. `found` is None if there is no such read model or no such state.

    `acknowledgement` is the last one of a wrong commitment, if there is any. `ok`: it is no alarm.
    """

    found: RowsHash | None
    status: Status
    acknowledgement: Known | None
    ok: bool

    @property
    def from_log(self) -> Annotated[Name, Label("من السجل", "From the log", drop=2)]:
        found = self.found
        if found is None:
            return Name("لا توجد حالة كهذه", "no such state")
        return Name("الصفوف: {:,}، {}", "{:,} rows, {}").format(found.rows, found.sha256)


async def newest_in_log(connection: Connection) -> list[Claim]:
    """The newest commitment to each read model, found by the event index, by name."""
    subjects = [f"projection/{name}" for name in (*READ_MODELS, LOG_KEYS, TRAIL)]
    rows = await connection.fetch(_SQL["newest"], subjects, as_full_type(TYPE))
    claims, _ = await _said_at(connection, [index for (index,) in rows])
    return sorted(claims, key=lambda claim: claim.name)


async def acknowledged_in_log(connection: Connection) -> list[Acknowledgement]:
    """All acknowledgements, found by the event index."""
    rows = await connection.fetch(_SQL["acknowledgements"], as_full_type(ACKNOWLEDGED))
    return (await _said_at(connection, [index for (index,) in rows]))[1]


async def _said_at(connection: Connection, indexes: Sequence[int]) -> tuple[list[Claim], list[Acknowledgement]]:
    entries = chosen_entries(connection, sorted(indexes))
    return sorted_out([said async for index, entry in entries for said in said_among(index, [entry])])


async def rows_versions(connection: Connection) -> dict[str, RowsVersion]:
    """The versions of the live rows, by consumer."""
    rows = await connection.fetch(_SQL["rows_versions"])
    return {name: RowsVersion(FoldVersion(number, sha256), since) for name, number, sha256, since in rows}


async def check(
    settings: Settings, claims: Sequence[Claim], acknowledgements: Sequence[Acknowledgement] = ()
) -> list[CheckedClaim]:
    """A verdict for each claim, in log order. The log is folded once per consumer."""
    settings = settings.acting_as("auditor")
    hashes: Hashes = {}
    for consumer in CONSUMERS.values():
        own = [claim for claim in claims if consumer_name(claim.name) == consumer.name and claim.is_possible]
        if own:
            async with connected(settings, "commitments", batch=True) as session:
                scratch = Scratch(session, consumer)
                await scratch.create()
                hashes |= await hash_committed(settings, scratch, own)
    async with connected(settings, "commitments", batch=True) as connection:
        return await verdicts(connection, claims, hashes, acknowledgements)


async def verdicts(
    connection: Connection, claims: Sequence[Claim], hashes: Hashes, acknowledgements: Sequence[Acknowledgement]
) -> list[CheckedClaim]:
    """A verdict for each claim, where the log gives these `hashes` of read models."""
    live, operators = await rows_versions(connection), await _operators(connection, acknowledgements)
    hashes = hashes | await hash_others(connection, claims)
    verdicts = []
    for claim in claims:
        hashed, name = hashes.get((claim.name, claim.log_index)), consumer_name(claim.name)
        own = CONSUMERS[name].rows_version if name in CONSUMERS else None
        status = status_of(claim, hashed, own, live.get(name), acknowledgements)
        known = None
        if status is Status.ACKNOWLEDGED:
            last = [one for one in acknowledgements if one.is_of(claim)][-1]
            known = Known(last.index, operators.get(claim.index), last.reason)
        rows_hash = None if hashed is None else RowsHash(hashed.rows, hashed.sha256)
        ok = status is not Status.WRONG
        verdicts.append(CheckedClaim(**asdict(claim), found=rows_hash, status=status, acknowledgement=known, ok=ok))
    return verdicts


async def hash_others(connection: Connection, claims: Iterable[Claim]) -> Hashes:
    """What the database gives for the commitments to what is no read model, by name and index."""
    claims = [claim for claim in claims if claim.is_possible]
    keys = [claim.log_index for claim in claims if claim.name == LOG_KEYS]
    hashes = {(LOG_KEYS, index): await hash_log_keys(connection, index) for index in keys}
    return hashes | await hash_trail(connection, claims)


async def _operators(connection: Connection, acknowledgements: Sequence[Acknowledgement]) -> dict[int, str]:
    """Who acknowledged the commitments at these indexes, as far as the trail says."""
    commands = {trail_command(one.commitment_index): one.commitment_index for one in acknowledgements}
    rows = await connection.fetch(_SQL["acknowledged_by"], [*commands])
    return {commands[command]: operator for command, operator in rows}


async def hash_committed(
    settings: Settings, scratch: Scratch, claims: Iterable[Claim], progress: Progress = no_progress
) -> Hashes:
    """Fold the log up to the index of each claim about a read model of the scratch, and hash it there."""
    tables = {read_model_name(scratch.consumer, table.name): table for table in scratch.consumer.tables}
    hashes: Hashes = {}
    for log_index, name in sorted({(claim.log_index, claim.name) for claim in claims if claim.name in tables}):
        await replay(settings, [scratch], log_index, progress)
        async with scratch.connection.transaction():
            hashes[name, log_index] = await table_hash(scratch.connection, tables[name])
    return hashes
