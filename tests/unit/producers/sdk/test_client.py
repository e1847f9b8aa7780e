"""The client against a gateway that is a script: what is checked, what is refused, and how it ends."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import orjson
import pytest

from infra.addresses import NotAnAddress
from infra.log.key_history import KeyHistory, sign_transition
from infra.log.merkle import leaf_hash, node_hash
from infra.log.signed_note import LogKey
from infra.private_keys.key_files import KeyRing
from infra.tls.plaintext import PlaintextRefused
from producers.errors import TopicHalted
from producers.gateway.receiving import ReceiptSigner
from producers.gateway.recent import Stored
from producers.sdk.answers import EventError, NotAGateway, Problem
from producers.sdk.client import AgencyClient
from producers.sdk.connection import ClientLimits
from producers.sdk.problems import (
    ClientClosed,
    EmptyEvent,
    GatewayProblem,
    NotGenuine,
    RecordReplaced,
    RefusedByRegistrar,
)
from tests.every import every
from tests.world.documents import as_json
from tests.world.events import changed
from tests.world.gateways import answering

KEY = LogKey("gateway.example", bytes(range(32)))
OTHER = LogKey("gateway.example", bytes(32))
LIMITS = ClientLimits(time_limit_s=1.0, requests_in_flight_max=2, batch_events_max=2, pause_min_s=0.001)
EVENTS = [b'{"id":"%d"}' % number for number in range(5)]


def receipt(bodies: list[bytes], first: int = 0, without: tuple[int, ...] = ()) -> dict[str, Any]:
    places = [place for place in range(len(bodies)) if place not in without]
    values = [bodies[place] for place in places]
    ids = [orjson.loads(value)["id"] for value in values]
    stored = Stored(places, ids, [first + place for place in places], values)
    signer = ReceiptSigner(KeyRing.of(KEY))
    document: dict[str, Any] = as_json(signer.receipt("health", "2026-11-25T01:02:03.000004Z", stored))
    return document


@dataclass
class Gateway:
    """Answers as the real one; the tests bend single answers."""

    answers: dict[str, Any] = field(default_factory=dict)
    seen: list[httpx.Request] = field(default_factory=list)
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    busy: asyncio.Event = field(default_factory=asyncio.Event)
    faulty_with: bytes | None = None
    """A request that has these bytes is refused for its second event."""
    stored: int = 0
    at_once: int = 0
    at_once_most: int = 0

    async def answer(self, request: httpx.Request) -> httpx.Response:
        self.seen.append(request)
        path = request.url.path
        if path in self.answers:
            found = self.answers[path]
            return found if isinstance(found, httpx.Response) else httpx.Response(200, json=found)
        if self.faulty_with is not None and self.faulty_with in request.content:
            return faulty(1)
        if path == "/v1/key":
            return httpx.Response(200, text=KEY.verifier.vkey + "\n")
        if path == "/v1/keys":
            return httpx.Response(200, text=KeyHistory((KEY.verifier,)).document())
        return await self._store(request)

    async def _store(self, request: httpx.Request) -> httpx.Response:
        self.at_once += 1
        self.at_once_most = max(self.at_once, self.at_once_most)
        if self.at_once == LIMITS.requests_in_flight_max:
            self.busy.set()
        await self.gate.wait()
        self.at_once -= 1
        bodies = [request.content]
        if not request.headers["content-type"].endswith("events+json"):
            bodies = [orjson.dumps(event) for event in orjson.loads(request.content)]
        document = receipt(bodies, self.stored)
        self.stored += len(bodies)
        return httpx.Response(202, json=document)


@pytest.fixture
def gateway(monkeypatch: pytest.MonkeyPatch) -> Gateway:
    made = Gateway()
    made.gate.set()
    answering(monkeypatch, made.answer)
    return made


def client(**options: Any) -> AgencyClient:
    return AgencyClient("https://gateway", "yat_x", limits=LIMITS, **options)


def faulty(place: int) -> httpx.Response:
    row = {"code": "not-json", "pointer": f"/{place}/time", "detail": "d", "event": place, "id": "x"}
    return httpx.Response(
        422, json={"type": "/problems/not-json", "title": "t", "status": 422, "detail": "d", "errors": [row]}
    )


async def test_a_receipt_says_where_the_event_stands_and_keeps_the_signed_answer(gateway: Gateway) -> None:
    async with client(language="ar", gateway_key=KEY.verifier.vkey) as sender:
        got = await sender.send(b" " + EVENTS[3] + b"\n")
    assert (got.id, got.address, got.offset, got.agency) == ("3", "agency.health.events/0/0", 0, "health")
    assert got.signed["key"] == ReceiptSigner(KeyRing.of(KEY)).key_name
    (request,) = gateway.seen
    assert request.content == EVENTS[3]
    assert request.headers["authorization"] == "Bearer yat_x"
    assert request.headers["accept-language"] == "ar"


def rotated(first: LogKey, second: LogKey, days: int = 0) -> httpx.Response:
    """What the gateway shows under /v1/keys after a rotation whose overlap ends in so many days."""
    step = sign_transition(first, second, datetime.now(UTC) + timedelta(days=days), None)
    return httpx.Response(200, text=KeyHistory.of(first.verifier, [step]).document())


async def test_a_client_that_knows_the_key_before_follows_the_signed_history_of_that_key(gateway: Gateway) -> None:
    gateway.answers["/v1/keys"] = rotated(OTHER, KEY)
    async with client(gateway_key=OTHER.verifier.vkey) as sender:
        for event in EVENTS:
            assert (await sender.send(event)).id
    assert [request.url.path for request in gateway.seen].count("/v1/keys") == 1
    async with client(gateway_key=LogKey("gateway.example", b"s" * 32).verifier.vkey) as sender:
        with pytest.raises(NotGenuine, match="do not continue"):
            await sender.send(EVENTS[0])


async def test_a_receipt_of_a_key_that_was_replaced_is_refused_after_the_overlap(gateway: Gateway) -> None:
    gateway.answers["/v1/keys"] = rotated(KEY, OTHER, days=1)
    async with client(gateway_key=OTHER.verifier.vkey) as sender:
        await sender.send(EVENTS[0])
    gateway.answers["/v1/keys"] = rotated(KEY, OTHER, days=-1)
    async with client(gateway_key=OTHER.verifier.vkey) as sender:
        with pytest.raises(NotGenuine):
            await sender.send(EVENTS[0])


@every(
    "shown",
    [
        receipt([b'{"id":"other"}']),
        receipt([]),
        receipt([EVENTS[0], EVENTS[0]]),
        changed(receipt([EVENTS[0]]), "/receipt/events/0/address", "agency.health.events/0/9"),
        receipt([EVENTS[0]]) | {"signature": "!"},
    ],
)
async def test_a_receipt_that_does_not_hold_is_not_taken(gateway: Gateway, shown: dict[str, Any]) -> None:
    gateway.answers["/v1/events"] = httpx.Response(202, json=shown)
    async with client() as sender:
        with pytest.raises(NotGenuine):
            await sender.send(EVENTS[0])
        gateway.answers["/v1/events"] = httpx.Response(202, text="<html>")
        with pytest.raises(NotAGateway, match="https://gateway/v1/events"):
            await sender.send(EVENTS[0])


async def test_faults_name_their_place_in_the_whole_list_and_what_was_stored_before(gateway: Gateway) -> None:
    async with client() as sender:
        gateway.faulty_with = b'"2"'
        with pytest.raises(GatewayProblem, match="not-json at /3/time: d") as found:
            await sender.send_many(EVENTS)
        assert [row.offset for row in found.value.receipts] == [0, 1]
        sent = await sender.send_many(EVENTS, partial=True)
        assert [(error.event, error.code) for error in sent.refused] == [(3, "not-json"), (2, "unlisted")]
        assert [row.id for row in sent.receipts] == ["0", "1", "4"]
        document = receipt(EVENTS[:2], without=(1,)) | {"refused": [{"code": "not-json", "pointer": "/1", "event": 1}]}
        gateway.answers["/v1/events"] = httpx.Response(202, json=document)
        sent = await sender.send_many(EVENTS[:2], partial=True)
        assert ([row.id for row in sent.receipts], [error.event for error in sent.refused]) == (["0"], [1])


async def test_validating_gives_the_faults_of_all_slices_and_unlisted_events(gateway: Gateway) -> None:
    row = {"code": "not-json", "pointer": "/1", "event": 1}
    gateway.answers["/v1/events:validate"] = {"valid": False, "accepted": [], "errors": [row]}
    async with client() as sender:
        faults = await sender.validate(EVENTS[:4])
    assert [(fault.event, fault.pointer) for fault in faults] == [(1, "/1"), (3, "/3")]
    gateway.answers["/v1/events:validate"] = {
        "valid": False,
        "accepted": [{"event": 0, "id": "0", "type": "t"}],
        "duplicates": [{"event": 1, "id": "1", "index": 7}],
        "errors": [{"code": "not-json", "pointer": "/2", "event": 2}],
        "unlisted": 2,
    }
    limits = replace(LIMITS, batch_events_max=4)
    async with AgencyClient("https://gateway", "yat_x", limits=limits) as sender:
        faults = await sender.validate(EVENTS[:4] * 2)
    found = [(fault.event, fault.code) for fault in faults]
    assert found == [(2, "not-json"), (3, "unlisted"), (6, "not-json"), (7, "unlisted")]


async def test_many_events_go_in_order_in_slices_and_one_without_content_is_told_before_any(gateway: Gateway) -> None:
    async with client() as sender:
        for call in (sender.send_many, sender.validate):
            with pytest.raises(EmptyEvent, match="position 5"):
                await call([*EVENTS, b""])
        assert gateway.seen == []
        sent = await sender.send_many(EVENTS)
    assert [row.offset for row in sent.receipts] == [0, 1, 2, 3, 4]
    slices = [orjson.loads(request.content) for request in gateway.seen[1:]]
    assert slices == [[{"id": "0"}, {"id": "1"}], [{"id": "2"}, {"id": "3"}], [{"id": "4"}]]


async def test_waiting_ends_with_the_verdict_a_halt_or_a_loss(gateway: Gateway) -> None:
    page = {"receipts": [{"state": "registered", "id": "0", "index": 7}], "next": 1, "read_up_to": 1}
    gateway.answers["/v1/receipts"] = page
    async with client() as sender:
        got = await sender.send(EVENTS[0])
        assert (await sender.wait_registered(got)).index == 7
        page["receipts"] = [{"state": "refused", "id": "0", "index": 8, "errors": [{"code": "conflict"}]}]
        with pytest.raises(RefusedByRegistrar, match="conflict at the whole") as found:
            await sender.wait_registered(got)
        assert found.value.verdict.index == 8
        page |= {"receipts": [], "halted": "its tail was lost"}
        with pytest.raises(TopicHalted, match="its tail was lost"):
            await sender.wait_registered(got)
        page["receipts"] = [{"state": "lost"}]
        with pytest.raises(RecordReplaced, match=f"{got.address}: .* Send it again"):
            await sender.wait_registered(got)


@every("told", [{"id": "x"}, {"id": "0", "sha256": "00"}, {"sha256": "00"}])
async def test_the_verdict_on_another_record_is_not_taken(gateway: Gateway, told: dict[str, str]) -> None:
    row = {"state": "registered", "index": 7}
    page = {"receipts": [row | told], "next": 1, "read_up_to": 1}
    gateway.answers["/v1/receipts"] = page
    async with client() as sender:
        got = await sender.send(EVENTS[0])
        with pytest.raises(RecordReplaced, match=got.address):
            await sender.wait_registered(got)
        page["receipts"] = [row | {"id": got.id, "sha256": got.sha256}]
        assert (await sender.wait_registered(got)).index == 7


def test_a_problem_says_how_many_faults_it_does_not_show() -> None:
    errors = tuple(EventError(code="not-json", detail="d") for _ in range(7))
    assert "and 2 more" in str(GatewayProblem(Problem(errors=errors)))
    assert "and 82 more" in str(GatewayProblem(Problem(errors=errors, unlisted=80)))
    assert "more" not in str(GatewayProblem(Problem(errors=errors[:5])))


async def test_the_proof_of_another_entry_is_not_taken(gateway: Gateway) -> None:
    leaves = [leaf_hash(entry) for entry in (b"first", b"second")]
    checkpoint = OTHER.sign_checkpoint(2, node_hash(*leaves))
    path = [b64encode(leaves[1]).decode()]
    answer = {"index": 0, "entry": "first", "leaf": b64encode(leaves[0]).decode(), "size": 2, "path": path}
    gateway.answers |= {f"/v1/proofs/{index}": answer | {"checkpoint": checkpoint} for index in (0, 1)}
    async with client() as reader:
        for key in (None, OTHER.verifier.vkey):
            assert (await reader.proof(0, key)).entry == "first"
            with pytest.raises(NotGenuine, match="Entry 0 was given for entry 1"):
                await reader.proof(1, key)


async def test_receipts_go_on_from_page_to_page(gateway: Gateway) -> None:
    page: dict[str, Any] = {"receipts": [{"state": "registered", "id": "0"}], "next": 1}
    gateway.answers["/v1/receipts"], seen = page, []
    async with client() as sender:
        async for verdict in sender.receipts(since=0):
            seen.append(verdict.id)
            page |= {"receipts": [{"state": "refused", "id": str(len(seen))}], "next": len(seen) + 1}
            if len(seen) == 3:
                break
    assert seen == ["0", "1", "2"]
    assert [request.url.params["since"] for request in gateway.seen] == ["0", "1", "2"]


async def test_a_list_is_read_to_its_last_page(gateway: Gateway) -> None:
    last = httpx.Response(200, json=[3], headers={"log-index": "9"})
    following = {"log-index": "8", "link": '</v1/second?owner=health&after=x>; rel="next"'}
    gateway.answers = {"/v1/first": httpx.Response(200, json=[1, 2], headers=following), "/v1/second": last}
    async with client() as reader:
        pages = await reader.read_pages("/v1/first", {"owner": "health"})
        assert [row for page in pages for row in page] == [1, 2, 3]
        assert [request.url.query for request in gateway.seen] == [b"owner=health", b"owner=health&after=x"]
        last.headers.pop("log-index")
        with pytest.raises(NotAGateway, match="/v1/second"):
            await reader.read_pages("/v1/first", {})


async def test_no_more_requests_are_under_way_than_the_limit_and_closing_waits_for_them(gateway: Gateway) -> None:
    gateway.gate.clear()
    async with client() as sender:
        sending = [asyncio.create_task(sender.send(event)) for event in EVENTS]
        await gateway.busy.wait()
        asyncio.get_running_loop().call_soon(gateway.gate.set)
    assert [task.result().id for task in sending] == ["0", "1", "2", "3", "4"]
    assert gateway.at_once_most == 2
    for late in (sender.send(EVENTS[0]), sender.status("0")):
        with pytest.raises(ClientClosed):
            await late


def test_no_token_is_sent_in_plain_text_to_another_machine() -> None:
    for address in ("http://gateway.example", "http://10.0.0.1:8000", "http://127.0.0.1.example"):
        with pytest.raises(PlaintextRefused, match="https://"):
            AgencyClient(address, "yat_x")
        AgencyClient(address, "yat_x", dangerously_allow_plaintext=True)
    AgencyClient("http://127.0.0.1:8000", "yat_x")
    with pytest.raises(NotAnAddress, match="is not an address"):
        AgencyClient("https://[::1/", "yat_x")
