"""Typed events under FastStream, with its own test broker: what a handler is given, and what a publisher sends."""

from __future__ import annotations

from typing import Any

import pytest
from faststream.kafka import KafkaMessage, TestKafkaBroker
from faststream.kafka.security import parse_security
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from events.types.awareness import CampaignTriggered
from events.types.catalogue import CATALOGUE
from events.types.services import ServiceLaunched
from events.validation.validate import validate
from events.validation.verdicts import Accepted, Agency
from events.wire.codec import STRUCTURED_CONTENT_TYPE, canonical_bytes
from infra.kafka.client_config import client_arguments
from infra.settings import Settings
from producers.sdk.faststream_events import Event, EventPublisher, decode_event, event_broker, security_of
from producers.sdk.typed_events import FaultyEvent, typed_event
from tests.every import every
from tests.world.binary_mode import to_binary_mode
from tests.world.events import golden_event

TOPIC = "yesser.campaign-triggers"
TRIGGER = golden_event("campaign.triggered")
TIME = "2006-05-01T09:00:00+03:00"
LAUNCHED = ServiceLaunched(service_id="passports", on="2006-05-01", channels=["web"])
SETTINGS = Settings(kafka="127.0.0.1:9092", kafka_user="agency-health", kafka_password="secret")

Sent = tuple[bytes, dict[str, str]]


def structured(event: dict[str, Any]) -> Sent:
    return canonical_bytes(event), {"content-type": STRUCTURED_CONTENT_TYPE}


def binary(event: dict[str, Any]) -> Sent:
    value, headers = to_binary_mode(event)
    return value, {name: content.decode() for name, content in headers}


async def received(value: bytes, headers: dict[str, str]) -> list[Event[CampaignTriggered]]:
    """What a typed handler is given of a record."""
    broker, found = event_broker(SETTINGS), list[Event[CampaignTriggered]]()

    @broker.subscriber(TOPIC)
    async def receive(event: Event[CampaignTriggered]) -> None:
        found.append(event)

    async with TestKafkaBroker(broker):
        await broker.publish(value, TOPIC, headers=headers)
    return found


@every("mode", [structured, binary])
async def test_a_handler_is_given_the_typed_event_of_either_mode(mode: Any) -> None:
    (event,) = await received(*mode(TRIGGER))
    assert (event.id, event.type, event.subject) == (TRIGGER["id"], TRIGGER["type"], TRIGGER["subject"])
    assert event.data == CampaignTriggered.model_validate(TRIGGER["data"])


@every(
    "sent",
    [
        structured(TRIGGER | {"type": "sa.gov.yesser.campaign.paused.v1"}),
        structured(TRIGGER | {"id": None}),
        structured(TRIGGER | {"data": TRIGGER["data"] | {"due_on": "soon"}}),
        structured(TRIGGER | {"data": TRIGGER["data"] | {"cause_index": "1042"}}),
        structured(TRIGGER | {"data": TRIGGER["data"] | {"unknown": 1}}),
        (canonical_bytes(TRIGGER), {"content-type": "application/json"}),  # of no mode
    ],
)
async def test_another_type_or_form_reaches_no_handler(sent: Sent) -> None:
    with pytest.raises(ValidationError):
        await received(*sent)


@given(st.sampled_from(sorted(CATALOGUE)), st.sampled_from([structured, binary]))
async def test_every_type_of_the_catalogue_is_decoded_to_what_was_sent(name: str, mode: Any) -> None:
    class Record:
        def __init__(self, value: bytes, headers: dict[str, str]) -> None:
            self.headers = [(key, text.encode()) for key, text in headers.items()]
            self.body, self.raw_message = value, self

    event = golden_event(name)
    record: Any = Record(*mode(event))
    assert await decode_event(record) == event
    model: Any = Event[CATALOGUE[name].model]  # type: ignore[misc]
    assert model.model_validate(event).type == event["type"]


async def test_a_published_event_is_structured_and_passes_the_registrars_door_and_a_faulty_one_is_not_sent() -> None:
    broker = event_broker(SETTINGS)
    launched = EventPublisher(broker, "health", ServiceLaunched)
    sent: list[KafkaMessage] = []

    @broker.subscriber("agency.health.events")
    async def record(message: KafkaMessage) -> None:
        sent.append(message)

    async with TestKafkaBroker(broker):
        await launched.publish(LAUNCHED, "launch-passports", TIME, hijridate="1427-04-03")
        with pytest.raises(FaultyEvent, match="/time"):
            await launched.publish(LAUNCHED, "launch-passports", "soon")
    (message,) = sent
    assert message.body == typed_event("health", LAUNCHED, "launch-passports", TIME, hijridate="1427-04-03")
    assert not isinstance(message.raw_message, tuple)
    verdict = validate(message.body, message.raw_message.headers, Agency("health", "agency"))
    assert isinstance(verdict, Accepted), verdict


def test_a_model_outside_the_catalogue_is_no_event() -> None:
    with pytest.raises(KeyError, match="Unknown"):
        Event[type("Unknown", (ServiceLaunched,), {})]  # type: ignore[misc]


@every("security", ["SASL_PLAINTEXT", "SASL_SSL", "PLAINTEXT", "SSL"])
def test_faststream_connects_as_the_settings_say(security: str) -> None:
    arguments = client_arguments(SETTINGS.model_copy(update={"kafka_security": security}))
    asked = {"security_protocol": "PLAINTEXT", "ssl_context": None} | parse_security(security_of(arguments))
    beside = {"bootstrap_servers": SETTINGS.kafka, "request_timeout_ms": arguments["request_timeout_ms"]}
    assert asked | beside == {"ssl_context": None} | arguments
