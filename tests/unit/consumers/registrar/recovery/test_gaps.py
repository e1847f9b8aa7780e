"""A stretch of duplicates, of any length, is recovered in steps, and gives the same rows as at once."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

from consumers.registrar.batch import Batch, Mark, record_sha256
from consumers.registrar.recovery.agency_records import AgencyRecords
from consumers.registrar.recovery.recover import _Recovery
from consumers.registrar.recovery.restored import Held, Part
from consumers.registrar.recovery.texts import RecoveredTexts
from events.validation.validate import validate
from events.wire.entry import Entry, parse_entry
from infra.postgres.verdicts import Known, KnownEvents
from tests.every import every
from tests.world.records import HEALTH, in_batches, read, said, topic_of, values

TOPIC = topic_of(HEALTH)
RECORDS = values(said("a"), *[said("a")] * 7, b"{", said("b"), said("b"))
"""An entry, a stretch of duplicates, a refusal, an entry, and a duplicate that is not read in the recovery."""


TEXTS = RecoveredTexts(sqlite3.connect(":memory:"))
"""None."""


class Journal:
    """Holds the first entry, and notes what is committed."""

    def __init__(self, known: Known) -> None:
        self.size = 1
        self._known = known
        self.committed: list[Batch] = []

    async def known(self, claims: Sequence[bytes]) -> KnownEvents:
        return KnownEvents({claim: self._known[claim] for claim in claims if claim in self._known})

    async def commit(self, batch: Batch) -> None:
        assert batch.first_index == self.size
        self.size = batch.size
        self.committed.append(batch)


class Topic(AgencyRecords):
    """A topic with these records; notes how many were read at once."""

    def __init__(self, first: int = 0, end: int = len(RECORDS), *, step_records: int = 3) -> None:
        super().__init__(SimpleNamespace(), 1 << 20, step_records=step_records)
        self._reach[TOPIC] = (first, end)
        self.read_at_once: list[int] = []

    async def _fetch(self, topic: str, first: int, end: int) -> tuple[list[Any], int | None]:
        self.read_at_once.append(end - first)
        return [*RECORDS[first:end]], None


def recovery(journal: Journal) -> _Recovery:
    stub: Any = journal
    return _Recovery(stub, SimpleNamespace(), lambda *_: None, False, {TOPIC: HEALTH}, {TOPIC: 1})  # type: ignore[arg-type]


def numbered() -> tuple[Batch, Known, list[tuple[Entry, bytes]]]:
    """What the registrar had numbered after its first entry, what it knew then, and the entries."""
    first, batch = in_batches([[read(HEALTH, RECORDS[:1])], [read(HEALTH, RECORDS[1:10])]])
    known = {first.claims[0]: (first.identities[0], 0)}
    return batch, known, [(parse_entry(1 + i, raw), raw) for i, raw in enumerate(batch.entries)]


async def test_steps_give_what_the_registrar_had_numbered() -> None:
    batch, known, part = numbered()
    journal, topic = Journal(known), Topic()
    one = recovery(journal)
    await one._write(topic, part, 100, TEXTS)
    assert max(topic.read_at_once) <= 3
    assert [len(committed.entries) for committed in journal.committed] == [0, 0, 2]
    assert [d for committed in journal.committed for d in committed.duplicates] == batch.duplicates
    assert [e for committed in journal.committed for e in committed.entries] == batch.entries
    assert journal.committed[0].positions == {TOPIC: (4, Mark(record_sha256(RECORDS[3]), None))}
    assert journal.committed[-1].positions == batch.positions
    assert one.lacking == {}
    journal = Journal(known)
    await recovery(journal)._write(Topic(), part, 0, TEXTS)
    assert [len(c.entries) for c in journal.committed] == [2], "without a signature, nothing ahead of an entry"


@every(("first", "end", "lacking"), [(6, len(RECORDS), 5), (0, 3, 5)])
async def test_what_the_topic_lost_is_counted_as_at_once(first: int, end: int, lacking: int) -> None:
    batch, known, part = numbered()
    found = {r.offset: (r, validate(r.value, r.headers, HEALTH)) for r in RECORDS[max(1, first) : min(end, 10)]}
    held = {TOPIC: Held(HEALTH, 1, first, end, found)}
    at_once = Part([entry for entry, _ in part], batch.entries, held, {}).restore(dict(known))
    journal = Journal(known)
    one = recovery(journal)
    await one._write(Topic(first, end, step_records=1), part, 100, TEXTS)
    assert one.lacking[TOPIC] == at_once.lacking[TOPIC]
    assert one.lacking[TOPIC].duplicates == lacking
    assert journal.committed[-1].positions == at_once.batch.positions
    assert [d for committed in journal.committed for d in committed.duplicates] == at_once.batch.duplicates
