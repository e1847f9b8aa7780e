"""The CloudEvents SDK for Python as a sender: the gateway takes what it makes, in all three modes."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import httpx
import pytest
from cloudevents.core.bindings.http import HTTPMessage, to_binary_event, to_structured_event
from cloudevents.core.v1.event import CloudEvent

from tests.conformance.foreign_senders import MODES, examples, in_mode, require_registered
from tests.gateway_access import GatewayAccess, grant_access
from tests.scenarios.system import System

CODE = "sdk-python"


@pytest.fixture(scope="module")
def access(system: System) -> GatewayAccess:
    return grant_access(system, CODE)


def cloud_event(event: dict[str, Any]) -> CloudEvent:
    """The event as the SDK has it: its time is a time, not a text."""
    attributes = {name: value for name, value in event.items() if name != "data"}
    return CloudEvent(attributes | {"time": datetime.fromisoformat(event["time"])}, event["data"])


def messages(events: list[dict[str, Any]], mode: str) -> list[HTTPMessage]:
    """What the SDK makes of them. It has no batch: that is an array of what it makes in structured mode."""
    if mode == "binary":
        return [to_binary_event(cloud_event(event)) for event in events]
    structured = [to_structured_event(cloud_event(event)) for event in events]
    if mode == "structured":
        return structured
    return [
        HTTPMessage(
            {"content-type": "application/cloudevents-batch+json"},
            b"[" + b",".join(message.body for message in structured) + b"]",
        )
    ]


async def test_catalogue_events_of_the_python_sdk_are_taken_in_all_three_modes(access: GatewayAccess) -> None:
    sent = {mode: in_mode(examples(CODE), mode) for mode in MODES}
    token = {"authorization": f"Bearer {access.token}"}
    async with httpx.AsyncClient(headers=token, trust_env=False, verify=False) as client:
        for mode, events in sent.items():
            for message in messages(events, mode):
                answer = await client.post(f"{access.address}/v1/events", content=message.body, headers=message.headers)
                assert answer.status_code == 202, (mode, answer.text)
    await require_registered(access, [event for events in sent.values() for event in events])
