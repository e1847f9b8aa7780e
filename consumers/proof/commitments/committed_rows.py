"""Rows that a rebuild may begin with: those that the log commits to, copied from the live tables and hashed again.

Flows in: the newest commitments to a consumer's read models, each proven to be in the signed log, and what the live
rows were at the beginning of that block. Flows out: a scratch with these rows and the fold of what follows up to the
commitments' index, where its hashes are the committed ones; else an error, and the scratch as it was.

What rows were before that index (`past_row`, `past_span`) is copied too. No commitment covers it.
"""

from __future__ import annotations

from typing import Final

from consumers.documents.log.commitments import Claim
from consumers.proof.audit.authenticated import AuthenticatedLog
from consumers.proof.commitments.check import acknowledged_in_log, newest_in_log, rows_versions
from consumers.proof.commitments.claims import read_model_name, said_among
from consumers.replay.as_of.past_state import Base, base_sql, can_show, lock_tables
from consumers.replay.fold.consumer import Consumer
from consumers.replay.fold.past_rows import block_start, is_kept, span_start
from consumers.replay.rebuild.comparison import table_hash
from consumers.replay.rebuild.lasting_scratch import LastingScratch
from consumers.replay.rebuild.rebuild import position_of
from events.errors import Tampered, YesserError
from infra.log.ports.postgres_port import PostgresPort
from infra.log.ports.read_ahead import read_parsed
from infra.postgres.connection import Connection, connected
from infra.postgres.sql import queries
from infra.private_keys.key_files import read_verifier
from infra.settings import Settings

_SQL: Final = queries("consumers.proof.commitments", "committed_rows.sql")


class NoCommittedRows(YesserError):
    """There are no rows that a rebuild can begin with: leave out --from-commitment, and every entry is folded."""


class NotCommitted(Tampered):
    """The rows are not those that the log commits to: a row was changed, or the commitment was made of changed rows
    (`yesser audit commitments` says which). Rebuild without --from-commitment."""


async def copy_committed(scratch: LastingScratch, settings: Settings) -> None:
    """Bring an empty scratch to the newest index that the log commits to, without a fold of what is before its block.

    Raises `NoCommittedRows` where the log commits to no such rows or the consumer cannot show what they were,
    `NotCommitted` for rows with other hashes, and `WrongTree` for a commitment that is not in the signed tree.
    """
    consumer = scratch.consumer
    async with connected(settings, "committed rows", batch=True) as connection:
        if not await can_show(connection, [consumer]):
            raise NoCommittedRows(f"{consumer.name} does not keep what its rows were. {NoCommittedRows.__doc__}")
        claims = await _claims(connection, consumer)
        await _require_signed(connection, settings, claims)
    index = claims[0].log_index
    async with scratch.connection.transaction(isolation="repeatable_read"):
        await lock_tables(scratch.connection, [consumer])
        await _copy(scratch, index)
        while scratch.position < index:
            await scratch.apply(await read_parsed(scratch.connection, scratch.position, index - scratch.position))
        tables = {read_model_name(consumer, table.name): table for table in consumer.tables}
        for claim in claims:
            found = await table_hash(scratch.connection, tables[claim.name])
            if (found.rows, found.sha256) != (claim.rows, claim.sha256):
                raise NotCommitted(
                    f"{claim.name} after {index} entries (commitment {claim.index}): {NotCommitted.__doc__}"
                )


async def _claims(connection: Connection, consumer: Consumer) -> list[Claim]:
    """The newest commitments to all of its read models, at one index. Raises `NoCommittedRows`."""
    names = {read_model_name(consumer, table.name) for table in consumer.tables}
    claims = [claim for claim in await newest_in_log(connection) if claim.name in names and claim.is_possible]
    version = consumer.rows_version
    live = (await rows_versions(connection)).get(consumer.name)
    ours = {claim.log_index for claim in claims if claim.fold_version == version.label}
    is_whole = len(claims) == len(names) and len(ours) == len({claim.log_index for claim in claims}) == 1
    if not is_whole or live is None or live.version != version:
        raise NoCommittedRows(
            f"The log does not commit to all rows of {consumer.name} at one index under this version of its fold"
            f" (`yesser commit`). {NoCommittedRows.__doc__}"
        )
    known = await acknowledged_in_log(connection)
    if wrong := [claim.index for claim in claims if any(one.is_of(claim) for one in known)]:
        raise NoCommittedRows(f"The commitment {wrong[0]} is known to be wrong. {NoCommittedRows.__doc__}")
    return claims


async def _require_signed(connection: Connection, settings: Settings, claims: list[Claim]) -> None:
    """Raise `WrongTree` unless the entry of each commitment is in the tree of the newest checkpoint."""
    port = PostgresPort(connection, read_verifier(settings, None))
    checkpoint = await port.checkpoint()
    log = AuthenticatedLog(port, checkpoint)
    for claim in claims:
        if claim.index >= checkpoint.size:
            raise NoCommittedRows(f"The commitment {claim.index} is not signed yet. {NoCommittedRows.__doc__}")
        if claim not in list(said_among(claim.index, await log.entries(claim.index, 1))):
            raise NotCommitted(f"entry {claim.index}: {NotCommitted.__doc__}")


async def _copy(scratch: LastingScratch, index: int) -> None:
    """Copy the rows as of the beginning of the block of `index`, and what they were before."""
    connection, consumer, start = scratch.connection, scratch.consumer, block_start(index)
    past = frozenset(table.name for table in consumer.tables if is_kept(table))
    base = Base(consumer, await position_of(connection, consumer), start, index, past)
    for table in consumer.tables:
        if table.view:
            continue
        columns = ", ".join(table.columns)
        await connection.execute(f"INSERT INTO {table.name} ({columns}) {base_sql(base, table, whole=True)}")
    if consumer.keeps_past:
        await connection.execute(_SQL["copy_blocks"].format(schema=consumer.schema), start)
        await connection.execute(_SQL["copy_spans"].format(schema=consumer.schema), start, span_start(start))
    await scratch.begin_at(start)
