"""What the commands say about reports, and that none with a fault is sent."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from click.testing import CliRunner

from events.reports.campaign_reports import Airing, acknowledgement, airing_report, completion
from events.validation.verdicts import Agency
from producers.awareness import commands
from producers.awareness.send import in_effect, next_step, warnings
from producers.sdk.typed_events import FaultyEvent, require_form
from tests.every import every

CAMPAIGN = "service-launched.i4"
ON = "2026-11-26"
REASON = ("--reason-ar", "خطأ", "--reason-en", "A slip")
AIRING = Airing("tv", {"ar": "القناة الأولى", "en": "Channel One"}, 900, ON)
OPEN: dict[str, Any] = {
    "campaign_id": CAMPAIGN,
    "acknowledged_index": None,
    "acknowledged_by": None,
    "acknowledged_at": None,
    "completed_index": None,
    "airings": [],
    "missing_channels": ["tv", "radio", "print"],
    "next_action": "acknowledge",
}


@every(
    "action",
    [
        acknowledgement(CAMPAIGN, "1234567890", ON),
        acknowledgement(CAMPAIGN, "press desk", ON),
        airing_report(CAMPAIGN, replace(AIRING, outlet={"ar": " ", "en": "One"})),
        airing_report("c" * 64, replace(AIRING, airing_id="a" * 64)),
    ],
)
def test_what_the_registrar_would_refuse_is_not_sent(action: Any) -> None:
    with pytest.raises(FaultyEvent):
        require_form(action.event("health"), Agency("health", "office"))


def test_the_sender_is_warned_of_what_the_campaign_has_already_and_told_the_next_step() -> None:
    ack = acknowledgement(CAMPAIGN, "desk", ON)
    assert list(warnings(ack, OPEN)) == []
    taken = OPEN | {"acknowledged_index": 7, "acknowledged_by": "newsroom", "acknowledged_at": "2026-11-26T08:00:00Z"}
    (warning,) = warnings(ack, taken)
    assert warning.en == "Acknowledged by newsroom at 2026-11-26 11:00, entry 7."
    assert not ack.is_in_effect(taken)
    assert acknowledgement(CAMPAIGN, "newsroom", ON).is_in_effect(taken)
    (missing,) = warnings(completion(CAMPAIGN, ON), OPEN)
    assert missing.en == "The campaign has no airing yet on: tv, radio, print."
    following = next_step(OPEN | {"next_action": "air"})
    assert following is not None
    assert following.en == f"Next: yesser campaigns air {CAMPAIGN} --channel tv …"
    assert next_step(OPEN | {"next_action": None}) is None, "it is completed"


def test_an_airing_with_another_reach_is_not_the_one_that_counts() -> None:
    row = {"airing_id": AIRING.id(), "channel": "tv", "aired_on": ON, "reach": 900, "index": 9}
    aired = OPEN | {"airings": [row]}
    assert airing_report(CAMPAIGN, AIRING).is_in_effect(aired)
    corrected = airing_report(CAMPAIGN, replace(AIRING, reach=901))
    assert not corrected.is_in_effect(aired)
    remedy = f"To correct its reach: yesser campaigns correct {CAMPAIGN} 9 --reach NUMBER …"
    assert in_effect(corrected, aired).en == f"The airing {AIRING.id()} is entry 9. {remedy}"


@every("command", [(commands.ack,), (commands.complete,), (commands.correct, "4", "--reach", "1", *REASON)])
def test_no_day_to_come_is_reported(command: tuple[Any, ...]) -> None:
    run, *given = command
    done = CliRunner().invoke(run, [CAMPAIGN, *given, "--on", "9999-12-31"])
    assert done.exit_code == 2
    assert "9999-12-31 is still to come; today is" in done.output
