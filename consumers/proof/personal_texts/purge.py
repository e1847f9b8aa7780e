"""Rewrites the tables that held a withheld text, so that its bytes are in none of their files.

PostgreSQL leaves the bytes of a deleted row in its page until the page is used again, and a sample of each column in
its statistics. What was written before stands in the WAL and in backups until these are deleted: the report names them.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from msgspec import Struct

from infra.backup.catalogue import BackupFolder
from infra.backup.process import INCREMENTAL_MAX
from infra.postgres.connection import Connection
from infra.postgres.sql import queries
from infra.postgres.trail import add_to_trail
from infra.settings import Settings

TABLES: Final = ("log.text", "log.dead_letter", "delivery.attempt")
STATISTICS: Final = "pg_catalog.pg_statistic"
_SQL: Final = queries("consumers.proof.personal_texts", "withheld.sql")


class Purged(Struct, frozen=True, kw_only=True):
    """`withheld`: how many texts are. `bytes_by_table`: the size of each table now. What stands elsewhere: in files of
    WAL before `wal_file`, and in `backups`, of which the folder keeps none after `backups_until`, if backups go on as
    they are set."""

    at: datetime
    withheld: int
    bytes_by_table: dict[str, int]
    wal_file: str
    backups: list[str]
    backups_until: datetime | None


async def purge(connection: Connection, settings: Settings, now: datetime) -> Purged:
    """Rewrite the tables, each under a lock that lets nobody read or write it meanwhile. As the migrator, in no
    transaction; may be repeated. The trail has that it began, and how many texts are withheld."""
    withheld = await connection.fetchval(_SQL["withheld_count"])
    await add_to_trail(connection, "withheld", "purge", f"({withheld})")
    for table in TABLES:
        await connection.execute(f"VACUUM (FULL, ANALYZE) {table}")
    await connection.execute(f"VACUUM (FULL) {STATISTICS}")
    sizes = {table: await connection.fetchval(_SQL["table_bytes"], table) for table in TABLES}
    backups = [] if settings.backup is None else [backup.name for backup in BackupFolder.at(settings.backup).backups()]
    return Purged(
        at=now,
        withheld=withheld,
        bytes_by_table=sizes,
        wal_file=await connection.fetchval(_SQL["wal_file"]),
        backups=backups,
        backups_until=now + _kept_for(settings) if backups else None,
    )


def _kept_for(settings: Settings) -> timedelta:
    """How long a backup is kept at most: as many full ones are kept, each with the incremental ones behind it."""
    return timedelta(hours=settings.backup_every_h) * (INCREMENTAL_MAX + 1) * (settings.backup_keep + 1)
