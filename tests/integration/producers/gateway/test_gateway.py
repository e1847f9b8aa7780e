"""The gateway on the real Kafka and the real PostgreSQL, over real HTTP."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from hashlib import sha256
from typing import Any
from urllib.parse import quote

import orjson

from events.validation.validate import validate
from events.validation.verdicts import Accepted
from events.wire.codec import STRUCTURED_HEADERS, to_binary_mode
from infra.log.merkle import leaf_hash
from infra.log.proofs import verify_inclusion
from infra.log.receipt import receipt_is_genuine
from infra.log.signed_note import parse_vkey
from tests.world.events import HEALTH, encoded
from tests.world.registrars import found, registrar, until_size
from tests.world.senders import BATCH, STRUCTURED, GatewayHarness, batch, event, serving
from tests.world.topics import remake_topic, send, silent_kafka
from tests.world.waits import running, until


@asynccontextmanager
async def registering(harness: GatewayHarness) -> AsyncIterator[None]:
    """A registrar at work; the log knows both agencies."""
    await harness.connection.execute("DELETE FROM platform.agency")
    async with running(registrar(harness.settings)):
        await found(harness.settings, "health", "labour")
        await until_size(harness.connection, 4)
        yield


async def test_a_structured_event_is_stored_verbatim_and_its_receipt_is_genuine(harness: GatewayHarness) -> None:
    body = b" " + encoded(event(1)) + b"\n"
    answer = await harness.send(body)
    assert answer.status_code == 202
    receipt = answer.json()
    assert [row["address"] for row in receipt["receipt"]["events"]] == ["agency.health.events/0/0"]
    assert receipt_is_genuine(receipt, parse_vkey((await harness.get("/v1/key")).text.strip()))
    assert await harness.stored() == [body]


async def test_a_binary_event_with_arabic_attributes_becomes_the_canonical_structured_one(
    harness: GatewayHarness,
) -> None:
    claimed = event(1, correlationid="مبادرة")
    value, headers = to_binary_mode(claimed)
    over_http = {
        name.replace("ce_", "ce-"): quote(given.decode(), safe="/:+;=") for name, given in headers if given is not None
    }
    answer = await harness.send(value, over_http)
    assert answer.status_code == 202, answer.text
    (stored,) = await harness.stored()
    assert orjson.loads(stored) == claimed
    assert stored == orjson.dumps(claimed, option=orjson.OPT_SORT_KEYS)


async def test_a_batch_is_stored_in_order_and_an_empty_one_stores_nothing(harness: GatewayHarness) -> None:
    answer = await harness.send(batch(*map(event, range(300))), BATCH)
    rows = answer.json()["receipt"]["events"]
    assert [(row["event"], row["id"]) for row in rows] == [(n, f"e-{n}") for n in range(300)]
    assert [row["address"] for row in rows] == [f"agency.health.events/0/{n}" for n in range(300)]
    assert (await harness.send(b"[]", BATCH)).json()["receipt"]["events"] == []
    assert await harness.stored() == [encoded(event(n)) for n in range(300)]


async def test_what_repeats_an_earlier_event_is_said_to_be_its_duplicate_at_once(harness: GatewayHarness) -> None:
    earlier = {"event": 0, "id": "e-1", "address": "agency.health.events/0/0"}
    assert "duplicates" not in (await harness.send(encoded(event(1)))).json()
    again = (await harness.send(encoded(event(1)))).json()
    assert (again["duplicates"], again["receipt"]["events"][0]["address"]) == ([earlier], "agency.health.events/0/1")
    assert receipt_is_genuine(again, parse_vkey((await harness.get("/v1/key")).text.strip()))
    twice = (await harness.send(batch(event(2), event(3), event(2)), BATCH)).json()
    assert twice["duplicates"] == [{"event": 2, "id": "e-2", "address": "agency.health.events/0/2"}]
    assert "duplicates" not in (await harness.send(encoded(event(1, time="2005-05-05T05:05:06Z")))).json()


async def test_a_duplicate_of_a_registered_event_names_its_entry_and_another_event_with_its_id_is_none(
    harness: GatewayHarness,
) -> None:
    known = validate(encoded(event(1)), STRUCTURED_HEADERS, HEALTH)
    assert isinstance(known, Accepted)
    await harness.send(encoded(event(1)))
    await harness.connection.execute("INSERT INTO log.event_id VALUES ($1, $2, 42)", known.claim, known.identity)
    (row,) = (await harness.send(encoded(event(1, sequence="0" * 19 + "7")))).json()["duplicates"]
    assert (row["index"], row["proof"]) == (42, "/v1/proofs/42"), "the sequence does not count"
    other = encoded(event(1, time="2005-05-05T05:05:06Z"))
    assert "duplicates" not in (await harness.send(other)).json()
    assert "duplicates" not in (await harness.send(other)).json(), "both will be refused: the id is another event's"


async def test_one_bad_event_stores_nothing_and_every_fault_of_every_event_is_listed(harness: GatewayHarness) -> None:
    body = batch(event(1), event(2, time="soon", subject="x"), event(3), event(4, data={}))
    answer = await harness.send(body, {**BATCH, "accept-language": "ar"})
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    assert answer.headers["content-language"] == "ar"
    problem = answer.json()
    assert {row["event"] for row in problem["errors"]} == {1, 3}
    assert {"/1/time", "/3/data/name"} <= {row["pointer"] for row in problem["errors"]}
    assert (await harness.get(problem["type"])).status_code == 200
    assert await harness.stored() == []


async def test_partial_stores_the_good_events_and_names_the_others(harness: GatewayHarness) -> None:
    answer = await harness.send(batch(event(1), event(2, time="soon"), event(3)), BATCH, "?partial=true")
    assert answer.status_code == 202
    assert [row["event"] for row in answer.json()["receipt"]["events"]] == [0, 2]
    assert [(row["event"], row["id"]) for row in answer.json()["refused"]] == [(1, "e-2")]
    assert len(await harness.stored()) == 2
    assert (await harness.send(batch(event(1, time="soon")), BATCH, "?partial=true")).status_code == 422


async def test_validating_gives_the_same_faults_and_stores_nothing(harness: GatewayHarness) -> None:
    body = batch(event(1), event(2, time="soon"))
    judged = (await harness.client.post("/v1/events:validate", content=body, headers=BATCH)).json()
    assert (judged["valid"], [row["event"] for row in judged["accepted"]]) == (False, [0])
    assert judged["errors"] == (await harness.send(body, BATCH)).json()["errors"]
    assert await harness.stored() == []


async def test_validating_tells_what_the_log_would_make_of_the_ids(harness: GatewayHarness) -> None:
    known = validate(encoded(event(1)), STRUCTURED_HEADERS, HEALTH)
    assert isinstance(known, Accepted)
    await harness.connection.execute("INSERT INTO log.event_id VALUES ($1, $2, 42)", known.claim, known.identity)
    other = event(1, time="2005-05-05T05:05:06Z")
    body = batch(event(1, traceparent="x"), event(2), event(2), other, event(2, time="2005-05-05T05:05:06Z"))
    judged = (await harness.client.post("/v1/events:validate", content=body, headers=BATCH)).json()
    assert [row["event"] for row in judged["accepted"]] == [1]
    assert judged["duplicates"] == [
        {"event": 0, "id": "e-1", "index": 42, "proof": "/v1/proofs/42"},
        {"event": 2, "id": "e-2", "first_event": 1},
    ]
    assert [(row["code"], row["pointer"], row["id"]) for row in judged["errors"]] == [
        ("conflict", "/3", "e-1"),
        ("conflict", "/4", "e-2"),
    ]
    assert not judged["valid"]
    again = await harness.client.post("/v1/events:validate", content=encoded(event(1)), headers=STRUCTURED)
    assert (again.json()["valid"], again.json()["accepted"]) == (True, [])
    assert await harness.stored() == []


async def test_each_token_does_what_its_scopes_say_and_nothing_else(harness: GatewayHarness) -> None:
    body = encoded(event(1))
    assert (await harness.send(body)).status_code == 202
    auditor = await harness.another("auditor", "court-of-audit")
    partner = await harness.another("partner", "P-1")
    labour = await harness.another("agency", "labour")
    for headers in (auditor, partner):
        assert (await harness.send(body, {**STRUCTURED, **headers})).status_code == 403
    assert (await harness.send(body, {**STRUCTURED, **labour})).status_code == 422
    for headers, status in ((auditor, 200), (partner, 403), (labour, 403), ({}, 200)):
        assert (await harness.client.get("/v1/receipts?agency=health", headers=headers)).status_code == status


async def test_too_many_requests_are_told_when_to_come_back(harness: GatewayHarness) -> None:
    slow = harness.settings.model_copy(update={"gateway_requests_burst": 2, "gateway_requests_per_s": 0.5})
    async with serving(slow) as gateway:
        address = f"http://127.0.0.1:{gateway.port}/v1/completeness"
        answers = [await harness.client.get(address) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[-1].headers["retry-after"] == "2"


async def test_a_receipt_upgrades_to_the_registrars_verdict_and_a_proof(harness: GatewayHarness) -> None:
    async with registering(harness):
        await asyncio.sleep(0.1)
        first, other = event(1), event(1, time="2005-05-05T05:05:06Z")
        sent = [await harness.send(encoded(one)) for one in (first, first, other)]
        addresses = [answer.json()["receipt"]["events"][0]["address"] for answer in sent]
        states = [await _settled(harness, f"/v1/events/e-1?address={address}") for address in addresses]
        assert [state["state"] for state in states] == ["registered", "duplicate", "refused"]
        assert states[0]["index"] == states[1]["index"]
        assert [row["code"] for row in states[2]["errors"]] == ["conflict"]
        page = (await harness.get("/v1/receipts?since=0&wait_s=5")).json()
        assert [(row["state"], row["id"]) for row in page["receipts"]] == [
            ("registered", "e-1"),
            ("duplicate", "e-1"),
            ("refused", "e-1"),
        ]
        assert page["next"] == 3
        proof = await _settled(harness, states[2]["proof"])
        leaf = leaf_hash(proof["entry"].encode())
        assert leaf == base64.b64decode(proof["leaf"])
        root = base64.b64decode(proof["checkpoint"].split("\n")[2])
        path = [base64.b64decode(step) for step in proof["path"]]
        assert verify_inclusion(leaf, proof["index"], proof["size"], root, path)
        for headers, status in (
            (await harness.another("agency", "labour"), 404),
            (await harness.another("auditor", "court-of-audit"), 200),
        ):
            assert (await harness.client.get(states[0]["proof"], headers=headers)).status_code == status


async def test_a_refusal_that_keeps_nothing_of_its_record_is_answered_too(harness: GatewayHarness) -> None:
    async with registering(harness):
        await send(harness.settings, "agency.health.events", encoded(event(1, correlationid="1000000008")), None)
        await until_size(harness.connection, 6)
    page = (await harness.get("/v1/receipts?since=0")).json()["receipts"]
    assert [row["errors"][0]["code"] for row in page] == ["personal-data", "tombstone"]
    assert not [row for row in page if row["state"] != "refused" or "sha256" in row]
    for row in page:
        answer = await harness.get(f"/v1/events/any?address={row['address']}")
        assert (answer.status_code, answer.json()["index"]) == (200, row["index"])


async def test_an_address_in_a_topic_that_was_made_anew_never_answers_with_another_events_index(
    harness: GatewayHarness,
) -> None:
    async with registering(harness):
        assert (await harness.send(batch(event(1), event(2)), BATCH)).status_code == 202
        await until_size(harness.connection, 6)
    await remake_topic(harness.settings, "health")
    rows: list[dict[str, Any]] = []

    async def stored() -> bool:
        answer = await harness.send(batch(event(3), event(2, time="2005-05-05T05:05:06Z")), BATCH)
        rows.extend(answer.json()["receipt"]["events"] if answer.status_code == 202 else [])
        return bool(rows)

    await until(stored, "events are stored in the new topic")
    topic = "agency.health.events/0/"
    assert [row["address"] for row in rows][:2] == [f"{topic}0", f"{topic}1"]
    for path in ("/v1/events/e-3", f"/v1/events/e-3?address={topic}0"):
        assert (await harness.get(path)).status_code == 404, "what the registrar read there was e-1"
    known = (await harness.get(f"/v1/events/e-2?address={topic}1")).json()
    assert (known["state"], known["index"]) == ("registered", 5)
    assert known["sha256"] != rows[1]["sha256"], "the record that was judged is another one"
    page = (await harness.get("/v1/receipts?since=0")).json()["receipts"]
    assert [row["sha256"] for row in page] == [sha256(encoded(event(n))).hexdigest() for n in (1, 2)]


async def test_a_record_that_was_never_read_is_lost_and_not_registered(harness: GatewayHarness) -> None:
    async with registering(harness):
        assert (await harness.send(encoded(event(1)))).status_code == 202
        await until_size(harness.connection, 5)
    assert (await harness.send(encoded(event(2)))).status_code == 202
    passed = "UPDATE log.read_position SET next_offset = next_offset + 1 WHERE topic = 'agency.health.events'"
    await harness.connection.execute(passed)
    page = (await harness.get("/v1/receipts?since=0")).json()["receipts"]
    assert [row["state"] for row in page] == ["registered", "lost"]
    assert "index" not in page[1]
    for path in ("/v1/events/e-2", f"/v1/events/e-2?address={page[1]['address']}"):
        assert (await harness.get(path)).json() == {"id": "e-2", **page[1]}


async def test_a_poll_that_waits_for_verdicts_is_answered_when_the_gateway_ends(harness: GatewayHarness) -> None:
    async with serving(harness.settings) as gateway:
        waiting = asyncio.create_task(harness.client.get(f"http://127.0.0.1:{gateway.port}/v1/receipts?wait_s=30"))
        await asyncio.sleep(0.2)
        assert not waiting.done()
    assert (await waiting).json()["receipts"] == []


async def test_while_kafka_is_away_nothing_is_promised_and_readiness_says_so(harness: GatewayHarness) -> None:
    async with silent_kafka(harness.settings) as silent, serving(silent, "serving") as gateway:
        address = f"http://127.0.0.1:{gateway.port}/v1/events"
        answer = await harness.client.post(address, content=encoded(event(1)), headers=STRUCTURED)
        assert (answer.status_code, answer.json()["type"]) == (503, "/problems/kafka-away")
        assert answer.headers["retry-after"] == "1"
        assert not gateway.readiness().ready
    assert await harness.stored() == []


async def test_where_no_numbers_were_sent_none_are_said_to_be_missing(harness: GatewayHarness) -> None:
    async def said(query: str = "") -> tuple[Any, ...]:
        answer = (await harness.get(f"/v1/completeness{query}")).json()
        return answer["status"], answer["missing_count"], answer["seen_count"]

    assert await said() == ("no-numbers-sent", None, 0)
    await harness.connection.execute(
        "INSERT INTO log.sequence_state (agency, seen, highest) VALUES ('health', '{[1,4)}'::nummultirange, 3)"
    )
    await harness.connection.execute("INSERT INTO log.sequence_month VALUES ('health', '2026-09', 3)")
    assert await said() == ("complete", 0, 3)
    assert await said("?month=2026-09") == ("complete", 0, 3)
    assert await said("?month=2026-10") == ("no-numbers-sent", None, 0)
    await harness.connection.execute("INSERT INTO log.sequence_month VALUES ('health', '2026-11', 2)")
    assert await said("?month=2026-10") == ("no-numbers-sent", None, 0)
    assert await said("?month=2026-11") == ("only-earlier-numbers", None, 0)
    await harness.connection.execute("UPDATE log.sequence_state SET overflowed_index = 40")
    assert await said() == ("not-known", None, 3)
    await harness.connection.execute("UPDATE log.sequence_state SET seen = '{[1,2),[3,4)}'")
    assert await said() == ("not-known", None, 2), "the number that seems missing may have been read"
    assert await said("?month=2026-09") == ("not-known", None, 2)
    assert await said("?month=2026-10") == ("no-numbers-sent", None, 0)


async def test_completeness_names_the_holes_of_each_month_and_a_late_number_fills_its_hole_there(
    harness: GatewayHarness,
) -> None:
    async def month(name: str) -> tuple[Any, ...]:
        answer = (await harness.get(f"/v1/completeness?month={name}")).json()
        return tuple(answer[member] for member in ("month", "first", "last", "seen", "missing", "repeated"))

    assert await month("2026-10") == ("2026-10", None, None, [], [], [])
    await harness.connection.execute(
        "INSERT INTO log.sequence_state (agency, seen, repeated, highest) "
        "VALUES ('health', '{[1,4),[5,9),[11,12)}'::nummultirange, '{[2,3),[6,7)}'::nummultirange, 11)"
    )
    await harness.connection.execute(
        "INSERT INTO log.sequence_month VALUES ('health', '2026-09', 4), ('health', '2026-11', 11), "
        "('health', '2026-12', 3), ('labour', '2026-09', 7)"
    )
    whole = (await harness.get("/v1/completeness")).json()
    assert (whole["highest"], whole["seen"], whole["missing"]) == (11, [[1, 3], [5, 8], [11, 11]], [[4, 4], [9, 10]])
    assert (whole["seen_count"], whole["missing_count"], whole["status"]) == (8, 3, "incomplete")
    assert await month("2026-08") == ("2026-08", None, None, [], [], [])
    assert await month("2026-09") == ("2026-09", 1, 4, [[1, 3]], [[4, 4]], [[2, 2]])
    assert await month("2026-10") == ("2026-10", None, None, [], [], [])
    assert await month("2026-11") == ("2026-11", 5, 11, [[5, 8], [11, 11]], [[9, 10]], [[6, 6]])
    assert await month("2026-12") == ("2026-12", None, None, [], [], [])
    await harness.connection.execute("UPDATE log.sequence_state SET seen = seen + '{[4,5)}'::nummultirange")
    assert await month("2026-09") == ("2026-09", 1, 4, [[1, 4]], [], [[2, 2]])
    for wrong in ("2026-13", "2026", "2026-1", "1447-05-01", ""):
        assert (await harness.get(f"/v1/completeness?month={wrong}")).json()["type"] == "/problems/bad-parameter"


async def _settled(harness: GatewayHarness, path: str) -> dict[str, Any]:
    """The answer once it is neither pending nor missing."""
    document: dict[str, Any] = {}

    async def settled() -> bool:
        nonlocal document
        answer = await harness.get(path)
        document = answer.json()
        return answer.status_code == 200 and document.get("state") != "pending"

    await until(settled, f"{path} is settled")
    return document
