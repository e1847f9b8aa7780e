"""The CloudEvents conformance features, step by step, against the code that reads requests and records.

A scenario's event is of a type and a source that are not ours. So it is read up to the point where the catalogue's
rules begin; beyond that, on the gateway and on Kafka, it is refused as what it is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx
import orjson
import pytest

from events.validation.reading import read_claim
from events.validation.validate import validate
from events.validation.verdicts import Agency, Refused
from events.wire.kafka_binding import read_headers
from infra.kafka.client_config import agency_topic
from producers.gateway.http.content_mode import Claims, claims_of, mode_of
from tests.conformance.gherkin_scenarios import Scenario, Step, scenarios
from tests.gateway_access import GatewayAccess, grant_access
from tests.scenarios.system import System
from tests.world.topics import send

CODE = "conformance"
HTTP = scenarios("http-protocol-binding")
KAFKA = scenarios("kafka-protocol-binding")


@dataclass
class Reading:
    """What a scenario gives, and what our code makes of it."""

    request: tuple[list[tuple[str, str]], bytes] = ([], b"")
    claims: Claims = field(default_factory=lambda: Claims([b""], []))
    event: dict[str, Any] = field(default_factory=dict)

    def supported(self, step: Step) -> None:
        """It is what the other steps show."""

    def an_http_request(self, step: Step) -> None:
        self.request = http_request(step.block)

    def a_kafka_message(self, step: Step) -> None:
        self.claims = Claims([step.block.encode()], [])

    def kafka_headers(self, step: Step) -> None:
        self.claims.headers.extend((name, value.encode()) for name, value in step.table.items())

    def parsed_as_http_request(self, step: Step) -> None:
        headers, body = self.request
        raw = [(name.lower().encode(), value.encode()) for name, value in headers]
        self.claims = claims_of(mode_of(raw), raw, body, 1)
        self.parsed_as_kafka_message(step)

    def parsed_as_kafka_message(self, step: Step) -> None:
        self.event = read_claim(self.claims.values[0], read_headers(self.claims.headers)).event

    def the_attributes_are(self, step: Step) -> None:
        assert {name: value for name, value in self.event.items() if name != "data"} == step.table

    def the_data_is(self, step: Step) -> None:
        assert self.event["data"] == orjson.loads(step.block)


STEPS: dict[str, Callable[[Reading, Step], None]] = {
    "HTTP Protocol Binding is supported": Reading.supported,
    "Kafka Protocol Binding is supported": Reading.supported,
    "an HTTP request": Reading.an_http_request,
    "a Kafka message with payload:": Reading.a_kafka_message,
    "Kafka headers:": Reading.kafka_headers,
    "parsed as HTTP request": Reading.parsed_as_http_request,
    "parsed as Kafka message": Reading.parsed_as_kafka_message,
    "the attributes are:": Reading.the_attributes_are,
    "the data is equal to the following JSON:": Reading.the_data_is,
}


def http_request(text: str) -> tuple[list[tuple[str, str]], bytes]:
    """Headers and body of a request that is written out."""
    head, _, body = text.partition("\n\n")
    _, *lines = head.splitlines()
    headers = [(name, value.strip()) for name, _, value in (line.partition(":") for line in lines)]
    return headers, body.encode()


def named(found: Sequence[Scenario]) -> list[Any]:
    return [pytest.param(scenario, id=scenario.name) for scenario in found]


@pytest.mark.parametrize("scenario", named(HTTP + KAFKA))
def test_a_scenario_passes_against_the_codec(scenario: Scenario) -> None:
    reading = Reading()
    for step in scenario.steps:
        STEPS[step.text](reading, step)
    verdict = validate(reading.claims.values[0], reading.claims.headers, Agency(CODE, "agency"))
    assert isinstance(verdict, Refused)
    assert {("unknown-type", "/type"), ("invalid-value", "/source")} <= {(f.code, f.pointer) for f in verdict.faults}


def test_no_scenario_is_left_out() -> None:
    assert (len(HTTP), len(KAFKA)) == (4, 3)


@pytest.fixture(scope="module")
def access(system: System) -> GatewayAccess:
    return grant_access(system, CODE)


@pytest.mark.parametrize("scenario", named(HTTP))
def test_through_the_gateway_it_is_a_problem_and_no_fault_of_the_gateway(
    access: GatewayAccess, scenario: Scenario
) -> None:
    headers, body = http_request(scenario.step("an HTTP request").block)
    sent = [(name, value) for name, value in headers if name not in ("Host", "Content-Length")]
    sent.append(("authorization", f"Bearer {access.token}"))
    answer = httpx.post(f"{access.address}/v1/events", headers=sent, content=body, trust_env=False)
    assert answer.status_code == 422
    assert ("unknown-type", "/type") in {(row["code"], row["pointer"]) for row in answer.json()["errors"]}


async def test_on_kafka_each_is_one_refusal(access: GatewayAccess) -> None:
    for scenario in KAFKA:
        headers = scenario.step("Kafka headers:").table
        payload = scenario.step("a Kafka message with payload:").block.encode()
        raw = [(name, value.encode()) for name, value in headers.items()]
        await send(access.system.settings, agency_topic(CODE), payload, headers=raw)
    refused = 0
    async with access.client() as client:
        async for verdict in client.receipts():
            assert verdict.state == "refused"
            assert ("unknown-type", "/type") in {(error.code, error.pointer) for error in verdict.errors}
            refused += 1
            if refused == len(KAFKA):
                break
