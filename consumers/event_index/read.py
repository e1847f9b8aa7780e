"""Finds events in the log, page by page. `search_path` selects the table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from events.wire.entry import SOURCE_PREFIX, TYPE_PREFIX
from events.wire.envelope import full_type
from infra.log.proofs import PROOF_PREFIX
from infra.postgres.connection import Connection

PAGE_ROWS_MAX: Final = 1_000
_COLUMNS: Final = f"index, id, '{SOURCE_PREFIX}' || agency AS source, type, subject, agency, time"


@dataclass(frozen=True, slots=True)
class Query:
    """All given conditions must match. `after_index` is the cursor: the last index of the page before.

    `subjects`, `without` and `below_index` narrow it to what the caller may see.
    """

    subject: str | None = None
    type: str | None = None
    agency: str | None = None
    id: str | None = None
    after_index: int = -1
    rows_max: int = 100
    subjects: Sequence[str] | None = None
    without: Sequence[int] = ()
    below_index: int | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """`next_cursor` is the `after_index` of the next page, None on the last one."""

    events: list[dict[str, Any]]
    next_cursor: int | None


def as_full_type(kind: str) -> str:
    """`service.launched` as `sa.gov.yesser.service.launched.v1`; a full type as it is."""
    return kind if kind.startswith(TYPE_PREFIX) else full_type(kind)


async def find(connection: Connection, query: Query) -> Page:
    """One page in log order; `proof` is the address of an entry's proof on the gateway."""
    limit = min(max(1, query.rows_max), PAGE_ROWS_MAX)
    sql, arguments = statement(query, limit + 1)
    rows = [{**row, "proof": f"{PROOF_PREFIX}{row['index']}"} for row in await connection.fetch(sql, *arguments)]
    page = rows[:limit]
    return Page(page, page[-1]["index"] if len(rows) > limit else None)


def statement(query: Query, limit: int) -> tuple[str, list[Any]]:
    """The SQL with only the given conditions, so that PostgreSQL picks an index for each combination."""
    conditions = ["index > $1"]
    arguments: list[Any] = [query.after_index, limit]
    for column in ("subject", "type", "agency", "id"):
        value = getattr(query, column)
        if value is not None:
            arguments.append(value)
            conditions.append(f"{column} = ${len(arguments)}")
    for condition, given in (
        ("subject = ANY(${})", query.subjects),
        ("index <> ALL(${})", query.without or None),
        ("index < ${}", query.below_index),
    ):
        if given is not None:
            arguments.append(given)
            conditions.append(condition.format(len(arguments)))
    return f"SELECT {_COLUMNS} FROM event WHERE {' AND '.join(conditions)} ORDER BY index LIMIT $2", arguments
