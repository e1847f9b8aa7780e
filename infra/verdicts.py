"""The registrar's verdicts on an agency's records, wherever they were asked for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

CONFLICT: Final = "conflict"


@dataclass(frozen=True, slots=True)
class Refused:
    """A refused record. `errors` as in the entry: code, pointer, detail."""

    offset: int
    index: int
    claimed_id: str | None
    errors: list[dict[str, str]]

    @property
    def is_conflict(self) -> bool:
        return [error["code"] for error in self.errors] == [CONFLICT]


@dataclass(slots=True)
class Verdicts:
    """The verdicts on some records. `first_index` and `last_index` span the accepted and the duplicates' originals.

    `unlisted` is the number of faults that the refusals do not list; 0 until their entries were read.
    """

    accepted: int = 0
    duplicates: int = 0
    first_index: int | None = None
    last_index: int | None = None
    refusals: list[Refused] = field(default_factory=list)
    unlisted: int = 0

    def add(self, other: Verdicts) -> None:
        self.accepted += other.accepted
        self.duplicates += other.duplicates
        self.refusals += other.refusals
        self.span(other.first_index, other.last_index)

    def span(self, first_index: int | None, last_index: int | None) -> None:
        if first_index is not None and (self.first_index is None or first_index < self.first_index):
            self.first_index = first_index
        if last_index is not None and (self.last_index is None or last_index > self.last_index):
            self.last_index = last_index
