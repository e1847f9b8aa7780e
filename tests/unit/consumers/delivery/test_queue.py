"""The queue's tables are those of the installed PgQueuer."""

from __future__ import annotations

from pgqueuer.adapters.persistence.qb import QueryBuilderEnvironment
from pgqueuer.domain.settings import DBSettings

from infra.postgres.sql import read


def test_the_migration_has_the_tables_of_the_installed_release() -> None:
    installed = QueryBuilderEnvironment(DBSettings(db_schema="delivery")).build_install_query(create_schema=False)
    statements = installed.partition("\n")[2].strip()
    assert statements in read("infra.migrations", "0019_delivery.sql"), (
        "PgQueuer's tables have changed: add a migration with what its `upgrade` does, and compare with that here"
    )
