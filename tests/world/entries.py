"""A log that is built event by event: entries are written as the registrar writes them, and read as consumers do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson

from events.types.catalogue import CATALOGUE
from events.wire.entry import Entry, entry_bytes, parse_entry
from tests.oracle.log import EntryDict, JsonObject, make_entry, make_event

TEXT = {"ar": "نص", "en": "Text"}


def bytes_of(made: EntryDict) -> bytes:
    """The entry's bytes."""
    return entry_bytes(made["recordedtime"], made["from"], orjson.dumps(made["event"]))


def entry_of(made: EntryDict) -> Entry:
    """The entry, read from its bytes."""
    return parse_entry(made["index"], bytes_of(made))


class EventLog:
    """Events, which become entries in the order in which they are added."""

    at: str | None = None
    """The recorded time of the next entries; by default each is an hour after the one before it."""

    def __init__(self, log: Sequence[EntryDict] = ()) -> None:
        self.log: list[EntryDict] = []
        self.entries: list[Entry] = []
        self.raw: list[bytes] = []
        for made in log:
            self._keep(made)

    def tell(self, agency: str, name: str, /, **data: Any) -> int:
        """Add an event about the subject that the contract wants; its index."""
        subject = CATALOGUE[name].subject.of(data)
        return self.add(make_event(name, agency, subject, data, f"e{len(self.entries)}"))

    def add(self, event: JsonObject) -> int:
        """The index of the entry that the event becomes."""
        made = make_entry(len(self.entries), event, self.at)
        self._keep(made)
        return made["index"]

    def _keep(self, made: EntryDict) -> None:
        self.log.append(made)
        self.raw.append(bytes_of(made))
        self.entries.append(entry_of(made))
