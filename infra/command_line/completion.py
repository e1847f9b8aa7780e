"""Shell completion from the running database, if it answers at once.

A completion must neither wait nor print errors, so every failure gives no words.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final, TypeAlias

import click
from click.shell_completion import CompletionItem

TIMEOUT_S: Final = 0.7
WORDS_MAX: Final = 200

Completion: TypeAlias = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]


def from_database(query: Callable[[], str], schema: str = "platform") -> Completion:
    """Completion by a query on tables of `schema`: $1 is the prefix, $2 the maximum number of rows."""

    def complete(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
        try:
            return [CompletionItem(word) for word in asyncio.run(_ask(query(), schema, incomplete))]
        except Exception:
            return []

    return complete


async def _ask(query: str, schema: str, incomplete: str) -> list[str]:
    from infra.postgres.connection import connect
    from infra.settings import Settings

    async with asyncio.timeout(TIMEOUT_S):
        connection = await connect(Settings(), "completion")
        try:
            await connection.execute("SELECT set_config('search_path', $1, false)", schema)
            return [str(row[0]) for row in await connection.fetch(query, incomplete, WORDS_MAX)]
        finally:
            connection.terminate()


def _agency_codes() -> str:
    from infra.postgres.sql import queries

    return queries("infra", "completion.sql")["agency_codes"]


agency_codes: Final = from_database(_agency_codes)
