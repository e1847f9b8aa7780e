"""The log in the platform's database, as an auditor's source, and the tables that follow from it."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime

from consumers.documents.log.commitments import Claim
from consumers.proof.commitments.claims import Acknowledgement, said_among, sorted_out
from consumers.proof.commitments.trail import TABLE, compare_trail
from consumers.proof.database_audit.catalog import compare_catalog
from consumers.proof.database_audit.database import Compared, SealKeys, compare_database
from infra.command_line.progress_bar import progress_bar
from infra.keys.hash_keys import HashKeyFiles, hash_key_files, load_hash_keys
from infra.keys.seals import SealKeyFiles, Seals
from infra.keys.team_seals import TeamSeals
from infra.log.ports.port import LogPort
from infra.log.ports.postgres_port import PostgresPort
from infra.log.signed_note import Verifier
from infra.postgres.connection import Connection, connected, is_transient
from infra.private_keys.key_files import CHECKPOINT_FILE
from infra.secret_files import ACCOUNTS_KEY, TEAMS_KEY
from infra.settings import Settings

__all__ = ["compared_database", "database_log", "is_transient"]


@asynccontextmanager
async def database_log(settings: Settings, verifier: Verifier) -> AsyncIterator[LogPort]:
    """A connection for long reads, closed at the end of the block."""
    async with connected(settings.acting_as("auditor"), "audit", batch=True) as connection:
        yield PostgresPort(connection, verifier)


async def compared_database(settings: Settings, verifier: Verifier, given: SealKeyFiles) -> Compared:
    """Compare the catalog, then the tables in one snapshot, against the checkpoint beside the key too, where it can be
    read; and the chain of the trail with its rows and with the log's commitments to it. Keys of seals are those of the
    settings where no file is given.

    Raises `CatalogDiffers`, and `TableDiffers` at the first difference.
    """
    keys = _seal_keys(settings, given)
    note: str | None = None
    with suppress(OSError):
        note = (settings.log_folder / CHECKPOINT_FILE).read_text(encoding="utf-8")
    async with connected(settings.acting_as("auditor"), "audit", batch=True) as connection:
        objects = await compare_catalog(connection)  # before a policy can hide a row from what follows
        async with connection.transaction(isolation="repeatable_read", readonly=True):
            compared = await _compared_tables(connection, verifier, note, keys)
    compared.objects = objects
    return compared


async def _compared_tables(connection: Connection, verifier: Verifier, note: str | None, keys: SealKeys) -> Compared:
    history = await PostgresPort(connection, verifier).keys()
    signed_size = 0 if note is None else history.parse_checkpoint(note).size
    said: list[Claim | Acknowledgement] = []

    def look(first: int, entries: Sequence[bytes]) -> None:
        said.extend(said_among(first, entries))

    with progress_bar("database") as update:
        compared = await compare_database(connection, signed_size, update.to, look, keys)
    compared.rows[TABLE] = await compare_trail(connection, *sorted_out(said))
    return compared


def _seal_keys(settings: Settings, given: SealKeyFiles) -> SealKeys:
    """Raises `InvalidKey` for a file that is given and holds no key; one of the settings may be absent."""
    tokens = hash_key_files(settings) if given.tokens is None else HashKeyFiles(given.tokens)
    accounts = given.accounts or settings.secret_path(*ACCOUNTS_KEY)
    teams = given.teams or settings.secret_path(*TEAMS_KEY)
    return SealKeys(
        Seals.of(settings, accounts) if given.accounts or os.access(accounts, os.R_OK) else None,
        [Seals(key.secret) for key in load_hash_keys(tokens).valid(datetime.now(UTC))]
        if given.tokens or os.access(tokens.current, os.R_OK)
        else None,
        TeamSeals.of(settings, teams) if given.teams or os.access(teams, os.R_OK) else None,
    )
