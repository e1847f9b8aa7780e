"""The listing of a freshly migrated database. `python -m tests.catalog_listing` starts the services and writes it."""

from __future__ import annotations

import asyncio
import json
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from consumers.proof.database_audit.catalog import listing
from infra.postgres.connection import Connection, connected, database_name
from infra.postgres.roles import roles_sql
from infra.settings import Settings
from tests.paths import ROOT
from tests.stack import TEST_CONSUMERS, TestStack, corner, folder_in_memory, services

PAGE: Final = ROOT / "consumers" / "proof" / "database_audit" / "catalog.json"
_OF_TESTS: Final = re.compile(rf"yesser_({'|'.join(TEST_CONSUMERS)})(_owner)?\b")


async def as_prepared(connection: Connection, settings: Settings) -> None:
    """Give a test's database the rights of one that `yesser prepare` made. As the superuser."""
    name = database_name(settings)
    owners = ", ".join(f"yesser_{consumer}_owner" for consumer in TEST_CONSUMERS)
    for statement in (*roles_sql(name), f'REVOKE ALL ON DATABASE "{name}" FROM {owners}'):
        await connection.execute(statement)


def of_tests(found: Mapping[str, str]) -> dict[str, str]:
    """The lines about the roles that only tests have; roles belong to the whole server."""
    return {name: text for name, text in found.items() if _OF_TESTS.search(name)}


async def of_the_product(stack: TestStack, home: Path) -> dict[str, str]:
    async with corner(stack, home) as settings, connected(settings, "listing") as connection:
        await as_prepared(connection, settings)
        found = await listing(connection)
    return {name: text for name, text in found.items() if name not in of_tests(found)}


def main() -> None:
    with folder_in_memory() as folder, services(folder) as stack, tempfile.TemporaryDirectory() as home:
        found = asyncio.run(of_the_product(stack, Path(home)))
    PAGE.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
