"""Finds events in the log, page by page. `search_path` selects the table.

Its indexes hold hashes of the texts. A statement compares each text as well: a row whose text only has the same hash is
passed over.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from consumers.documents.document import documents_of
from consumers.documents.log.entries import PAGE_ROWS_MAX, Entry
from events.validation.refusal import REFUSED
from events.wire.entry import SOURCE_PREFIX, TYPE_PREFIX
from events.wire.envelope import full_type
from infra.kafka.client_config import agency_topic
from infra.log.proofs import PROOF_PREFIX
from infra.postgres.connection import Connection

_LAST: Final = 2**62
_COLUMNS: Final = (
    f"index, id, '{SOURCE_PREFIX}' || agency AS source, type, subject, agency, time, '{PROOF_PREFIX}' || index AS proof"
)
_SUBJECT: Final = "hashtextextended(subject, 0) = hashtextextended({0}, 0) AND subject = {0}"
_ID: Final = f"""id = {{0}} AND index = ANY (ARRAY(
    SELECT k.index FROM platform.agency a JOIN log.event_id k ON k.claim = substr(sha256(
        convert_to('{SOURCE_PREFIX}' || a.code, 'UTF8') || '\\x00'::bytea || convert_to({{0}}, 'UTF8')), 1, 16)
    UNION ALL
    SELECT index FROM event
    WHERE hashtextextended(subject, 0) = hashtextextended('refusal/' || replace({{0}}, ':', '/'), 0)
))"""
"""A refusal claims no id: its own is made of its subject."""
_REFUSED_TOPIC: Final = f"type = '{full_type(REFUSED)}' AND split_part(subject, '/', 2) = {{0}}"
_KIND: Final = "hashtext(type) = part.type_code AND hashtext(agency) = part.agency_code"
_CODES: Final = """
WITH RECURSIVE found (code) AS (
    SELECT min(hashtext({0})) FROM event WHERE {1}
    UNION ALL
    SELECT (SELECT min(hashtext({0})) FROM event WHERE {1} AND hashtext({0}) > found.code)
    FROM found WHERE code IS NOT NULL
) SELECT code FROM found WHERE code IS NOT NULL"""
"""The hashes of all texts of a column: a step through the index for each, whatever the number of rows."""
_FARTHEST: Final = {
    False: f"<= coalesce((SELECT index FROM farthest), {_LAST})",
    True: ">= coalesce((SELECT index FROM farthest), 0)",
}
_MERGED: Final = """
WITH part AS MATERIALIZED (SELECT * FROM {parts}), farthest AS MATERIALIZED (
    SELECT e.index FROM part CROSS JOIN LATERAL (
        SELECT index {sql} {order} (SELECT $2 / greatest(count(*), 1) + 1 FROM part)
    ) AS e {order} 1 OFFSET $2 - 1
)
SELECT e.* FROM part CROSS JOIN LATERAL (
    SELECT {columns} {sql} AND index {upto} {order} $2
) AS e {order} $2"""
"""The first rows of several parts, each of which an index gives in order. The first few rows of each show how far it is
enough to read: else as many would be read of each as are wanted in all."""


@dataclass(frozen=True, slots=True)
class Query:
    """All given conditions must match. `after_index` is the cursor: the last index of the page before.

    `subjects` and `below_index` narrow it to what the caller may see. `refusals_of`: only the refusals of
    this agency's records, which are entries of the platform. `newest_first`: the cursor is then the lowest index of the
    page before. `types`: any of these full types.
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
    types: Sequence[str] | None = None


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


async def find_indexes(connection: Connection, query: Query, limit: int | None = None) -> list[int]:
    """The indexes of the first entries, all of them without a `limit`; that of a page does not count."""
    sql, arguments = statement(query, limit, "index")
    return [index for (index,) in await connection.fetch(sql, *arguments)]


def statement(query: Query, limit: int | None, columns: str = _COLUMNS) -> tuple[str, list[Any]]:
    """The SQL with only the given conditions, so that PostgreSQL picks an index for each combination."""
    backwards = query.newest_first
    arguments: list[Any] = [
        _LAST if backwards and query.after_index < 0 else query.after_index,
        _LAST if limit is None else limit,
    ]
    conditions = ["index < $1" if backwards else "index > $1"]
    types = query.types if query.type is None else [query.type]
    place = {}
    for name, condition, given in (
        ("subject", _SUBJECT, query.subject),
        ("types", "type = ANY ({0}::text[])", types),
        ("agency", "agency = {0}::text", query.agency),
        ("id", _ID, query.id),
        ("below", "index < {0}", query.below_index),
        ("from", "index >= {0}", query.from_index),
        ("refused", _REFUSED_TOPIC, query.refusals_of and agency_topic(query.refusals_of)),
        ("subjects", _SUBJECT.format("part.subject"), query.subjects),
    ):
        if given is not None:
            arguments.append(given)
            place[name] = f"${len(arguments)}"
            conditions.append(condition.format(place[name]))
    merged = ""
    if "subjects" in place:
        merged = f"unnest({place['subjects']}::text[]) AS part (subject)"
    elif place.keys() & {"types", "agency"} and not place.keys() & {"subject", "id", "refused"}:
        merged = f"({_kinds(place.get('types'), place.get('agency'))}) AS part (type_code, agency_code)"
        conditions.append(_KIND)
    order = f"ORDER BY index {'DESC' if backwards else 'ASC'} LIMIT"
    sql = f"FROM event WHERE {' AND '.join(conditions)}"
    if merged:
        return _MERGED.format(parts=merged, columns=columns, sql=sql, order=order, upto=_FARTHEST[backwards]), arguments
    return f"SELECT {columns} {sql} {order} $2", arguments


def _kinds(types: str | None, agency: str | None) -> str:
    """SQL for the hashes of each type and agency of a query, of which one or both are given."""
    given = f"SELECT DISTINCT hashtext(name) FROM unnest({types}::text[]) AS n (name)"
    chosen = _CODES.format("type", "true") if types is None else given
    senders = (
        _CODES.format("agency", "hashtext(type) = t.code") if agency is None else f"SELECT hashtext({agency}::text)"
    )
    return f"SELECT t.code, a.code FROM ({chosen}) AS t (code) CROSS JOIN LATERAL ({senders}) AS a (code)"
