"""What the gateway says to bad input over real HTTP: the exact status and problem, and nothing of it is stored."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote

from infra.keys.access_changes import AccessChanges
from producers.agencies.tokens import revoke_token
from tests.world.binary_mode import to_binary_mode
from tests.world.events import HEALTH, changed, encoded, golden_event
from tests.world.senders import (
    BATCH,
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
    for path, allowed in (
        ("subscriptions", "GET, HEAD, POST"),
        ("teams/press", "DELETE, GET, HEAD"),
        ("pace", "GET, HEAD"),
    ):
        answer = await harness.client.request("PUT", f"/v1/{path}")
        assert (answer.status_code, answer.headers["allow"]) == (405, allowed), path
    assert await harness.stored() == []


async def said(harness: GatewayHarness, body: bytes | AsyncIterator[bytes], headers: Pairs) -> str:
    """Status, problem, and the place of its one fault, where validation ran."""
    raw = [(name.encode(), value.encode("latin-1")) for name, value in headers]
    answer = await harness.client.post("/v1/events", content=body, headers=raw)
    document = answer.json()
    assert (answer.headers["content-type"], document["status"]) == ("application/problem+json", answer.status_code)
    code, faults = document["type"].rpartition("/")[2], faults_in(document)
    assert [fault for fault, _ in faults] in ([], [code])
    return " ".join([f"{answer.status_code} {code}", *(pointer or "-" for _, pointer in faults)])


def faults_in(document: dict[str, Any]) -> Pairs:
    return sorted((row["code"], row["pointer"]) for row in document.get("errors", []))


async def test_a_revoked_an_expired_and_a_suspended_token_are_refused(harness: GatewayHarness) -> None:
    first, second = bearer(harness.token.token), await harness.another("agency", "health")
    wrong = harness.token.token[:-1] + ("0" if harness.token.token[-1] != "0" else "1")
    answer = await harness.send(GOOD, {**STRUCTURED, **bearer(wrong)})
    assert (answer.status_code, answer.json()["type"].rpartition("/")[2]) == (401, "unauthenticated")
    assert answer.headers["www-authenticate"] == 'Bearer realm="yesser"'
    assert await harness.stored() == []

    async def until_answered(token: dict[str, str], status: int, problem: str | None = None) -> None:
        async def is_answered() -> bool:
            answer = await harness.send(GOOD, {**STRUCTURED, **token})
            return (answer.status_code, answer.json().get("type", "").rpartition("/")[2]) == (status, problem or "")

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
        assert (answer.status_code, answer.json()["type"].rpartition("/")[2]) == (422, "foreign-source")
    for headers in (auditor, partner):
        assert (await harness.send(GOOD, {**STRUCTURED, **headers})).status_code == 403, "no scope to send"
    for headers, status in ((auditor, 200), (partner, 403), (labour, 403), ({}, 200)):
        assert (await harness.client.get("/v1/receipts?agency=health", headers=headers)).status_code == status
    assert await harness.stored() == await harness.stored("labour") == []
