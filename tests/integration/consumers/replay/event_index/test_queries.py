"""What is found in the log is what a walk through its entries finds, whatever the conditions and the page's size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from typing import Any, Final

import pytest

from consumers.replay.event_index.consumer import CONSUMER
from consumers.replay.event_index.read import Query, find, find_indexes
from events.wire.entry import Entry
from events.wire.envelope import full_type
from infra.postgres.connection import Connection
from tests.oracle.log import make_event
from tests.world.entries import EventLog
from tests.world.logs import apply_live, write_claims, write_log

NAMES = ("service.launched", "service.suspended", "service.resumed")
TYPES = [*map(full_type, NAMES)]
REFUSED = "registrar.refused"
AGENCIES = ("health", "labour", "justice", "customs", "interior")
QUERIES = [
    Query(),
    *(
        Query(subject, kind, agency)
        for subject, kind, agency in product((None, "service/S3"), (None, *TYPES[:2]), (None, *AGENCIES[:2]))
        if subject or kind or agency
    ),
    *(Query(types=types, agency=agency) for types in (TYPES[1:], [], TYPES * 2) for agency in (None, "health")),
    Query(type=full_type(REFUSED)),
    Query(agency="platform"),
    Query(agency="nobody"),
    Query(type=full_type("plan.adopted")),
    *(Query(refusals_of=agency, agency=sender) for agency in AGENCIES[:3] for sender in (None, "platform", "health")),
    *(Query(subjects=subjects) for subjects in ([], ["service/S1"], ["service/S1", "service/S4", "service/none"])),
    Query(subjects=["service/S1", "service/S4"], type=TYPES[0], agency="health"),
    *(Query(id=id, agency=agency) for id in ("e17", "e3", "none") for agency in (None, "health", "labour")),
    *(Query(id=id) for id in ("agency.health.events:0:o16", "agency.labour.events:0:o16")),
    Query("refusal/agency.labour.events/0/o27"),
]
PAGES: Final[Sequence[dict[str, Any]]] = (
    {},
    {"newest_first": True},
    {"after_index": 120, "below_index": 300},
    {"newest_first": True, "after_index": 250, "from_index": 80},
)


def history() -> EventLog:
    """The agencies take turns of uneven length; records of two of them are refused."""
    log = EventLog()
    for number in range(400):
        agency = AGENCIES[number * number % 7 % len(AGENCIES)]
        if number % 11 == 5:
            topic = f"agency.{AGENCIES[number % 2]}.events"
            log.add(make_event(REFUSED, "platform", f"refusal/{topic}/0/o{number}", {"n": 1}, f"{topic}:0:o{number}"))
        else:
            name = NAMES[number // 5 % len(NAMES)]
            # The agencies use some ids alike; an id of one agency is used once.
            id = f"e{number // len(AGENCIES)}" if number < 100 and agency == AGENCIES[number % 5] else f"n{number}"
            log.add(make_event(name, agency, f"service/S{number // 3 % 9}", {}, id))
    return log


async def index(connection: Connection, log: EventLog) -> None:
    """The log, applied by the index of events, as the registrar would have left it."""
    await write_log(connection, log.raw)
    await write_claims(connection, log.entries)
    await apply_live(connection, CONSUMER, log.raw)
    await connection.execute(f"SET search_path = {CONSUMER.schema}; ANALYZE event")


def expected(entries: Sequence[Entry], query: Query) -> list[int]:
    """The indexes of the entries that meet the conditions, in the order of the pages."""
    found = [
        entry.index
        for entry in entries
        if query.subject in (None, entry.subject)
        and query.type in (None, entry.full_type)
        and (query.types is None or entry.full_type in query.types)
        and query.agency in (None, entry.agency)
        and query.id in (None, entry.id)
        and (query.subjects is None or entry.subject in query.subjects)
        and (query.refusals_of is None or entry.subject.startswith(f"refusal/agency.{query.refusals_of}.events/"))
        and (query.from_index or 0) <= entry.index < (query.below_index or len(entries))
    ]
    if not query.newest_first:
        return [index for index in found if index > query.after_index]
    return [index for index in reversed(found) if query.after_index < 0 or index < query.after_index]


async def test_every_query_finds_what_the_log_has_page_by_page(connection: Connection) -> None:
    log = history()
    await index(connection, log)
    answered = set[bool]()
    for one, page in product(QUERIES, PAGES):
        query = replace(one, rows_max=7, **page)
        wanted = expected(log.entries, query)
        answered.add(bool(wanted))
        assert await find_indexes(connection, query) == wanted, query
        found, following = list[int](), query
        while True:
            shown = await find(connection, following)
            for event in shown.events:
                own = log.entries[event.index]
                assert (event.id, event.type, event.subject, event.agency, event.time) == (
                    own.id, own.full_type, own.subject, own.agency, own.time
                )  # fmt: skip
            found += [event.index for event in shown.events]
            if shown.next_cursor is None:
                break
            assert len(shown.events) == query.rows_max
            following = replace(query, after_index=shown.next_cursor)
        assert found == wanted, query
    assert answered == {True, False}


async def test_texts_with_the_same_hash_are_told_apart(connection: Connection) -> None:
    (one, other), = await connection.fetch(
        "SELECT min(n), max(n) FROM (SELECT 'a' || n AS n FROM generate_series(1, 400000) AS n)"
        " GROUP BY hashtext(n) HAVING count(*) > 1 LIMIT 1"
    )  # fmt: skip
    log = EventLog()
    for number in range(40):
        log.add(make_event(NAMES[0], (one, other)[number % 2], "service/S", {}, f"e{number}"))
    await index(connection, log)
    for newest_first, kind in product((False, True), (None, TYPES[0])):
        query = Query(type=kind, agency=other, newest_first=newest_first, rows_max=1_000)
        assert await find_indexes(connection, query) == expected(log.entries, query) != []
    assert await find_indexes(connection, Query(type=TYPES[0])) == [*range(40)]


async def test_a_row_whose_id_another_entry_claims_is_not_shown(connection: Connection) -> None:
    log = history()
    await index(connection, log)
    await connection.execute("ALTER TABLE log.event_id DISABLE TRIGGER append_only")
    await connection.execute("UPDATE log.event_id SET index = index + 1 WHERE index < 60")
    wrong = [entry.id for entry in log.entries[:60] if entry.id.startswith("n")]
    assert wrong
    assert [id for id in wrong if await find_indexes(connection, Query(id=id))] == []


@pytest.mark.parametrize("rows_max", [1, 3, 50])
async def test_the_parts_of_a_query_are_read_as_far_as_its_page_reaches(connection: Connection, rows_max: int) -> None:
    """One agency sent first, and much; the others late: a page of all is filled by the first alone."""
    log = EventLog()
    for number in range(200):
        log.add(
            make_event(NAMES[0], AGENCIES[0] if number < 190 else AGENCIES[number % 5], "service/S", {}, f"e{number}")
        )
    await index(connection, log)
    for newest_first in (False, True):
        query = Query(type=TYPES[0], newest_first=newest_first)
        assert await find_indexes(connection, query, rows_max) == expected(log.entries, query)[:rows_max]
