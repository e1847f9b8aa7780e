"""An entry of the national log: the bytes that are hashed, stored and shipped, and how they are read back.

`{"recordedtime":"…Z","from":"<topic>/<partition>/<offset>","event":<the event's JSON bytes, verbatim>}`

Nobody re-serialises an entry: it is written once by `entry_bytes` and only ever parsed afterwards.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

import orjson

from events.upcasts import UPCASTS, split_type, upcast

TYPE_PREFIX: Final = "sa.gov.yesser."
TYPE_SUFFIX: Final = ".v1"
SOURCE_PREFIX: Final = "urn:yesser:agency:"

_TYPE_START: Final = len(TYPE_PREFIX)
_SOURCE_START: Final = len(SOURCE_PREFIX)


class _TypeNames(dict[str, str]):
    """Full type → short name. There are as many as the catalogue has types; looking up is quicker than cutting."""

    def __missing__(self, full: str) -> str:
        short = self[full] = full[_TYPE_START:].rpartition(".")[0]
        return short


_TYPE_NAMES: Final = _TypeNames()


class Entry:
    """One parsed entry. `type` is the short name without prefix and version (`service.launched`)."""

    __slots__ = ("address", "agency", "data", "event", "id", "index", "recorded", "subject", "type")

    def __init__(self, index: int, recorded: str, address: str, event: dict[str, Any]) -> None:
        self.index = index
        self.recorded = recorded
        self.address = address
        self.event = event
        self.id: str = event["id"]
        self.type: str = _TYPE_NAMES[event["type"]]
        self.agency: str = event["source"][_SOURCE_START:]
        self.subject: str = event["subject"]
        data: dict[str, Any] = event["data"]
        self.data = upcast(*split_type(event["type"]), data) if UPCASTS else data

    def __repr__(self) -> str:
        return f"Entry({self.index}, {self.type}, {self.agency}, {self.id})"


def entry_bytes(recorded: str, address: str, event: bytes) -> bytes:
    """The entry's bytes. `recorded` as by `recorded_time`, `address` = `topic/partition/offset`."""
    return b'{"recordedtime":"%b","from":"%b","event":%b}' % (recorded.encode(), address.encode(), event)


def parse_entry(index: int, raw: bytes | memoryview) -> Entry:
    """Read the entry that stands at `index`."""
    document = orjson.loads(raw)
    return Entry(index, document["recordedtime"], document["from"], document["event"])


def recorded_time(instant: datetime) -> str:
    """The `recordedtime` form: UTC with six decimals and `Z`."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
