"""Entries of a log that was made as objects: written as the registrar writes them, and read as consumers read them."""

from __future__ import annotations

import orjson

from events.wire.entry import Entry, entry_bytes, parse_entry
from tests.oracle.log import EntryDict


def bytes_of(made: EntryDict) -> bytes:
    """The entry's bytes."""
    return entry_bytes(made["recordedtime"], made["from"], orjson.dumps(made["event"]))


def entry_of(made: EntryDict) -> Entry:
    """The entry, read from its bytes."""
    return parse_entry(made["index"], bytes_of(made))
