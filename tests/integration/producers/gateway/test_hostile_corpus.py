"""Every hostile record through HTTP, structured, binary, batched, plain and gzipped: the answers against the oracle."""

from __future__ import annotations

import gzip
import re
from collections.abc import Mapping, Sequence
from random import randrange
from typing import Any
from urllib.parse import quote_from_bytes

import httpx
import pytest

from events.values.bounds import FAULTS_MAX
from events.wire.codec import STRUCTURED_HEADERS
from infra.kafka.admin import admin_client, ensure_agency_topic
from producers.gateway.validating import ERRORS_MAX
from tests.hostile import Case
from tests.integration.hostile_corpus import LARGE, SMALL, Pairs, corpus, faults_by_case, is_open
from tests.oracle.reading import names_of_object
from tests.world.senders import BATCH, STRUCTURED, GatewayHarness, bearer

GZIP = {"content-encoding": "gzip"}
EVENTS_OF_A_BATCH = 5
"""Few enough that the answer lists every fault, and that the array is split by the parser."""
HEADERS_MAX = 200
HEAD_BYTES_MAX = 60_000
TOKEN = re.compile(r"[a-z0-9_-]+")

LONG = [pytest.mark.accept, pytest.mark.timeout(1_200)]
SIZES = [(SMALL, 5), *(pytest.param(size, 1, marks=LONG) for size in (SMALL, LARGE))]
Tokens = Mapping[str, Mapping[str, str]]


def packed(number: int, value: bytes) -> tuple[bytes, Mapping[str, str]]:
    """Every other body is gzipped; with the header that says so."""
    return (gzip.compress(value), GZIP) if number % 2 else (value, {})


@pytest.mark.parametrize(("size", "step"), SIZES)
async def test_hostile_events_get_their_verdict_in_every_mode(harness: GatewayHarness, size: int, step: int) -> None:
    """Of every `step` cases one, another one in each run."""
    async with admin_client(harness.settings) as admin:
        await ensure_agency_topic(admin, "yesser", harness.settings)
    tokens = {"health": bearer(harness.token.token), "yesser": await harness.another("office", "yesser")}
    cases = corpus(size)[randrange(step) :: step]
    structured = [(case, STRUCTURED) for case in cases if case.headers is STRUCTURED_HEADERS]
    in_headers = [(case, by_http(case)) for case in cases if case.name.endswith(", binary")]
    binary = [(case, headers) for case, headers in in_headers if headers is not None]
    expected = faults_by_case(case for case, _ in [*structured, *binary])
    for number, (case, headers) in enumerate([*structured, *binary]):
        body, packing = packed(number, case.value)
        answer = await harness.send(body, {**headers, **packing, **tokens[case.agency.code]})
        require(case, expected[case.name], answer.status_code, faults_in(answer))
        if (number + 1) == len(structured):
            accepted = [case.value for case, _ in structured if not expected[case.name]]
            stored = await harness.stored() + await harness.stored("yesser")
            assert stored == sorted_by_agency(accepted, [case for case, _ in structured])
    assert len(structured) * step > 650
    assert len(binary) * step > 550
    await require_batches(harness, [case for case, _ in structured], expected, tokens)


async def require_batches(
    harness: GatewayHarness, cases: Sequence[Case], expected: Mapping[str, Pairs], tokens: Tokens
) -> None:
    """In a batch each event gets the same verdict."""
    of_json = [case for case in cases if names_of_object(case.value)]
    for code, headers in tokens.items():
        sent = [case for case in of_json if case.agency.code == code]
        for number, start in enumerate(range(0, len(sent), EVENTS_OF_A_BATCH)):
            together = sent[start : start + EVENTS_OF_A_BATCH]
            body, packing = packed(number, b"[" + b",".join(case.value for case in together) + b"]")
            rows = rows_in(await harness.send(body, {**BATCH, **packing, **headers}, "?partial=true"))
            for place, case in enumerate(together):
                own = [row for row in rows if row["event"] == place]
                listed = sorted((row["code"], row["pointer"].removeprefix(f"/{place}")) for row in own)
                require(case, expected[case.name], 422 if listed else 202, listed)
    assert of_json


def require(case: Case, expected: Pairs, status: int, listed: Pairs) -> None:
    """That the answer is the oracle's; where the contract leaves the faults open, that it is a refusal."""
    if expected and is_open(case):
        assert listed, case.name
        return
    too_large = expected == [("too-large", "")]
    assert (listed, status) == (expected, 202 if not expected else 413 if too_large else 422), case.name


def rows_in(answer: httpx.Response) -> list[dict[str, Any]]:
    document = answer.json()
    rows: list[dict[str, Any]] = document.get("errors") or document.get("refused") or []
    assert len(rows) < ERRORS_MAX, "the list has the first faults of every event"
    assert "unlisted" not in document or len(rows) >= FAULTS_MAX
    return rows


def faults_in(answer: httpx.Response) -> Pairs:
    return sorted((row["code"], row["pointer"]) for row in rows_in(answer))


def by_http(case: Case) -> dict[str, str] | None:
    """The headers of a record in binary mode; None where HTTP cannot carry them, by its own limits."""
    headers: dict[str, str] = {}
    for name, value in case.headers:
        attribute = name.removeprefix("ce_")
        if value is None or not TOKEN.fullmatch(attribute) or f"ce-{attribute}" in headers:
            return None
        headers[f"ce-{attribute}"] = quote_from_bytes(value, safe="")
    size = sum(len(name) + len(value) + 4 for name, value in headers.items())
    return headers if len(headers) <= HEADERS_MAX and size <= HEAD_BYTES_MAX else None


def sorted_by_agency(values: Sequence[bytes], sent: Sequence[Case]) -> list[bytes]:
    """In the order of the topics of `health` and `yesser`."""
    office = {case.value for case in sent if case.agency.code == "yesser"}
    return [value for value in values if value not in office] + [value for value in values if value in office]
