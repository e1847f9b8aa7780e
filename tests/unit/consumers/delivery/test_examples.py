"""The example event is one that receivers can validate, and never looks like a campaign of the log."""

from __future__ import annotations

import orjson

from consumers.delivery.examples import example_event
from events.validation.validate import validate_form
from events.validation.verdicts import Admitted, Agency
from events.wire.codec import STRUCTURED_HEADERS


def test_the_example_is_a_valid_event_under_an_id_of_its_own() -> None:
    raw = example_event("example.abcdefghij")
    event = orjson.loads(raw)
    assert event["id"] == event["data"]["campaign_id"] == "example.abcdefghij"
    assert event["type"] == "sa.gov.yesser.campaign.triggered.v1"
    verdict = validate_form(raw, list(STRUCTURED_HEADERS), Agency("platform", "platform"))
    assert isinstance(verdict, Admitted), verdict
