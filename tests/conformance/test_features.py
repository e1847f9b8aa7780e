"""The CloudEvents conformance features, step by step, against the code that reads requests and records.

A scenario's event is of a type and a source that are not ours. So it is read up to the point where the catalogue's
rules begin; beyond that, on the gateway and on Kafka, it is refused as what it is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from gherkin.parser import Parser
from gherkin.pickles.compiler import Compiler

from events.validation.reading import read_claim
from events.validation.validate import validate
from events.validation.verdicts import Agency, Refused
from events.wire.kafka_binding import read_headers
from infra.kafka.client_config import agency_topic
from producers.gateway.http.content_mode import content_of
from producers.gateway.validating import Claims
from tests.every import every
from tests.gateway_access import GatewayAccess, grant_access
from tests.scenarios.system import System
from tests.world.topics import send

CODE = "conformance"


@dataclass(frozen=True)
class Step:
    """The block of text or the table (key → value) that follows a step."""

    block: str
    table: dict[str, str]


Scenario = dict[str, Step]
"""The steps by their texts, without keywords."""


def scenarios(feature: str) -> list[Scenario]:
    """All scenarios of `features/<feature>.feature`, with outlines and backgrounds spelled out."""
    path = Path(__file__).with_name("features") / f"{feature}.feature"
    document: Any = Parser().parse(path.read_text(encoding="utf-8"))
    document["uri"] = path.name
    pickles: list[Any] = Compiler().compile(document)
    return [{step["text"]: _step(step) for step in pickle["steps"]} for pickle in pickles]


def _step(step: Any) -> Step:
    argument = step.get("argument", {})
    rows = argument.get("dataTable", {}).get("rows", [])
    _, *pairs = [[cell["value"] for cell in row["cells"]] for row in rows] or [[]]
    return Step(argument.get("docString", {}).get("content", ""), dict(pairs))


HTTP = scenarios("http-protocol-binding")
KAFKA = scenarios("kafka-protocol-binding")
assert (len(HTTP), len(KAFKA)) == (4, 3), "no scenario is left out"


def http_request(text: str) -> tuple[list[tuple[str, str]], bytes]:
    """Headers and body of a request that is written out."""
    head, _, body = text.partition("\n\n")
    _, *lines = head.splitlines()
    headers = [(name, value.strip()) for name, _, value in (line.partition(":") for line in lines)]
    return headers, body.encode()


def claims_of_http(scenario: Scenario) -> Claims:
    headers, body = http_request(scenario["an HTTP request"].block)
    raw = [(name.lower().encode(), value.encode()) for name, value in headers]
    content = content_of(raw)
    return Claims([body], content.record_headers, content.batched)


def kafka_record(scenario: Scenario) -> tuple[bytes, list[tuple[str, bytes]]]:
    headers = [(name, value.encode()) for name, value in scenario["Kafka headers:"].table.items()]
    return scenario["a Kafka message with payload:"].block.encode(), headers


def claims_of_kafka(scenario: Scenario) -> Claims:
    value, headers = kafka_record(scenario)
    return Claims([value], [*headers], False)


@every(
    ("scenario", "claims", "steps"), [(s, claims_of_http, 5) for s in HTTP] + [(s, claims_of_kafka, 6) for s in KAFKA]
)
def test_a_scenario_passes_in_the_codec(scenario: Scenario, claims: Callable[[Scenario], Claims], steps: int) -> None:
    assert len(scenario) == steps, "each one is read: given, parsed, its attributes, its data"
    (value,), headers = claims(scenario).values, claims(scenario).headers
    event = read_claim(value, read_headers(headers)).event
    assert event.pop("data") == orjson.loads(scenario["the data is equal to the following JSON:"].block)
    assert event == scenario["the attributes are:"].table
    verdict = validate(value, headers, Agency(CODE, "agency"))
    assert isinstance(verdict, Refused)
    assert {("unknown-type", "/type"), ("invalid-value", "/source")} <= {(f.code, f.pointer) for f in verdict.faults}


@pytest.fixture(scope="module")
def access(system: System) -> GatewayAccess:
    return grant_access(system, CODE)


async def test_a_running_system_refuses_each_as_what_it_is(access: GatewayAccess) -> None:
    token = [("authorization", f"Bearer {access.token}")]
    for scenario in HTTP:
        headers, body = http_request(scenario["an HTTP request"].block)
        sent = [(name, value) for name, value in headers if name not in ("Host", "Content-Length")]
        async with httpx.AsyncClient(trust_env=False, verify=False) as client:
            answer = await client.post(f"{access.address}/v1/events", headers=sent + token, content=body)
        assert answer.status_code == 422
        assert ("unknown-type", "/type") in {(row["code"], row["pointer"]) for row in answer.json()["errors"]}
    for scenario in KAFKA:
        value, raw = kafka_record(scenario)
        await send(access.system.settings, agency_topic(CODE), value, headers=raw)
    refused = 0
    async with access.client() as client_of_agency:
        async for verdict in client_of_agency.receipts():
            assert verdict.state == "refused"
            assert ("unknown-type", "/type") in {(error.code, error.pointer) for error in verdict.errors}
            refused += 1
            if refused == len(KAFKA):
                break
