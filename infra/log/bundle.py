"""The bytes of a bundle of entries, as C2SP tlog-tiles and the segments in PostgreSQL hold them, and of events."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from events.errors import YesserError
from infra.log.layout import TILE

_EVENT: Final = b',"event":'


class DamagedBundle(YesserError, IndexError):
    """A length in a bundle does not fit. `whole` are the entries before it."""

    def __init__(self, whole: list[bytes]) -> None:
        super().__init__(f"the length after {len(whole)} entries does not fit")
        self.whole = whole


def split_bundle(data: bytes) -> list[bytes]:
    """Entries of a bundle: uint16 big-endian length ‖ entry, repeated. Raises `DamagedBundle`."""
    entries, at, end = [], 0, len(data)
    while at + 2 <= end:
        start = at + 2
        at = start + (data[at] << 8 | data[at + 1])
        entries.append(data[start:at])
    if at != end:
        raise DamagedBundle(entries[:-1] if at > end else entries)
    return entries


def by_bundle(indexes: Iterable[int], bundles_max: int = 1) -> Iterator[list[int]]:
    """Ascending indexes in groups that one query reads: those of one bundle, or of `bundles_max` adjacent ones."""
    group: list[int] = []
    for index in indexes:
        number = index // TILE
        if group and (number > group[-1] // TILE + 1 or number >= group[0] // TILE + bundles_max):
            yield group
            group = []
        group.append(index)
    if group:
        yield group


def event_of(entry: bytes) -> bytes:
    """The bytes of the event within an entry's bytes (`events.wire.entry`)."""
    return entry[entry.index(_EVENT) + len(_EVENT) : -1]
