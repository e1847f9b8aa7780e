"""Who has authority, as the log says: agencies and their roles, suspensions, and the catalogue in force.

A pure fold of the platform's own entries, and the comparison with the tables that are written from them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson
from msgspec import Struct
from msgspec.structs import asdict

from events.errors import Tampered
from events.values.fields import Role
from events.wire.entry import TYPE_PREFIX, TYPE_SUFFIX, parse_entry

REGISTERED: Final = "registry.agency-registered"
SUSPENDED: Final = "registry.agency-suspended"
RESUMED: Final = "registry.agency-resumed"
ADOPTED: Final = "registrar.catalogue-adopted"
TYPES: Final = frozenset({REGISTERED, SUSPENDED, RESUMED, ADOPTED})
_TYPE_TEXTS: Final = tuple(f'"{TYPE_PREFIX}{name}{TYPE_SUFFIX}"'.encode() for name in sorted(TYPES))
"""Parts of the bytes of these entries; others are not parsed."""


class TableDiffers(Tampered):
    """A row of a table is not what the log's entries give: somebody wrote to the database."""

    def __init__(self, difference: Difference) -> None:
        self.difference = difference
        super().__init__(
            f"{difference}: somebody wrote to the database. Keep everything as it is and see the runbook"
            ' ("A table differs from the log")'
        )


class Difference(Struct, frozen=True):
    """A row that differs: its table and key, what it has, what the log gives, and at which index."""

    table: str
    key: str
    found: Any
    expected: Any
    index: int | None

    def __str__(self) -> str:
        where = "" if self.index is None else f" at index {self.index}"
        found, expected = _shown(self.found), _shown(self.expected)
        return f"{self.table}, {self.key}: the table has {found}, the log gives {expected}{where}"


def _shown(value: Any) -> str:
    return "no row" if value is None else orjson.dumps(value).decode()


@dataclass(frozen=True, slots=True)
class Change:
    """An entry of one of `TYPES`."""

    type: str
    data: Mapping[str, Any]
    index: int
    event_id: str


class Registered(Struct, frozen=True):
    """An agency as it was registered at `index`."""

    role: Role
    name: dict[str, str]
    index: int


class Suspended(Struct, frozen=True):
    """An agency's suspension by the entry at `index`."""

    reason: dict[str, str]
    index: int


class Adopted(Struct, frozen=True):
    """The catalogue in force since the entry at `index`; a log begins with that of its first registrar."""

    sha256: str
    index: int


class Authority(Struct):
    """What the entries up to an index say. Agencies are in the order of their registration."""

    agencies: dict[str, Registered] = {}
    suspensions: dict[str, Suspended] = {}
    catalogue: Adopted | None = None

    def apply(self, changes: Iterable[Change]) -> None:
        for change in changes:
            data, index = change.data, change.index
            if change.type == REGISTERED:
                # The first registration of a code is final.
                self.agencies.setdefault(data["code"], Registered(data["role"], data["name"], index))
            elif change.type == SUSPENDED:
                self.suspensions[data["code"]] = Suspended(data["reason"], index)
            elif change.type == RESUMED:
                self.suspensions.pop(data["code"], None)
            elif change.type == ADOPTED:
                self.catalogue = Adopted(data["sha256"], index)


def changes_in(first: int, entries: Iterable[bytes]) -> Iterator[Change]:
    """The entries of `TYPES` among consecutive ones from `first` on."""
    for index, raw in enumerate(entries, first):
        if any(text in raw for text in _TYPE_TEXTS):
            entry = parse_entry(index, raw)
            if entry.type in TYPES:
                yield Change(entry.type, entry.data, index, entry.id)


def differences(
    authority: Authority, agencies: Iterable[Mapping[str, Any]], suspensions: Iterable[Mapping[str, Any]]
) -> list[Difference]:
    """The rows of `platform.agency` and `platform.suspension` that differ, in the order of their indexes.

    A suspension without an index is requested and not yet registered: it may stand in for an earlier one.
    """
    differing = _compared(
        "platform.agency",
        {row["code"]: {"role": row["role"], "name": row["name"], "index": row["registered_index"]} for row in agencies},
        {code: asdict(row) for code, row in authority.agencies.items()},
    )
    rows = {row["agency"]: {"reason": row["reason"], "index": row["index"]} for row in suspensions}
    requested = {code for code, row in rows.items() if row["index"] is None}
    differing += _compared(
        "platform.suspension",
        {code: row for code, row in rows.items() if code not in requested},
        {code: asdict(row) for code, row in authority.suspensions.items() if code not in requested},
    )
    return sorted(differing, key=lambda difference: difference.index or 0)


def _compared(table: str, rows: Mapping[str, Any], expected: Mapping[str, Any]) -> list[Difference]:
    return [
        Difference(table, code, rows.get(code), expected.get(code), (expected.get(code) or rows[code])["index"])
        for code in rows.keys() | expected.keys()
        if rows.get(code) != expected.get(code)
    ]
