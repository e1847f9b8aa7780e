"""Finds events in the log, page by page. `search_path` selects the table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from consumers.documents.document import documents_of
from consumers.documents.log.entries import Entry
from events.wire.entry import SOURCE_PREFIX, TYPE_PREFIX
from events.wire.envelope import full_type
from infra.kafka.client_config import agency_topic
from infra.log.proofs import PROOF_PREFIX
from infra.postgres.connection import Connection

PAGE_ROWS_MAX: Final = 1_000
_LAST: Final = 2**62
_COLUMNS: Final = (
    f"index, id, '{SOURCE_PREFIX}' || agency AS source, type, subject, agency, time, '{PROOF_PREFIX}' || index AS proof"
)


@dataclass(frozen=True, slots=True)
class Query:
    """All given conditions must match. `after_index` is the cursor: the last index of the page before.

    `subjects` and `below_index` narrow it to what the caller may see. `refusals_of`: only the refusals of
    this agency's records, which are entries of the platform. `newest_first`: the cursor is then the lowest index of the
    page before.
    """

    subject: str | None = None
    type: str | None = None
    agency: str | None = None
    id: str | None = None
    after_index: int = -1
    rows_max: int = 100
    subjects: Sequence[str] | None = None
    below_index: int | None = None
    from_index: int | None = None
    refusals_of: str | None = None
    newest_first: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """`next_cursor` is the `after_index` of the next page, None on the last one."""

    events: list[Entry]
    next_cursor: int | None


def as_full_type(kind: str) -> str:
    """`service.launched` as `sa.gov.yesser.service.launched.v1`; a full type as it is."""
    return kind if kind.startswith(TYPE_PREFIX) else full_type(kind)


async def find(connection: Connection, query: Query) -> Page:
    """One page, by index; `proof` is the address of an entry's proof on the gateway."""
    limit = min(max(1, query.rows_max), PAGE_ROWS_MAX)
    sql, arguments = statement(query, limit + 1)
    rows = documents_of(Entry, await connection.fetch(sql, *arguments))
    page = rows[:limit]
    return Page(page, page[-1].index if len(rows) > limit else None)


def statement(query: Query, limit: int) -> tuple[str, list[Any]]:
    """The SQL with only the given conditions, so that PostgreSQL picks an index for each combination."""
    backwards = query.newest_first
    conditions = ["index < $1" if backwards else "index > $1"]
    arguments: list[Any] = [_LAST if backwards and query.after_index < 0 else query.after_index, limit]
    for column in ("subject", "type", "agency", "id"):
        value = getattr(query, column)
        if value is not None:
            arguments.append(value)
            conditions.append(f"{column} = ${len(arguments)}")
    for condition, given in (
        ("index < ${}", query.below_index),
        ("index >= ${}", query.from_index),
        ("subject >= ${}", query.refusals_of and f"{_refusals(query.refusals_of)}/"),
        ("subject < ${}", query.refusals_of and f"{_refusals(query.refusals_of)}0"),
    ):
        if given is not None:
            arguments.append(given)
            conditions.append(condition.format(len(arguments)))
    of_one = "" if query.subjects is None else "subject = s.subject AND "
    order = f"ORDER BY {'index DESC' if backwards else 'index'} LIMIT $2"
    sql = f"SELECT {_COLUMNS} FROM event WHERE {of_one}{' AND '.join(conditions)} {order}"
    if query.subjects is not None:
        # The first of each subject, merged: an index gives them in order, for one subject at a time.
        arguments.append(query.subjects)
        sql = (
            f"SELECT e.* FROM unnest(${len(arguments)}::text[]) AS s (subject) CROSS JOIN LATERAL ({sql}) AS e {order}"
        )
    return sql, arguments


def _refusals(agency: str) -> str:
    """The beginning of the subjects of an agency's refusals, before a slash; 0 is the character after it."""
    return f"refusal/{agency_topic(agency)}"
