"""The hash of a read model: SHA-256 over its rows as RFC 8785 objects, one per line, ordered by primary key.

All names are ASCII (validation refuses others), so they sort as bytes. Text is ordered by its UTF-8 bytes, so that
every machine agrees. `consumers.rebuild.table_hash` lets PostgreSQL write the lines.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from events.wire.codec import canonical_event_bytes


@dataclass(frozen=True, slots=True)
class TableHash:
    """The hash and the number of rows of one read model."""

    name: str
    rows: int
    sha256: str


def row_line(row: Mapping[str, Any]) -> bytes:
    """One row, with bytes in hexadecimal."""
    return canonical_event_bytes({name: _json(value) for name, value in row.items()}) + b"\n"


def _json(value: Any) -> Any:
    return value.hex() if isinstance(value, bytes) else value
