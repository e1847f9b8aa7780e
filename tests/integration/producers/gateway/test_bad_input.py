"""What the gateway says to bad input over real HTTP: the exact status and problem, and nothing of it is stored."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote

import httpx

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
from tests.world.waits import until

GOOD = encoded(event(1))
BINARY_VALUE, KAFKA_HEADERS = to_binary_mode(event(1))
Pairs = list[tuple[str, str]]
"""Headers; a name may come twice."""
SINGLE, BATCHED = [*STRUCTURED.items()], [*BATCH.items()]
IN_HEADERS = [(name.replace("ce_", "ce-"), quote(value.decode(), safe="/:+;=")) for name, value in KAFKA_HEADERS]
TOO_LONG = b" " * (61_441 - len(GOOD))
ANOTHERS = encoded(changed(golden_event("plan.adopted"), "/source", HEALTH.source))


def correlated(value: str) -> Pairs:
    return [*IN_HEADERS, ("ce-correlationid", value)]


# More content types and packings: `tests/unit/producers/gateway/http`, `tests/unit/infra/http/test_body.py`.
UNSUPPORTED = [
    [],
    *(
        [("content-type", given), *attributes]
        for given, attributes in (
            ("", []),
            ("text/plain", []),
            ("application/cloudevents-batchx", []),
            ("application/cloudevents-batchx", IN_HEADERS[1:]),
            ("application/cloudevents-batchx+json", []),
            ("application/cloudevents-batch+jsonx", []),
            ("application/cloudevents+jsonx", []),
            ("application/cloudeventsx+json", []),
            ("application/cloudevents+json; charset=utf-16", []),
        )
    ),
    [*SINGLE, ("content-encoding", "br")],
]
CASES: list[tuple[str, bytes, Pairs, str]] = [
    ("a batch sent as an event", batch(event(1)), SINGLE, "422 not-json -"),
    ("an event sent as a batch", GOOD, BATCHED, "400 malformed-request"),
    ("1,001 good events", batch(*map(event, range(1_001))), BATCHED, "413 too-many-events"),
    ("a body of 5 MB", b" " * 5_000_000, SINGLE, "413 request-too-large"),
    ("61,441 bytes", GOOD + TOO_LONG, SINGLE, "413 too-large -"),
    ("61,441 bytes in a batch", b"[{" + TOO_LONG + GOOD[1:] + b"]", BATCHED, "422 too-large /0"),
    ("100,000 levels", b"[" * 100_000, SINGLE, "413 too-large -"),
    ("12,000 levels", b'{"a":' * 12_000, SINGLE, "422 too-deep -"),
    ("a bomb", gzip.compress(b"0" * 50_000_000), [*SINGLE, ("content-encoding", "gzip")], "413 request-too-large"),
    ("no gzip", GOOD, [*SINGLE, ("content-encoding", "gzip")], "400 malformed-request"),
    ("an overlong escape", BINARY_VALUE, correlated("%C0%A0"), "422 bad-header /correlationid"),
    ("raw Latin-1", BINARY_VALUE, correlated("caf\xe9"), "422 bad-header /correlationid"),
    ("an encoded NUL", BINARY_VALUE, correlated("a%00b"), "422 invalid-value /correlationid"),
    ("a national id in a header", BINARY_VALUE, correlated("1064971268"), "422 personal-data /correlationid"),
    ("an attribute twice", BINARY_VALUE, [*IN_HEADERS, ("ce-id", "e-1")], "422 duplicate-name -"),
    ("data in a header", BINARY_VALUE, [*IN_HEADERS, ("ce-data", "{}")], "422 bad-header /data"),
    ("no id", BINARY_VALUE, [pair for pair in IN_HEADERS if pair[0] != "ce-id"], "422 missing-field /id"),
    ("data that closes the object", b'1},"x":{"a":1', IN_HEADERS, "422 not-json -"),
    ("what the office says", ANOTHERS, SINGLE, "422 not-authorised /type"),
]


async def test_bad_input_is_a_problem_and_stores_nothing(harness: GatewayHarness) -> None:
    async def much() -> AsyncIterator[bytes]:
        for _ in range(80):
            yield b" " * 65_536

    cases: list[tuple[str, bytes | AsyncIterator[bytes], Pairs, str]] = [*CASES]
    cases.append(("a body without a length", much(), SINGLE, "413 request-too-large"))
    cases += [(str(headers), GOOD, headers, "415 unsupported-media-type") for headers in UNSUPPORTED]
    found = {name: await said(harness, body, headers) for name, body, headers, _ in cases}
    assert found == {name: meant for name, _, _, meant in cases}
    for path, allowed in (("subscriptions", "GET, POST"), ("teams/press", "DELETE, GET"), ("pace", "GET")):
        answer = await harness.client.request("PUT", f"/v1/{path}")
        assert (answer.status_code, answer.headers["allow"]) == (405, allowed), path
    assert await harness.stored() == []


async def said(harness: GatewayHarness, body: bytes | AsyncIterator[bytes], headers: Pairs) -> str:
    """Status, problem, and the place of its one fault, where validation ran."""
    raw = [(name.encode(), value.encode("latin-1")) for name, value in headers]
    answer = await harness.client.post("/v1/events", content=body, headers=raw)
    document = answer.json()
    assert (answer.headers["content-type"], document["status"]) == ("application/problem+json", answer.status_code)
    code, faults = document["type"].removeprefix("/problems/"), faults_in(document)
    assert [fault for fault, _ in faults] in ([], [code])
    return " ".join([f"{answer.status_code} {code}", *(pointer or "-" for _, pointer in faults)])


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
Tokens = dict[Agency, dict[str, str]]


async def test_what_the_contract_refuses_is_refused_in_each_mode_with_its_codes_and_pointers(
    harness: GatewayHarness,
) -> None:
    tokens: Tokens = {HEALTH: bearer(harness.token.token)}
    for agency in {agency for _, agency, _, _ in refused_events()} - {HEALTH}:
        if agency != OFFICE:
            await harness.connection.execute(REGISTER, agency.code, agency.role)
        tokens[agency] = await harness.another("office" if agency == OFFICE else "agency", agency.code)
    await require_batches(harness, tokens)
    await require_unreadable(harness)
    await require_binary(harness, tokens)
    assert await harness.stored() == []


async def require_batches(harness: GatewayHarness, tokens: Tokens) -> None:
    """A batch lists the faults of all its events, each under its place."""
    for sender, headers in tokens.items():
        rows = [(raw, faults) for _, agency, raw, faults in STRUCTURED_ROWS if agency == sender]
        answer = await harness.send(b"[" + b", ".join(raw for raw, _ in rows) + b"]", {**BATCH, **headers})
        meant = [(code, f"/{place}{pointer}") for place, (_, faults) in enumerate(rows) for code, pointer in faults]
        assert (answer.status_code, faults_in(answer.json())) == (422, sorted(meant)), sender


async def require_unreadable(harness: GatewayHarness) -> None:
    """An event that cannot be read is refused; in a batch it is refused alone, or spoils the array."""
    spoilt = set()
    for name, raw, unsorted in UNREADABLE:
        if raw is None:
            continue  # by HTTP no value is null
        faults = sorted(unsorted)
        status = 413 if faults == [("too-large", "")] else 422
        answer = await harness.send(raw)
        assert (answer.status_code, faults_in(answer.json())) == (status, faults), name
        if raw != raw.strip():
            continue  # white space between events is no part of them
        answer = await harness.send(b"[" + GOOD + b"," + raw + b"," + GOOD + b"]", BATCH)
        if answer.status_code == 400:
            spoilt.add(name)
        else:
            meant = [(code, f"/1{pointer}") for code, pointer in faults]
            assert (answer.status_code, faults_in(answer.json())) == (422, meant), name
    no_json = "not JSON, and a national id"
    assert spoilt == {"nothing", "half an object", no_json, f"{no_json} as a number"}


async def require_binary(harness: GatewayHarness, tokens: Tokens) -> None:
    """The verdict is that of the same record on Kafka."""
    meant, found = {}, {}
    for name, agency, claimed, _ in refused_events():
        attributes = {attribute: value for attribute, value in claimed.items() if attribute != "data"}
        if not all(isinstance(value, str) for value in attributes.values()):
            continue  # a header is text
        value = encoded(claimed["data"]) if "data" in claimed else b""
        content_type = attributes.pop("datacontenttype", "application/json")
        on_kafka = [("content-type", content_type.encode())]
        on_kafka += [(f"ce_{attribute}", text.encode()) for attribute, text in attributes.items()]
        by_http = {f"ce-{attribute}": quote(text, safe="") for attribute, text in attributes.items()}
        verdict = validate(value, on_kafka, agency)
        assert isinstance(verdict, Refused)
        meant[name] = sorted((fault.code, fault.pointer) for fault in verdict.faults)
        answer = await harness.send(value, {"content-type": content_type, **by_http, **tokens[agency]})
        found[name] = faults_in(answer.json())
    assert found == meant
    assert len(found) > 100


async def test_a_revoked_an_expired_and_a_suspended_token_are_refused(harness: GatewayHarness) -> None:
    first, second = bearer(harness.token.token), await harness.another("agency", "health")
    wrong = harness.token.token[:-1] + ("0" if harness.token.token[-1] != "0" else "1")
    twice = [*first.items()] * 2
    for headers in (
        [],
        *([("authorization", text)] for text in ("", "Basic eDp5", "Bearer x", f"Bearer {wrong}")),
        twice,
    ):
        async with httpx.AsyncClient(base_url=harness.client.base_url, trust_env=False) as stranger:
            answer = await stranger.post("/v1/events", content=GOOD, headers=[*STRUCTURED.items(), *headers])
        assert (answer.status_code, answer.json()["type"]) == (401, "/problems/unauthenticated"), headers
        assert answer.headers["www-authenticate"] == 'Bearer realm="yesser"'
    assert await harness.stored() == []

    async def until_answered(token: dict[str, str], status: int, problem: str | None = None) -> None:
        async def is_answered() -> bool:
            answer = await harness.send(GOOD, {**STRUCTURED, **token})
            return (answer.status_code, answer.json().get("type")) == (status, problem and f"/problems/{problem}")

        await until(is_answered, f"{status} {problem}", 5)

    execute = harness.connection.execute
    await execute("INSERT INTO platform.suspension (agency, reason) VALUES ('health', '{}')")
    await until_answered(first, 403, "suspended")
    await execute("DELETE FROM platform.suspension")
    await until_answered(first, 202)
    await until_answered(second, 202)
    await revoke_token(harness.connection, harness.token.key_id, AccessChanges.of(harness.settings))
    await until_answered(first, 401, "unauthenticated")
    await until_answered(second, 202)
    await execute("UPDATE platform.token SET expires_at = now() WHERE key_id <> $1", harness.token.key_id)
    await until_answered(second, 401, "unauthenticated")


async def test_an_agencys_token_sends_nothing_of_another_agency(harness: GatewayHarness) -> None:
    labour = await harness.another("agency", "labour")
    auditor, partner = await harness.another("auditor", "court"), await harness.another("partner", "P-1")
    for body, given in ((GOOD, STRUCTURED), (batch(event(1)), BATCH), (BINARY_VALUE, dict(IN_HEADERS))):
        answer = await harness.send(body, {**given, **labour})
        assert (answer.status_code, answer.json()["type"]) == (422, "/problems/foreign-source")
    for headers in (auditor, partner):
        assert (await harness.send(GOOD, {**STRUCTURED, **headers})).status_code == 403, "no scope to send"
    for headers, status in ((auditor, 200), (partner, 403), (labour, 403), ({}, 200)):
        assert (await harness.client.get("/v1/receipts?agency=health", headers=headers)).status_code == status
    assert await harness.stored() == await harness.stored("labour") == []
