"""Codes from the running database, if it answers at once: for completion, and to recognise one that is not there.

A completion must neither wait nor print errors, so every failure gives no words.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final, TypeAlias, TypeVar

import click
from click.shell_completion import CompletionItem

from events.faults.nearest import nearest

TIMEOUT_S: Final = 0.7
WORDS_MAX: Final = 200

Code = TypeVar("Code", str, str | None)
Completion: TypeAlias = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]


def from_database(query: Callable[[], str], schema: str = "platform") -> Completion:
    """Completion by a query on tables of `schema`: $1 is the prefix, $2 the maximum number of rows."""

    def complete(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
        return [CompletionItem(word) for word in _words(query, schema, incomplete)]

    return complete


def _words(query: Callable[[], str], schema: str, prefix: str) -> list[str]:
    try:
        return asyncio.run(_ask(query(), schema, prefix))
    except Exception:
        return []


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


def registered(code: Code) -> Code:
    """The agency that a command asks about, or None for all. Raises `UsageError` for one that the database does not
    have: no rows would look like no events. Where it does not answer, the command says so itself."""
    if code is None or code in _words(_agency_codes, "platform", code):
        return code
    if known := _words(_agency_codes, "platform", ""):
        alike = nearest(code, known)
        hint = f"write {alike}" if alike else "see `yesser agencies list`"
        raise click.UsageError(f"{code} is not registered; {hint}.")
    return code
