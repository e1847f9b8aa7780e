"""The memory of open requests, and the validation of a batch whose texts look like the ends of events."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from events.validation.verdicts import Accepted, Agency, Refused
from events.wire.kafka_binding import Headers
from infra.http.problems import Problem
from infra.postgres.verdicts import KnownEvents
from producers.gateway.receiving import Sent
from producers.gateway.routes.publish import validation_document
from producers.gateway.validating import Claims, validate_claims
from tests.every import every
from tests.world.documents import as_json
from tests.world.events import HEALTH, OFFICE, changed, encoded, initiative
from tests.world.gateways import receiver

BATCH = [(b"content-type", b"application/cloudevents-batch+json")]


def batch(*events: bytes) -> bytes:
    return b"[" + b",".join(events) + b"]"


async def stream(body: bytes, goes_on: asyncio.Event | None = None) -> AsyncIterator[bytes]:
    yield body
    if goes_on is not None:
        await goes_on.wait()


@every(
    ("limit", "problem"),
    [("gateway_waiting_bytes_max", "overloaded"), ("gateway_holder_bytes_max", "too-many-requests")],
)
async def test_bodies_that_are_still_coming_count_towards_the_limits(limit: str, problem: str) -> None:
    body = batch(encoded(initiative()))
    full = receiver(**{limit: len(body) + 1})
    goes_on = asyncio.Event()
    first = asyncio.create_task(full.validate(Sent(BATCH, stream(body, goes_on), HEALTH)))
    await asyncio.sleep(0)
    with pytest.raises(Problem) as caught:
        await full.validate(Sent(BATCH, stream(body), HEALTH))
    assert (caught.value.code, caught.value.headers["Retry-After"]) == (problem, "1")
    if limit == "gateway_holder_bytes_max":  # each agency has a share of its own
        assert len((await full.validate(Sent(BATCH, stream(body), OFFICE))).refused) == 1
    goes_on.set()
    assert len((await first).accepted) == 1
    assert len((await full.validate(Sent(BATCH, stream(body), HEALTH))).accepted) == 1


async def test_a_text_that_looks_like_the_end_of_an_event_is_part_of_it() -> None:
    tricky = encoded(changed(initiative(), "/data/aim/en", '"},{"'))
    bad = encoded(initiative(id="b", time="soon"))
    answer, repeats = await receiver().receive(
        Sent(BATCH, stream(batch(tricky, bad, encoded(initiative(id="c")))), HEALTH), partial=True
    )
    read = as_json(answer)
    assert [(row["event"], row["id"]) for row in read["receipt"]["events"]] == [(0, "e-1"), (2, "c")]
    assert [(row["event"], row["code"]) for row in read["refused"]] == [(1, "invalid-value")]
    assert "unlisted" not in read
    assert repeats == []


async def test_faults_that_no_list_holds_are_counted_where_other_events_are_stored() -> None:
    bad = encoded(initiative(id="b", x=["\0"] * 129))
    answer, _ = await receiver().receive(Sent(BATCH, stream(batch(encoded(initiative()), bad)), HEALTH), partial=True)
    read = as_json(answer)
    assert (len(read["refused"]), read["unlisted"]) == (100, 30)
    found = await receiver().validate(Sent(BATCH, stream(batch(bad)), HEALTH))
    assert validation_document(found, KnownEvents(), "en").unlisted == 30


async def test_what_the_log_knows_makes_an_event_a_duplicate_or_a_conflict_and_the_first_one_here_too() -> None:
    bodies = [
        encoded(initiative(id=id_, time=f"2005-05-05T05:05:0{second}Z"))
        for id_, second in (("a", 1), ("a", 2), ("b", 1), ("b", 1), ("b", 2), ("c", 1))
    ]
    verdicts = await receiver().validate(Sent(BATCH, stream(batch(*bodies)), HEALTH))
    first = verdicts.accepted[0][1]
    assert isinstance(first, Accepted)
    document = as_json(validation_document(verdicts, KnownEvents({first.claim: (first.identity, 7)}), "en"))
    assert [(row["event"], row["id"]) for row in document["accepted"]] == [(2, "b"), (5, "c")]
    assert document["duplicates"] == [
        {"event": 0, "id": "a", "index": 7, "proof": "/v1/proofs/7"},
        {"event": 3, "id": "b", "first_event": 2},
    ]
    assert [(row["event"], row["code"]) for row in document["errors"]] == [(1, "conflict"), (4, "conflict")]
    assert document["valid"] is False


async def test_others_get_their_turn_by_the_time_that_validation_takes() -> None:
    turns = 0

    def slow(value: bytes, headers: Headers, agency: Agency) -> Accepted | Refused:
        time.sleep(0.006)
        return Refused(())

    async def count_turns() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    counting = asyncio.create_task(count_turns())
    await validate_claims(Claims([b"{}"] * 10, [], True), HEALTH, slow)
    counting.cancel()
    assert turns >= 9
