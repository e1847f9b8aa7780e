"""Which refused records that were kept hold a text: they are deleted when it is withheld."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any, Final

import orjson

from infra.postgres.connection import Connection
from infra.postgres.sql import queries

RECORDS: Final = 256
_SQL: Final = queries("infra.log.refusals", "read.sql")


async def refused_with(connection: Connection, agency: str, value: Any) -> list[int]:
    """The refusals of the agency's kept records that hold one of the texts in this JSON value."""
    texts = set(strings_in(value))
    found, first = list[int](), 0
    while rows := await connection.fetch(_SQL["kept_records"], first, agency, RECORDS):
        found += [row["index"] for row in rows if holds(row["value"], texts)]
        first = rows[-1]["index"] + 1
    return found


def holds(raw: bytes, texts: Collection[str]) -> bool:
    """Whether a record has one of these as a whole text; one that is no JSON, whether it has it anywhere."""
    try:
        return any(text in texts for text in strings_in(orjson.loads(raw)))
    except orjson.JSONDecodeError:
        return any(text.encode() in raw for text in texts)


def strings_in(value: Any) -> Iterator[str]:
    """The texts of a JSON value, without the names of members."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from strings_in(part)
