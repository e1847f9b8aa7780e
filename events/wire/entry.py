"""An entry of the national log: the bytes that are hashed, stored and published, and how they are parsed.

`{"recordedtime":"…Z","from":"<topic>/<partition>/<offset>","event":<the event's JSON bytes, verbatim>}`

An entry whose event has free texts says `"v":2` before `event`, and has the hash of each text in its place
(`events.wire.texts`).
An entry is written once, by `entry_bytes`, and never serialised again. Most consumers use few types, so `data` is
parsed on first access, and unused members of the envelope are skipped.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

import msgspec

from events.errors import YesserError
from events.values.data import Data
from events.wire.upcasts import UPCASTS, split_type, upcast

TYPE_PREFIX: Final = "sa.gov.yesser."
TYPE_SUFFIX: Final = ".v1"
SOURCE_PREFIX: Final = "urn:yesser:agency:"

_FIRST_FORM: Final = b'{"recordedtime":"%b","from":"%b","event":%b}'
_SECOND_FORM: Final = b'{"recordedtime":"%b","from":"%b","v":2,"event":%b}'
_IS_SECOND: Final = re.compile(rb'\{"recordedtime":"[^"]*","from":"[^"]*","v":2,')
_TYPE_START: Final = len(TYPE_PREFIX)
_SOURCE_START: Final = len(SOURCE_PREFIX)


class NotAnEntry(YesserError, ValueError):
    """The bytes are not an entry of the log."""


class _TypeNames(dict[str, str]):
    """Full type → short name, one per type of the catalogue: a look-up is quicker than cutting the text."""

    def __missing__(self, full: str) -> str:
        short = self[full] = full[_TYPE_START:].rpartition(".")[0]
        return short


_TYPE_NAMES: Final = _TypeNames()


class _Event(msgspec.Struct, gc=False):
    """The members that every consumer reads; `data` stays unparsed."""

    id: str
    source: str
    type: str
    subject: str
    time: str
    data: msgspec.Raw


class _Document(msgspec.Struct, gc=False):
    recordedtime: str
    event: _Event
    address: str = msgspec.field(name="from")


_read: Final = msgspec.json.Decoder(_Document).decode
_read_data: Final = msgspec.json.Decoder(Data).decode


class Entry:
    """A parsed entry. `type` is the short name without prefix and version (`service.launched`)."""

    __slots__ = (
        "_data",
        "_raw",
        "address",
        "agency",
        "full_type",
        "id",
        "index",
        "recorded",
        "subject",
        "time",
        "type",
    )

    def __init__(self, index: int, raw: bytes | memoryview) -> None:
        document = _read(raw)
        event = document.event
        self.index = index
        self.recorded = document.recordedtime
        self.address = document.address
        self.id = event.id
        self.full_type = event.type
        self.type = _TYPE_NAMES[event.type]
        self.agency = event.source[_SOURCE_START:]
        self.subject = event.subject
        self.time = event.time
        self._raw = event.data
        self._data: Data | None = None

    @property
    def data(self) -> Data:
        """The event's data, upcast to the current version. The same object each time."""
        data = self._data
        if data is None:
            data = _read_data(self._raw)
            self._data = data = upcast(*split_type(self.full_type), data) if UPCASTS else data
        return data

    def __repr__(self) -> str:
        return f"Entry({self.index}, {self.type}, {self.agency}, {self.id})"


def entry_bytes(recorded: str, address: str, event: bytes, *, has_texts: bool = False) -> bytes:
    """The entry's bytes. `recorded` is in the form of `recorded_time`, `address` is `topic/partition/offset`;
    `has_texts`: free texts were taken out of `event`."""
    form = _SECOND_FORM if has_texts else _FIRST_FORM
    return form % (recorded.encode(), address.encode(), event)


def has_texts(entry: bytes) -> bool:
    """Whether free texts stand beside these bytes of an entry."""
    return _IS_SECOND.match(entry) is not None


def event_bytes(entry: bytes | memoryview) -> bytes:
    """The event's bytes in an entry's, as the receipt of a gateway hashes them."""
    return bytes(entry).partition(b',"event":')[2][:-1]


def parse_entry(index: int, raw: bytes | memoryview) -> Entry:
    """Parse the entry at `index`. Raises `NotAnEntry`."""
    try:
        return Entry(index, raw)
    except msgspec.MsgspecError as error:
        raise NotAnEntry(f"the bytes at index {index} are not an entry of the log: {error}") from error


def recorded_time(instant: datetime) -> str:
    """The `recordedtime` form: UTC with six decimals and `Z`."""
    return f"{instant.astimezone(UTC).isoformat(timespec='microseconds').removesuffix('+00:00')}Z"
