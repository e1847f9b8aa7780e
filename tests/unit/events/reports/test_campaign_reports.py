"""Reports as events: the same report gives the same bytes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import orjson
import pytest

from events.reports.campaign_reports import Airing, acknowledgement, airing_report, completion, correction
from events.validation.validate import validate
from events.validation.verdicts import Accepted, Agency
from events.wire.codec import STRUCTURED_HEADERS
from tests.every import every

CAMPAIGN = "service-launched.i4"
ON = "2026-11-26"
AIRING = Airing("tv", {"ar": "القناة الأولى", "en": "Channel One"}, 900, ON)
AIRED = {"airing_id": "tv.1", "index": 9, "reach": 900, "corrected_index": None}
OPEN = {"campaign_id": CAMPAIGN, "airings": [AIRED]}
WHY = {"ar": "صفر زائد", "en": "A zero too many"}


@every(
    "action",
    [
        acknowledgement(CAMPAIGN, "desk", ON),
        completion(CAMPAIGN, ON),
        airing_report(CAMPAIGN, AIRING),
        correction(OPEN, 9, 90, WHY, ON),
    ],
)
def test_a_report_is_an_event_that_the_registrar_accepts_and_a_repeat_is_the_same_bytes(action: Any) -> None:
    event = action.event("health")
    assert isinstance(validate(event, list(STRUCTURED_HEADERS), Agency("health", "agency")), Accepted)
    assert event == action.event("health")
    document = orjson.loads(event)
    assert (document["subject"], document["time"]) == (f"campaign/{CAMPAIGN}", f"{ON}T00:00:00+03:00")


def test_an_airing_has_its_id_from_channel_outlet_and_day() -> None:
    other_outlet = replace(AIRING, outlet={"ar": "القناة الأولى", "en": "Channel Two"})
    others = [replace(AIRING, on="2026-11-27"), replace(AIRING, channel="radio"), other_outlet]
    ids = [AIRING.id(), *(other.id() for other in others)]
    assert len(set(ids)) == 4
    assert ids[0].startswith("tv-2026-11-26-")
    assert replace(AIRING, reach=1).id() == ids[0], "a corrected reach is no second airing"
    assert replace(AIRING, airing_id="evening").id() == "evening"


def test_a_correction_names_the_entry_that_it_corrects_and_what_has_the_reach_already_is_in_effect() -> None:
    first = correction(OPEN, 9, 90, WHY, ON)
    assert (first.event_id, first.effective_index(OPEN)) == (f"correct.{CAMPAIGN}.tv.1.i9", None)
    corrected = OPEN | {"airings": [AIRED | {"reach": 90, "corrected_index": 14}]}
    assert first.effective_index(corrected) == 14
    back = correction(corrected, 9, 900, WHY, ON)
    assert (back.event_id, back.effective_index(corrected)) == (f"correct.{CAMPAIGN}.tv.1.i14", None)
    assert back.effective_index(OPEN) == 9
    with pytest.raises(LookupError):
        correction(OPEN, 14, 90, WHY, ON)
