"""A log with free texts, written by the registrar's own journal, and the withholding of one of them."""

from __future__ import annotations

from collections.abc import Sequence

import orjson

from consumers.registrar.batch import Batch
from consumers.registrar.journal import Journal
from events.types.catalogue import FREE_TEXTS
from events.wire.codec import canonical_event_bytes
from events.wire.entry import entry_bytes
from events.wire.texts import Text, new_salt, take_out
from tests.oracle.log import EntryDict, short_type
from tests.world.entries import bytes_of
from tests.world.records import PLATFORM, number_all, read, values, withheld


def kept(made: EntryDict) -> tuple[bytes, list[Text]]:
    """The entry's bytes with the hashes of its texts, and the texts."""
    members = FREE_TEXTS.get(short_type(made["event"]), frozenset())
    event = orjson.dumps(made["event"])
    raw, _, texts = take_out(event, canonical_event_bytes(made["event"]), members, new_salt)
    if not texts:
        return bytes_of(made), []
    return entry_bytes(made["recordedtime"], made["from"], raw, has_texts=True), texts


async def register(journal: Journal, log: Sequence[EntryDict]) -> list[bytes]:
    """Commit these entries with their texts; their bytes."""
    entries = [kept(made) for made in log]
    texts = [(made["index"], text) for made, (_, own) in zip(log, entries, strict=True) for text in own]
    raw, subjects = [entry for entry, _ in entries], [made["event"]["subject"] for made in log]
    await journal.commit(Batch(journal.size, log[-1]["recordedtime"], entries=raw, subjects=subjects, texts=texts))
    return raw


async def withhold(journal: Journal, index: int, *members: str) -> list[bytes]:
    """Commit an entry for each of these texts of an entry, which withholds it; their bytes."""
    records = values(*(withheld(index, member) for member in members), first=journal.size)
    batch = number_all([read(PLATFORM, records)], {}, journal.size)
    await journal.commit(batch)
    return batch.entries
