"""The log in the platform's database, as an auditor's source, and the tables that follow from it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress

from consumers.audit.port import LogPort
from consumers.commitments.claims import Acknowledgement, Claim, said_among, sorted_out
from consumers.commitments.trail import compare_trail
from consumers.database_audit.database import Compared, compare_database
from consumers.database_audit.postgres_port import PostgresPort
from consumers.database_audit.trail import TABLE
from infra.command_line.progress_bar import progress_bar
from infra.log.key_files import CHECKPOINT_FILE
from infra.log.signed_note import Verifier
from infra.postgres.connection import connected, is_transient
from infra.settings import Settings

__all__ = ["compared_database", "database_log", "is_transient"]


@asynccontextmanager
async def database_log(settings: Settings, verifier: Verifier) -> AsyncIterator[LogPort]:
    """A connection for long reads, closed at the end of the block."""
    async with connected(settings.acting_as("auditor"), "audit", batch=True) as connection:
        yield PostgresPort(connection, verifier)


async def compared_database(settings: Settings, verifier: Verifier) -> Compared:
    """Compare the tables in one snapshot, against the checkpoint beside the key too, where it can be read; and the
    chain of the trail with its rows and with the log's commitments to it.

    Raises `TableDiffers` at the first difference.
    """
    note: str | None = None
    with suppress(OSError):
        note = (settings.log_folder / CHECKPOINT_FILE).read_text(encoding="utf-8")
    async with (
        connected(settings.acting_as("auditor"), "audit", batch=True) as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        history = await PostgresPort(connection, verifier).keys()
        signed_size = 0 if note is None else history.parse_checkpoint(note).size
        said: list[Claim | Acknowledgement] = []

        def look(first: int, entries: Sequence[bytes]) -> None:
            said.extend(said_among(first, entries))

        with progress_bar("database") as update:
            compared = await compare_database(
                connection, signed_size, lambda done, total: update(completed=done, total=total), look
            )
        compared.rows[TABLE] = await compare_trail(connection, *sorted_out(said))
        return compared
