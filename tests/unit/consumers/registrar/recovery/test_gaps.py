"""A stretch of duplicates, of any length, is recovered in steps, and gives the same rows as at once."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from consumers.registrar.batch import Batch, Mark, record_sha256
from consumers.registrar.recovery.agency_records import AgencyRecords
from consumers.registrar.recovery.recover import _Recovery
from consumers.registrar.recovery.restored import Held, Part
from events.validation.validate import validate
from events.wire.entry import parse_entry
from infra.postgres.verdicts import Known
from tests.world.records import HEALTH, number_all, read, said, topic_of, values

TOPIC = topic_of(HEALTH)
RECORDS = values(said("a"), *[said("a")] * 7, b"{", said("b"), said("b"))
"""An entry, a stretch of duplicates, a refusal, an entry, and a duplicate that is not read in the recovery."""


class Journal:
    """Holds the first entry, and notes what is committed."""

    def __init__(self, known: Known) -> None:
        self.size = 1
        self._known = known
        self.committed: list[Batch] = []

    async def known(self, claims: Sequence[bytes]) -> Known:
        return {claim: self._known[claim] for claim in claims if claim in self._known}

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


@pytest.fixture
def numbered() -> tuple[Batch, Known]:
    known: Known = {}
    first = number_all([read(HEALTH, RECORDS[:1])], known)
    known = dict(zip(first.claims, [(identity, 0) for identity in first.identities], strict=True))
    return number_all([read(HEALTH, RECORDS[1:10])], dict(known), 1), known


async def test_steps_give_what_the_registrar_had_numbered(numbered: tuple[Batch, Known]) -> None:
    batch, known = numbered
    part = [(parse_entry(1 + i, raw), raw) for i, raw in enumerate(batch.entries)]
    journal, topic = Journal(known), Topic()
    one = recovery(journal)
    await one._write(topic, part, signed_size=100)
    assert max(topic.read_at_once) <= 3
    assert [len(committed.entries) for committed in journal.committed] == [0, 0, 2]
    assert [d for committed in journal.committed for d in committed.duplicates] == batch.duplicates
    assert [e for committed in journal.committed for e in committed.entries] == batch.entries
    assert journal.committed[0].positions == {TOPIC: (4, Mark(record_sha256(RECORDS[3]), None))}
    assert journal.committed[-1].positions == batch.positions
    assert one.lacking == {}


async def test_without_a_signature_nothing_is_written_ahead_of_an_entry(numbered: tuple[Batch, Known]) -> None:
    batch, known = numbered
    part = [(parse_entry(1 + i, raw), raw) for i, raw in enumerate(batch.entries)]
    journal = Journal(known)
    await recovery(journal)._write(Topic(), part, signed_size=0)
    assert [len(committed.entries) for committed in journal.committed] == [2]


@pytest.mark.parametrize(("first", "end", "lacking"), [(6, len(RECORDS), 5), (0, 3, 5)], ids=["aged", "cut"])
async def test_what_the_topic_lost_is_counted_as_at_once(
    numbered: tuple[Batch, Known], first: int, end: int, lacking: int
) -> None:
    batch, known = numbered
    part = [(parse_entry(1 + i, raw), raw) for i, raw in enumerate(batch.entries)]
    found = {r.offset: (r, validate(r.value, r.headers, HEALTH)) for r in RECORDS[max(1, first) : min(end, 10)]}
    at_once = Part([e for e, _ in part], batch.entries, {TOPIC: Held(HEALTH, 1, first, end, found)}).restore(
        dict(known)
    )
    journal = Journal(known)
    one = recovery(journal)
    await one._write(Topic(first, end, step_records=1), part, signed_size=100)
    assert one.lacking[TOPIC] == at_once.lacking[TOPIC]
    assert one.lacking[TOPIC].duplicates == lacking
    assert journal.committed[-1].positions == at_once.batch.positions
    assert [d for committed in journal.committed for d in committed.duplicates] == at_once.batch.duplicates
