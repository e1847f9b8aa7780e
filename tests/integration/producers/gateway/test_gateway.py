"""The gateway on the real Kafka and the real PostgreSQL, over real HTTP."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any
from urllib.parse import quote

import orjson

from events.validation.validate import validate
from events.validation.verdicts import Accepted
from events.wire.codec import STRUCTURED_HEADERS
from events.wire.entry import recorded_time
from infra.log.merkle import leaf_hash
from infra.log.proofs import verify_inclusion
from infra.log.reader import read_checked
from infra.log.receipt import receipt_is_genuine
from infra.log.signed_note import Verifier, parse_vkey
from producers.gateway.answers import halted_of
from tests.world.binary_mode import to_binary_mode
from tests.world.events import HEALTH, encoded
from tests.world.logs import apply_everywhere
from tests.world.logs_with_texts import service_suspended
from tests.world.records import withheld
from tests.world.registrars import found, registrar, until_size
from tests.world.senders import BATCH, STRUCTURED, GatewayHarness, batch, event, serving
from tests.world.topics import PLATFORM_TOPIC, remake_topic, send, silent_kafka
from tests.world.waits import running, until

ADDRESS = "agency.health.events/0/"
OTHER_TIME = "2005-05-05T05:05:06Z"
WITH_TEXT = service_suspended("e-1", "Sara")
WRITTEN_ANEW = orjson.dumps(orjson.loads(WITH_TEXT), option=orjson.OPT_INDENT_2).replace(b"Sara", rb"\u0053ara")
ANOTHER = service_suspended("e-1", "Huda")


async def accepted(
    harness: GatewayHarness, body: bytes, headers: Mapping[str, str] = STRUCTURED, query: str = ""
) -> dict[str, Any]:
    """The answer to what is stored."""
    answer = await harness.send(body, headers, query)
    assert answer.status_code == 202, answer.text
    document: dict[str, Any] = answer.json()
    return document


async def validated(harness: GatewayHarness, body: bytes, headers: Mapping[str, str] = BATCH) -> dict[str, Any]:
    answer = await harness.client.post("/v1/events:validate", content=body, headers=headers)
    document: dict[str, Any] = answer.json()
    return document


async def gateway_key(harness: GatewayHarness) -> Verifier:
    return parse_vkey((await harness.get("/v1/key")).text.strip())


async def test_an_event_is_stored_in_each_mode_and_its_receipt_is_genuine(harness: GatewayHarness) -> None:
    body = b" " + encoded(event(1)) + b"\n"
    receipt = await accepted(harness, body)
    assert [row["address"] for row in receipt["receipt"]["events"]] == [f"{ADDRESS}0"]
    assert receipt_is_genuine(receipt, await gateway_key(harness))

    claimed = event(2, correlationid="مبادرة")
    value, headers = to_binary_mode(claimed)
    over_http = {name.replace("ce_", "ce-"): quote(given or b"", safe="/:+;=") for name, given in headers}
    await accepted(harness, value, over_http)

    rows = (await accepted(harness, batch(*map(event, range(3, 303))), BATCH))["receipt"]["events"]
    assert [(row["event"], row["id"]) for row in rows] == [(n, f"e-{n + 3}") for n in range(300)]
    assert [row["address"] for row in rows] == [f"{ADDRESS}{n + 2}" for n in range(300)]
    assert (await accepted(harness, b"[]", BATCH))["receipt"]["events"] == []

    stored = await harness.stored()
    assert stored[0] == body, "verbatim"
    assert stored[1] == orjson.dumps(claimed, option=orjson.OPT_SORT_KEYS), "the canonical structured event"
    assert stored[2:] == [encoded(event(n)) for n in range(3, 303)], "in order"


async def test_what_repeats_an_earlier_event_is_said_to_be_its_duplicate_at_once(harness: GatewayHarness) -> None:
    assert "duplicates" not in await accepted(harness, encoded(event(1)))
    again = await accepted(harness, encoded(event(1)))
    assert again["duplicates"] == [{"event": 0, "id": "e-1", "address": f"{ADDRESS}0"}]
    assert again["receipt"]["events"][0]["address"] == f"{ADDRESS}1"
    assert receipt_is_genuine(again, await gateway_key(harness))
    twice = await accepted(harness, batch(event(2), event(3), event(2)), BATCH)
    assert twice["duplicates"] == [{"event": 2, "id": "e-2", "address": f"{ADDRESS}2"}]

    known = validate(encoded(event(1)), STRUCTURED_HEADERS, HEALTH)
    assert isinstance(known, Accepted)
    await harness.connection.execute("INSERT INTO log.event_id VALUES ($1, $2, 42)", known.claim, known.identity)
    (row,) = (await accepted(harness, encoded(event(1, sequence="0" * 19 + "7"))))["duplicates"]
    assert (row["index"], row["proof"]) == (42, "/v1/proofs/42"), "of a registered one; the sequence does not count"
    for _ in range(2):
        answer = await accepted(harness, encoded(event(1, time=OTHER_TIME)))
        assert "duplicates" not in answer, "it will be refused: the id is another event's"

    judged = await validated(harness, batch(event(1), event(4), event(1, time=OTHER_TIME)))
    assert [row["event"] for row in judged["accepted"]] == [1]
    assert judged["duplicates"] == [{"event": 0, "id": "e-1", "index": 42, "proof": "/v1/proofs/42"}]
    assert [(row["code"], row["pointer"], row["id"]) for row in judged["errors"]] == [("conflict", "/2", "e-1")]
    assert "log entry 42, a different event" in judged["errors"][0]["detail"]


async def test_the_receipt_says_what_its_sender_should_look_at(harness: GatewayHarness) -> None:
    now = datetime.now(UTC)
    events = [event(n, time=recorded_time(now + timedelta(days=days))) for n, days in enumerate((0, 1, 3, 3_650))]
    answer = await accepted(harness, batch(*events), BATCH)
    assert [(row["event"], row["id"]) for row in answer["ahead"]] == [(2, "e-2"), (3, "e-3")]
    assert len(answer["receipt"]["events"]) == 4
    assert not answer.keys() & {"halted", "paused"}
    await harness.connection.execute(
        "INSERT INTO log.read_position (topic, next_offset, halted_reason) VALUES ('agency.health.events', 0, 'lost')"
        " ON CONFLICT (topic) DO UPDATE SET halted_reason = 'lost'"
    )

    async def is_said() -> bool:
        return (await accepted(harness, encoded(event(9)))).get("halted") == halted_of("lost")

    await until(is_said, "the receipt says that the topic is halted")


async def test_a_token_says_whose_it_is_and_what_it_may_send(harness: GatewayHarness) -> None:
    async def account(headers: Mapping[str, str]) -> dict[str, Any]:
        answer = await harness.client.get("/v1/account", headers=dict(headers))
        assert answer.status_code == 200, answer.text
        document: dict[str, Any] = answer.json()
        return document

    await harness.connection.execute("""UPDATE platform.agency SET name = '{"ar": "ص", "en": "Health"}'""")
    own, partner = await account({}), await account(await harness.another("partner", "P-1"))
    office = await account(await harness.another("office", "yesser"))
    assert (own["kind"], own["holder"], own["name"]["en"]) == ("agency", "health", "Health")
    assert (own["key_id"], own["topic"]) == (harness.token.key_id, "agency.health.events")
    assert datetime.fromisoformat(own["expires_at"]) == harness.token.expires_at
    assert own["limits"]["batch_events_max"] == harness.settings.gateway_batch_events_max
    launched, adopted = "sa.gov.yesser.service.launched.v1", "sa.gov.yesser.plan.adopted.v1"
    assert [launched in one["types"] for one in (own, office)] == [True, True]
    assert [adopted in one["types"] for one in (own, office)] == [False, True], "the office adopts plans"
    assert (partner["partners"], partner["scopes"]) == (["health/P-1"], ["partnerships:read"])
    assert not {"topic", "types", "name"} & partner.keys(), "it sends nothing"
    await harness.connection.execute("INSERT INTO platform.suspension (agency, reason) VALUES ('health', '{}')")

    async def is_suspended() -> bool:
        return bool((await account({}))["suspended"])

    await until(is_suspended, "the agency is suspended, and its token is answered", 5)


async def test_a_misspelt_route_is_answered_with_the_one_that_was_meant(harness: GatewayHarness) -> None:
    for path, meant in {"/v1/event": "/v1/events", "/v1/event/e-1": "/v1/events/e-1", "/v1/elephants": None}.items():
        answer = (await harness.get(path)).json()
        assert answer["type"].endswith("/problems/no-such-route")
        errors = [] if meant is None else [{"code": "no-such-route", "detail": f"Did you mean {meant}?"}]
        assert answer.get("errors", []) == errors, path


async def test_one_bad_event_stores_nothing_unless_a_part_is_asked_for(harness: GatewayHarness) -> None:
    body = batch(event(1), event(2, time="soon", subject="x"), event(3), event(4, data={}))
    answer = await harness.send(body, {**BATCH, "accept-language": "ar"})
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    assert answer.headers["content-language"] == "ar"
    problem = answer.json()
    assert {row["event"] for row in problem["errors"]} == {1, 3}
    assert {"/1/time", "/3/data/name"} <= {row["pointer"] for row in problem["errors"]}
    assert (await harness.get(problem["type"])).status_code == 200
    judged = await validated(harness, body)
    assert (judged["valid"], [row["event"] for row in judged["accepted"]]) == (False, [0, 2])
    assert judged["errors"] == (await harness.send(body, BATCH)).json()["errors"]
    assert (await harness.send(batch(event(1, time="soon")), BATCH, "?partial=true")).status_code == 422
    assert await harness.stored() == []

    stored = await accepted(harness, body, BATCH, "?partial=true")
    assert [row["event"] for row in stored["receipt"]["events"]] == [0, 2]
    assert {(row["event"], row["id"]) for row in stored["refused"]} == {(1, "e-2"), (3, "e-4")}
    assert await harness.stored() == [encoded(event(1)), encoded(event(3))]


async def test_a_gateway_tells_when_to_come_back_and_answers_polls_when_it_ends(harness: GatewayHarness) -> None:
    slow = harness.settings.model_copy(update={"gateway_requests_burst": 2, "gateway_requests_per_s": 0.5})
    async with serving(slow) as gateway:
        address = f"http://127.0.0.1:{gateway.port}/v1"
        waiting = asyncio.create_task(harness.client.get(f"{address}/receipts?wait_s=30"))
        await asyncio.sleep(0.2)
        answers = [await harness.client.get(f"{address}/completeness") for _ in range(2)]
        assert not waiting.done()
    assert [answer.status_code for answer in answers] == [200, 429]
    assert answers[-1].headers["retry-after"] == "2"
    assert (await waiting).json()["receipts"] == []

    async with silent_kafka(harness.settings) as silent, serving(silent, "serving") as gateway:
        address = f"http://127.0.0.1:{gateway.port}/v1/events"
        answer = await harness.client.post(address, content=encoded(event(1)), headers=STRUCTURED)
        assert (answer.status_code, answer.json()["type"].rpartition("/")[2]) == (503, "kafka-away")
        assert answer.headers["retry-after"] == "1"
        assert not gateway.readiness().ready
    assert await harness.stored() == []


async def test_a_receipt_leads_to_its_verdict_and_proof_and_to_no_others(harness: GatewayHarness) -> None:
    await harness.connection.execute("DELETE FROM platform.agency")
    async with running(registrar(harness.settings)):
        await found(harness.settings, "health", "labour")
        await until_size(harness.connection, 4)
        await asyncio.sleep(0.1)
        events = (event(1), event(2), event(1), event(1, time=OTHER_TIME))
        addresses = [(await accepted(harness, encoded(one)))["receipt"]["events"][0]["address"] for one in events]
        paths = [f"{one['id']}?address={address}" for one, address in zip(events, addresses, strict=True)]
        states = [await settled(harness, f"/v1/events/{path}") for path in paths]
        assert [state["state"] for state in states] == ["registered", "registered", "duplicate", "refused"]
        assert states[0]["index"] == states[2]["index"]
        assert [row["code"] for row in states[3]["errors"]] == ["conflict"]
        assert f"log entry {states[0]['index']}, a different event" in states[3]["errors"][0]["detail"]
        assert [(state.get("applied"), "anomalies" in state) for state in states] == [(False, False)] * 3 + [
            (None, False)
        ]
        require_proof(await settled(harness, states[3]["proof"]))
        labour, auditor = await harness.another("agency", "labour"), await harness.another("auditor", "court-of-audit")
        for headers, status in ((labour, 404), (auditor, 200)):
            assert (await harness.client.get(states[0]["proof"], headers=headers)).status_code == status

        nothing_kept = encoded(event(1, correlationid="1000000008")), None
        await send(harness.settings, "agency.health.events", *nothing_kept)
        await until_size(harness.connection, 9)
    page = (await harness.get("/v1/receipts?since=0&wait_s=5")).json()
    assert page["next"] == 6
    rows = page["receipts"]
    assert [(row["state"], row["id"]) for row in rows[:4]] == [
        ("registered", "e-1"),
        ("registered", "e-2"),
        ("duplicate", "e-1"),
        ("refused", "e-1"),
    ]
    assert [row["errors"][0]["code"] for row in rows[4:]] == ["personal-data", "tombstone"]
    for row in rows[4:]:
        assert (row["state"], "sha256" in row) == ("refused", False)
        answer = await harness.get(f"/v1/events/any?address={row['address']}")
        assert (answer.status_code, answer.json()["index"]) == (200, row["index"])
    await apply_everywhere(harness.connection, await read_checked(harness.connection, 0, 9))
    took_effect, repeated = [(await harness.get(f"/v1/events/{path}")).json() for path in paths[:2]]
    assert (took_effect["applied"], took_effect["anomalies"]) == (True, [])
    assert [row["rule"] for row in repeated["anomalies"]] == ["already-announced"]
    assert repeated["anomalies"][0]["detail_ar"]

    await accepted(harness, encoded(event(7)))
    passed = "UPDATE log.read_position SET next_offset = next_offset + 1 WHERE topic = 'agency.health.events'"
    await harness.connection.execute(passed)
    (row,) = (await harness.get("/v1/receipts?since=6")).json()["receipts"]
    assert (row["state"], "index" in row) == ("lost", False), "it was never read"
    for path in ("/v1/events/e-7", f"/v1/events/e-7?address={row['address']}"):
        assert (await harness.get(path)).json() == {"id": "e-7", **row}
    await require_no_answer_of_an_earlier_topic(harness, states[1]["index"])


def require_proof(proof: dict[str, Any]) -> None:
    leaf = leaf_hash(proof["entry"].encode())
    assert leaf == base64.b64decode(proof["leaf"])
    root = base64.b64decode(proof["checkpoint"].split("\n")[2])
    path = [base64.b64decode(step) for step in proof["path"]]
    assert verify_inclusion(leaf, proof["index"], proof["size"], root, path)


async def require_no_answer_of_an_earlier_topic(harness: GatewayHarness, index_of_e2: int) -> None:
    """An address in a topic that was made anew never answers with another event's index."""
    await remake_topic(harness.settings, "health")
    rows: list[dict[str, Any]] = []

    async def stored() -> bool:
        answer = await harness.send(batch(event(3), event(2, time=OTHER_TIME)), BATCH)
        rows.extend(answer.json()["receipt"]["events"] if answer.status_code == 202 else [])
        return bool(rows)

    await until(stored, "events are stored in the new topic")
    assert [row["address"] for row in rows][:2] == [f"{ADDRESS}0", f"{ADDRESS}1"]
    for path in ("/v1/events/e-3", f"/v1/events/e-3?address={ADDRESS}0"):
        assert (await harness.get(path)).status_code == 404, "what the registrar read there was e-1"
    known = (await harness.get(f"/v1/events/e-2?address={ADDRESS}1")).json()
    assert (known["state"], known["index"]) == ("registered", index_of_e2)
    assert known["sha256"] != rows[1]["sha256"], "the record that was judged is another one"
    page = (await harness.get("/v1/receipts?since=0")).json()["receipts"]
    assert [row["sha256"] for row in page[:2]] == [sha256(encoded(event(n))).hexdigest() for n in (1, 2)]


async def test_completeness_names_the_holes_of_each_month(harness: GatewayHarness) -> None:
    async def month(name: str) -> tuple[Any, ...]:
        answer = (await harness.get(f"/v1/completeness?month={name}")).json()
        return tuple(answer[member] for member in ("month", "first", "last", "seen", "missing", "repeated"))

    assert (await harness.get("/v1/completeness")).json()["status"] == "no-numbers-sent"
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
    execute = harness.connection.execute
    await execute("UPDATE log.sequence_state SET seen = seen + '{[4,5)}'::nummultirange, overflowed_index = 40")
    assert await month("2026-09") == ("2026-09", 1, 4, [[1, 4]], [], [[2, 2]])
    assert (await harness.get("/v1/completeness?month=2026-09")).json()["status"] == "not-known"
    for wrong in ("2026-13", "2026", "2026-1", "1447-05-01", ""):
        assert (await harness.get(f"/v1/completeness?month={wrong}")).json()["type"].endswith("/problems/bad-parameter")


async def settled(harness: GatewayHarness, path: str) -> dict[str, Any]:
    """The answer once it is neither pending nor missing."""
    document: dict[str, Any] = {}

    async def is_settled() -> bool:
        nonlocal document
        answer = await harness.get(path)
        document = answer.json()
        return answer.status_code == 200 and document.get("state") != "pending"

    await until(is_settled, f"{path} is settled")
    return document


async def test_a_repeat_is_known_and_its_receipt_has_the_hash_of_what_was_sent_until_the_text_is_withheld(
    harness: GatewayHarness,
) -> None:
    async def judged(*events: bytes) -> tuple[list[Any], list[Any]]:
        document = await validated(harness, batch(*map(orjson.loads, events)))
        return document["duplicates"], [row["code"] for row in document["errors"]]

    await harness.connection.execute("DELETE FROM platform.agency")
    async with running(registrar(harness.settings)):
        await found(harness.settings, "health")
        await until_size(harness.connection, 3)
        await accepted(harness, WITH_TEXT)
        receipt = await settled(harness, "/v1/events/e-1")
        assert (receipt["state"], receipt["index"]) == ("registered", 3)
        assert receipt["sha256"] == sha256(WITH_TEXT).hexdigest()
        duplicate = {"event": 0, "id": "e-1", "index": 3, "proof": "/v1/proofs/3"}
        assert await judged(WRITTEN_ANEW) == ([duplicate], [])
        assert await judged(ANOTHER) == ([], ["conflict"])
        (row,) = (await accepted(harness, WRITTEN_ANEW))["duplicates"]
        assert (row["index"], row["proof"]) == (3, "/v1/proofs/3")
        assert "duplicates" not in await accepted(harness, ANOTHER)
        await until_size(harness.connection, 5)
        rows = (await harness.get("/v1/receipts?since=0")).json()["receipts"]
        assert [row["state"] for row in rows] == ["registered", "duplicate", "refused"]
        assert rows[0]["sha256"] == sha256(WITH_TEXT).hexdigest()

        await send(harness.settings, PLATFORM_TOPIC, withheld(3, "reason"))
        await until_size(harness.connection, 6)
        receipt = (await harness.get("/v1/events/e-1?address=agency.health.events/0/0")).json()
        assert (receipt["state"], "sha256" in receipt) == ("registered", False), "a short text could be guessed"
        for event in (WRITTEN_ANEW, ANOTHER):
            assert await judged(event) == ([duplicate], []), "a text that is gone is not compared"
        assert await judged(WITH_TEXT.replace(b'2005-05-05"', b'2005-05-06"', 1)) == ([], ["conflict"])
