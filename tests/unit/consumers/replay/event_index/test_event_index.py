"""The event index: one row an entry, and queries that name only what is asked."""

from __future__ import annotations

from consumers.replay.event_index.consumer import CONSUMER, EVENT
from consumers.replay.event_index.read import Query, statement
from tests.oracle.log import make_entry, make_event
from tests.world.entries import entry_of
from tests.world.memory_store import MemoryStore


def test_every_entry_has_one_row() -> None:
    store = MemoryStore()
    made = [make_entry(i, make_event("service.resumed", "health", "service/S", {}, f"e{i}")) for i in range(6)]
    for part in (made[:3], made[3:]):
        assert store.apply(CONSUMER, [entry_of(entry) for entry in part]) == []
    rows = store.rows(EVENT)
    assert [(row.index, row.id) for row in rows] == [(i, f"e{i}") for i in range(6)]
    assert (rows[0].type, rows[0].agency) == ("sa.gov.yesser.service.resumed.v1", "health")


def test_a_query_names_only_the_conditions_that_are_given() -> None:
    everything, arguments = statement(Query(), 10)
    assert everything.endswith("FROM event WHERE index > $1 ORDER BY index ASC LIMIT $2")
    assert arguments == [-1, 10]
    some, arguments = statement(Query(subject="service/S", agency="health", after_index=4), 10)
    assert some.endswith("AND subject = $3 AND agency = $4::text ORDER BY index ASC LIMIT $2")
    assert arguments == [4, 10, "service/S", "health"]
