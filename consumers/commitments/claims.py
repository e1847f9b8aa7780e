"""The commitments in the log: what the platform said of a read model at an index."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from consumers.fold.consumer import Consumer
from events.wire.entry import TYPE_PREFIX, TYPE_SUFFIX, parse_entry
from infra.postgres.outbox import PLATFORM

TYPE: Final = "projection.committed"
_TYPE_TEXT: Final = f'"{TYPE_PREFIX}{TYPE}{TYPE_SUFFIX}"'.encode()
"""Part of every commitment's bytes; entries without it are not parsed."""


@dataclass(frozen=True, slots=True)
class Claim:
    """The commitment at `index`: after `log_index` entries the read model `name` had this hash."""

    index: int
    name: str
    log_index: int
    rows: int
    sha256: str


def read_model_name(consumer: Consumer, table: str) -> str:
    """A table's name in commitments, with its consumer, because consumers share table names."""
    return f"{consumer.name}.{table}"


def claims_among(first: int, entries: Sequence[bytes]) -> Iterator[Claim]:
    """The commitments among consecutive entries from index `first` on."""
    for index, raw in enumerate(entries, first):
        if _TYPE_TEXT in raw:
            entry = parse_entry(index, raw)
            if (entry.type, entry.agency) == (TYPE, PLATFORM):
                data = entry.data
                yield Claim(index, data["name"], data["log_index"], data["rows"], data["sha256"])


def newest(claims: Sequence[Claim], per_read_model: int) -> list[Claim]:
    """The last `per_read_model` of each read model, in log order."""
    kept: list[Claim] = []
    seen: dict[str, int] = {}
    for claim in reversed(claims):
        seen[claim.name] = seen.get(claim.name, 0) + 1
        if seen[claim.name] <= per_read_model:
            kept.append(claim)
    return kept[::-1]
