"""What was withheld of the log's entries: by which entry, by whom, and on what basis.

That something is withheld, why, and since when, the entries say. Who ran the command is in the trail, who confirmed it
among the approvals.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from consumers.documents.document import Name
from consumers.documents.log.withheld import FreeText, WithheldText
from consumers.proof.personal_texts.withholding import ACT, trail_words
from events.errors import YesserError
from events.wire.entry import Entry, has_texts, parse_entry
from infra.keys.approvals import canonical, digest_of
from infra.log.ports.postgres_port import stored_texts
from infra.log.reader import chosen_entries, read_checked
from infra.postgres.connection import Connection
from infra.postgres.sql import queries

_SQL: Final = queries("consumers.proof.personal_texts", "withheld.sql")


class NoTexts(YesserError):
    """This entry has no text beside it."""


async def withheld_texts(connection: Connection, index: int | None = None) -> list[WithheldText]:
    """Those of an entry or of all, in the order in which they were withheld. Raises `ChangedEntry`."""
    rows = await connection.fetch(_SQL["withheld"], index)
    indexes = sorted({number for row in rows for number in (row["index"], row["withheld_index"])})
    entries = {number: parse_entry(number, raw) async for number, raw in chosen_entries(connection, indexes)}
    by = [entries[row["withheld_index"]] for row in rows]
    operators = await _operators(connection, by)
    confirmed = await _confirmed(connection, by)
    return [
        _document(entries[row["index"]], row["member"], one, operators.get(_command(one)), confirmed.get(_digest(one)))
        for row, one in zip(rows, by, strict=True)
    ]


async def texts_of(connection: Connection, index: int) -> list[FreeText]:
    """The free texts of an entry; of those that are withheld, what is known of it. Raises `NoTexts`, `ChangedEntry`."""
    found = await read_checked(connection, index, 1)
    if not found or not has_texts(found[0]):
        raise NoTexts(f"entry {index} has no text beside it, so nothing of it is withheld.")
    entry = parse_entry(index, found[0])
    withheld = {text.pointer: text for text in await withheld_texts(connection, index)}
    pointers = [f"/data/{text.member}" for text in await stored_texts(connection, index, index + 1)]
    return [withheld.get(pointer) or FreeText(**_place(entry, pointer), withheld_by=None) for pointer in pointers]


async def _operators(connection: Connection, by: Sequence[Entry]) -> dict[str, str]:
    rows = await connection.fetch(_SQL["operators"], [_command(entry) for entry in by])
    return {row["command"]: row["operator"] for row in rows}


async def _confirmed(connection: Connection, by: Sequence[Entry]) -> dict[bytes, tuple[str, ...]]:
    rows = await connection.fetch(_SQL["confirmed"], [_digest(entry) for entry in by])
    return {row["digest"]: (row["first_by"], row["second_by"]) for row in rows}


def _command(entry: Entry) -> str:
    return " ".join(trail_words(entry.data["entry"], entry.data["pointer"], entry.id))


def _digest(entry: Entry) -> bytes:
    return digest_of(ACT, canonical(entry.data))


def _place(entry: Entry, pointer: str) -> dict[str, Any]:
    kind, agency, recorded = entry.full_type, entry.agency, entry.recorded
    return {"entry": entry.index, "pointer": pointer, "type": kind, "agency": agency, "recorded": recorded}


def _document(
    entry: Entry, member: str, by: Entry, operator: str | None, confirmed: tuple[str, ...] | None
) -> WithheldText:
    return WithheldText(
        **_place(entry, f"/data/{member}"),
        withheld_by=by.index,
        withheld_at=by.recorded,
        operator=operator,
        confirmed_by=confirmed or (),
        reason=Name(**by.data["reason"]),
        legal_basis=Name(**by.data["legal_basis"]),
    )
