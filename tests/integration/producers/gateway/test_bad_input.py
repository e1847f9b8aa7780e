"""What the gateway says to bad input over real HTTP: the exact status and problem, and nothing of it is stored."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from events.faults.problems import CODES
from events.validation.validate import validate
from events.validation.verdicts import Agency, Refused
from events.wire.codec import to_binary_mode
from infra.keys.access_changes import AccessChanges
from producers.agencies.tokens import revoke_token
from tests.world.events import HEALTH, OFFICE, changed, encoded, golden_event, initiative, sender_of
from tests.world.refused_events import DATA, ENVELOPE, OTHER_TYPES, PERSONAL, UNREADABLE
from tests.world.senders import (
    BATCH,
    REGISTER,
    STRUCTURED,
    GatewayHarness,
    batch,
    bearer,
    event,
)

GZIP = {**STRUCTURED, "content-encoding": "gzip"}
GOOD = encoded(event(1))
BINARY_VALUE, KAFKA_HEADERS = to_binary_mode(event(1))
NATIONAL_ID = "1064971268"
Pairs = list[tuple[str, str]]
"""Headers; a name may come twice."""


def binary(*more: tuple[str, str], without: str = "") -> Pairs:
    """The headers of a good event in binary mode, one of them left out, and others."""
    headers = [(name.replace("ce_", "ce-"), quote(value.decode(), safe="/:+;=")) for name, value in KAFKA_HEADERS]
    return [pair for pair in headers if pair[0] != without] + list(more)


def typed(content_type: str, *more: tuple[str, str]) -> Pairs:
    return [("content-type", content_type), *more]


@dataclass(frozen=True)
class Case:
    """A request, and the status and problem that answer it. `faults` are those of validation, where it ran."""

    name: str
    body: bytes
    headers: Pairs
    status: int
    problem: str
    faults: tuple[tuple[str, str], ...] = ()


def refused(name: str, body: bytes, headers: Pairs, code: str, pointer: str = "", status: int = 422) -> Case:
    return Case(name, body, headers, status, code, ((code, pointer),))


ATTRIBUTES = binary()[1:]
# More content types and packings: `tests/unit/producers/gateway/http`, `tests/unit/infra/http/test_body.py`.
CASES = [
    *(
        Case(f"the content type {given!r}", GOOD, typed(given), 415, "unsupported-media-type")
        for given in (
            "",
            "text/plain",
            "application/cloudevents-batchx",
            "application/cloudevents-batchx+json",
            "application/cloudevents-batch+jsonx",
            "application/cloudevents+jsonx",
            "application/cloudeventsx+json",
            "application/cloudevents+json; charset=utf-16",
        )
    ),
    Case("no content type", GOOD, [], 415, "unsupported-media-type"),
    Case(
        "a batch type that is none, and attributes in headers",
        b"[]",
        typed("application/cloudevents-batchx", *ATTRIBUTES),
        415,
        "unsupported-media-type",
    ),
    Case("another packing", GOOD, [*STRUCTURED.items(), ("content-encoding", "br")], 415, "unsupported-media-type"),
    refused("a batch sent as an event", batch(event(1)), [*STRUCTURED.items()], "not-json"),
    Case("an event sent as a batch", GOOD, [*BATCH.items()], 400, "malformed-request"),
    Case("1,001 good events", batch(*map(event, range(1_001))), [*BATCH.items()], 413, "too-many-events"),
    Case("10,000 things", b"[" + b"{}," * 9_999 + b"{}]", [*BATCH.items()], 413, "too-many-events"),
    Case("a body of 5 MB", b" " * 5_000_000, [*STRUCTURED.items()], 413, "request-too-large"),
    refused("61,441 bytes", GOOD + b" " * (61_441 - len(GOOD)), [*STRUCTURED.items()], "too-large", status=413),
    refused(
        "61,441 bytes in a batch",
        b"[{" + b" " * (61_441 - len(GOOD)) + GOOD[1:] + b"]",
        [*BATCH.items()],
        "too-large",
        "/0",
    ),
    refused("100,000 levels", b"[" * 100_000, [*STRUCTURED.items()], "too-large", status=413),
    refused("12,000 levels", b'{"a":' * 12_000, [*STRUCTURED.items()], "too-deep"),
    Case("a bomb", gzip.compress(b"0" * 50_000_000), [*GZIP.items()], 413, "request-too-large"),
    Case(
        "a bomb of a batch",
        gzip.compress(b"[" * 50_000_000),
        [*BATCH.items(), ("content-encoding", "gzip")],
        413,
        "request-too-large",
    ),
    Case("no gzip", GOOD, [*GZIP.items()], 400, "malformed-request"),
    refused("an overlong escape", BINARY_VALUE, binary(("ce-correlationid", "%C0%A0")), "bad-header", "/correlationid"),
    refused("half an escape", BINARY_VALUE, binary(("ce-correlationid", "100%")), "bad-header", "/correlationid"),
    refused("no escape", BINARY_VALUE, binary(("ce-correlationid", "%ZZ")), "bad-header", "/correlationid"),
    refused("raw Latin-1", BINARY_VALUE, binary(("ce-correlationid", "caf\xe9")), "bad-header", "/correlationid"),
    refused("an attribute twice", BINARY_VALUE, binary(("ce-id", "e-1")), "duplicate-name"),
    refused("data in a header", BINARY_VALUE, binary(("ce-data", "{}")), "bad-header", "/data"),
    refused("a header of base64", BINARY_VALUE, binary(("ce-data_base64", "e30=")), "unknown-field", "/data_base64"),
    refused("an unknown attribute", BINARY_VALUE, binary(("ce-remark", "x")), "unknown-field", "/remark"),
    refused("an encoded NUL", BINARY_VALUE, binary(("ce-correlationid", "a%00b")), "invalid-value", "/correlationid"),
    refused("no id", BINARY_VALUE, binary(without="ce-id"), "missing-field", "/id"),
    refused("data that is text", BINARY_VALUE, typed("text/plain", *ATTRIBUTES), "invalid-value", "/datacontenttype"),
    refused("no data", b"", binary(), "not-json"),
    refused("data null", b"null", binary(), "missing-field", "/data"),
    refused("data that closes the object", b'1},"x":{"a":1', binary(), "not-json"),
    refused(
        "a national id in a header",
        BINARY_VALUE,
        binary(("ce-correlationid", NATIONAL_ID)),
        "personal-data",
        "/correlationid",
    ),
    refused(
        "another agency's source",
        encoded(event(1, source="urn:yesser:agency:labour")),
        [*STRUCTURED.items()],
        "foreign-source",
        "/source",
    ),
    refused(
        "what the office says",
        encoded(changed(golden_event("plan.adopted"), "/source", HEALTH.source)),
        [*STRUCTURED.items()],
        "not-authorised",
        "/type",
    ),
]


async def test_bad_input_is_a_problem_and_stores_nothing(harness: GatewayHarness) -> None:
    found = {case.name: await said(harness, case.body, case.headers) for case in CASES}
    assert found == {case.name: (case.status, f"/problems/{case.problem}", [*case.faults]) for case in CASES}
    assert await harness.stored() == []


async def said(harness: GatewayHarness, body: bytes, headers: Pairs) -> tuple[int, str, Pairs]:
    """Status, problem, and the faults that are listed."""
    raw = [(name.encode(), value.encode("latin-1")) for name, value in headers]
    answer = await harness.client.post("/v1/events", content=body, headers=raw)
    document = answer.json()
    assert (answer.headers["content-type"], document["status"]) == ("application/problem+json", answer.status_code)
    return answer.status_code, document["type"], faults_in(document)


def faults_in(document: dict[str, Any]) -> Pairs:
    return sorted((row["code"], row["pointer"]) for row in document.get("errors", []))


def refused_events() -> list[tuple[str, Agency, dict[str, Any], Pairs]]:
    """Everything readable that the tables of validation refuse: its name, its sender, the event, its faults."""
    rows = [
        (name, HEALTH, changed(initiative(), pointer, value), faults)
        for name, pointer, value, faults in [*ENVELOPE, *DATA, *PERSONAL]
    ]
    for type_, name, pointer, value, faults in OTHER_TYPES:
        golden = golden_event(type_)
        rows.append((f"{type_}: {name}", sender_of(golden), changed(golden, pointer, value), faults))
    return [(name, agency, claimed, sorted(faults)) for name, agency, claimed, faults in rows if faults]


def written(claimed: dict[str, Any]) -> bytes:
    """As JSON; a lone surrogate by its escape, since its bytes would be no UTF-8."""
    return encoded(claimed).replace(b"\xed\xa0\x80", b"\\ud800")


STRUCTURED_ROWS = [(name, agency, written(claimed), faults) for name, agency, claimed, faults in refused_events()]
UNREADABLE_BY_HTTP = [(name, HEALTH, raw, sorted(faults)) for name, raw, faults in UNREADABLE if raw is not None]


@pytest.fixture
async def tokens(harness: GatewayHarness) -> dict[Agency, dict[str, str]]:
    """The headers of every agency that sends in the tables."""
    headers = {HEALTH: bearer(harness.token.token)}
    for agency in {agency for _, agency, _, _ in refused_events()} - {HEALTH}:
        if agency != OFFICE:
            await harness.connection.execute(REGISTER, agency.code, agency.role)
        headers[agency] = await harness.another("office" if agency == OFFICE else "agency", agency.code)
    return headers


async def test_what_the_contract_refuses_is_refused_in_structured_mode_with_its_codes_and_pointers(
    harness: GatewayHarness, tokens: dict[Agency, dict[str, str]]
) -> None:
    meant, found = {}, {}
    for name, agency, raw, faults in [*STRUCTURED_ROWS, *UNREADABLE_BY_HTTP]:
        meant[name] = (413 if faults == [("too-large", "")] else 422, faults)
        answer = await harness.send(raw, {**STRUCTURED, **tokens[agency]})
        found[name] = (answer.status_code, faults_in(answer.json()))
    assert found == meant
    # By HTTP no value is null, a header has no name of its own to be bad in this mode, and ids are the registrar's.
    shown = {code for _, faults in meant.values() for code, _ in faults}
    assert set(CODES) - shown == {"tombstone", "bad-header", "not-authorised", "conflict"}
    assert await harness.stored() == []


async def test_a_batch_lists_the_faults_of_all_its_events_each_under_its_place(
    harness: GatewayHarness, tokens: dict[Agency, dict[str, str]]
) -> None:
    for sender, headers in tokens.items():
        rows = [(raw, faults) for _, agency, raw, faults in STRUCTURED_ROWS if agency == sender]
        answer = await harness.send(b"[" + b", ".join(raw for raw, _ in rows) + b"]", {**BATCH, **headers})
        meant = [(code, f"/{place}{pointer}") for place, (_, faults) in enumerate(rows) for code, pointer in faults]
        assert (answer.status_code, faults_in(answer.json())) == (422, sorted(meant))
    assert await harness.stored() == []


async def test_in_a_batch_an_event_that_cannot_be_read_is_refused_alone_or_spoils_the_array(
    harness: GatewayHarness,
) -> None:
    spoilt = set()
    for name, _, raw, faults in UNREADABLE_BY_HTTP:
        if raw != raw.strip():
            continue  # white space between events is no part of them
        answer = await harness.send(b"[" + GOOD + b"," + raw + b"," + GOOD + b"]", BATCH)
        if answer.status_code == 400:
            spoilt.add(name)
        else:
            meant = [(code, f"/1{pointer}") for code, pointer in faults]
            assert (answer.status_code, faults_in(answer.json())) == (422, meant), name
    assert spoilt == {
        "nothing",
        "half an object",
        "not JSON, and a national id",
        "not JSON, and a national id as a number",
    }
    assert await harness.stored() == []


async def test_in_binary_mode_the_verdict_is_that_of_the_same_record_on_kafka(
    harness: GatewayHarness, tokens: dict[Agency, dict[str, str]]
) -> None:
    meant, found = {}, {}
    for name, agency, claimed, _ in refused_events():
        attributes = {attribute: value for attribute, value in claimed.items() if attribute != "data"}
        if not all(isinstance(value, str) for value in attributes.values()):
            continue  # a header is text
        value = encoded(claimed["data"]) if "data" in claimed else b""
        content_type = attributes.pop("datacontenttype", "application/json")
        on_kafka = [("content-type", content_type.encode())]
        on_kafka += [(f"ce_{attribute}", text.encode()) for attribute, text in attributes.items()]
        by_http = [(f"ce-{attribute}", quote(text, safe="")) for attribute, text in attributes.items()]
        verdict = validate(value, on_kafka, agency)
        assert isinstance(verdict, Refused)
        meant[name] = sorted((fault.code, fault.pointer) for fault in verdict.faults)
        headers = {"content-type": content_type, **dict(by_http), **tokens[agency]}
        found[name] = faults_in((await harness.send(value, headers)).json())
    assert found == meant
    assert len(found) > 100
    assert await harness.stored() == []


async def test_a_body_above_the_limit_without_a_length_is_refused(harness: GatewayHarness) -> None:
    async def much() -> AsyncIterator[bytes]:
        for _ in range(80):
            yield b" " * 65_536

    answer = await harness.client.post("/v1/events", content=much(), headers=STRUCTURED)
    assert (answer.status_code, answer.json()["type"]) == (413, "/problems/request-too-large")


async def test_without_a_good_token_nothing_is_read(harness: GatewayHarness) -> None:
    wrong = harness.token.token[:-1] + ("0" if harness.token.token[-1] != "0" else "1")
    good = ("authorization", f"Bearer {harness.token.token}")
    for headers in ([], [("authorization", "")], [*bearer(wrong).items()], [*bearer("x").items()], [good, good]):
        raw = [*STRUCTURED.items(), *headers]
        async with httpx.AsyncClient(base_url=harness.client.base_url, trust_env=False) as stranger:
            answer = await stranger.post("/v1/events", content=GOOD, headers=raw)
        assert (answer.status_code, answer.json()["type"]) == (401, "/problems/unauthenticated")
        assert answer.headers["www-authenticate"] == 'Bearer realm="yesser"'
    basic = await harness.send(GOOD, {**STRUCTURED, "authorization": "Basic eDp5"})
    assert basic.status_code == 401
    assert await harness.stored() == []


async def test_a_revoked_an_expired_and_a_suspended_token_are_refused(harness: GatewayHarness) -> None:
    async def problem_after(change: str) -> tuple[int, str]:
        await harness.connection.execute(change)
        await asyncio.sleep(0.1)  # longer than a token that was looked up stays good
        answer = await harness.send(GOOD)
        return answer.status_code, answer.json()["type"]

    assert (await harness.send(GOOD)).status_code == 202
    suspend = "INSERT INTO platform.suspension (agency, reason) VALUES ('health', '{}')"
    assert await problem_after(suspend) == (403, "/problems/suspended")
    await harness.connection.execute("DELETE FROM platform.suspension")
    assert await problem_after("UPDATE platform.token SET expires_at = now()") == (401, "/problems/unauthenticated")
    await revoke_token(harness.connection, harness.token.key_id, AccessChanges.of(harness.settings))
    later = "UPDATE platform.token SET expires_at = now() + interval '1 day'"
    assert await problem_after(later) == (401, "/problems/unauthenticated")
    assert len(await harness.stored()) == 1


async def test_an_agencys_token_sends_nothing_of_another_agency(harness: GatewayHarness) -> None:
    labour = await harness.another("agency", "labour")
    value, headers = BINARY_VALUE, dict(binary())
    for body, given in ((GOOD, STRUCTURED), (batch(event(1)), BATCH), (value, headers)):
        answer = await harness.send(body, {**given, **labour})
        assert (answer.status_code, answer.json()["type"]) == (422, "/problems/foreign-source")
    assert await harness.stored() == await harness.stored("labour") == []


async def test_a_method_that_a_path_does_not_have_is_answered_with_all_that_it_has(harness: GatewayHarness) -> None:
    for path, allowed in (
        ("/v1/subscriptions", "GET, POST"),
        ("/v1/teams/press", "DELETE, GET"),
        ("/v1/pace", "GET"),
    ):
        answer = await harness.client.request("PUT", path)
        assert answer.status_code == 405, path
        assert answer.headers["allow"] == allowed
