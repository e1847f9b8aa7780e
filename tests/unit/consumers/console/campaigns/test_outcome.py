"""What the page says about a report: from its verdict and the campaign, never from what the browser claims."""

from __future__ import annotations

from typing import Any

from msgspec import to_builtins

from consumers.console.pages.campaigns.campaign import Outcome, effective_index, outcome
from consumers.documents.campaigns.campaigns import CampaignAndHistory
from producers.sdk.answers import Verdict
from tests.every import every
from tests.world.campaigns import campaign

OPEN = campaign()
ID = OPEN.campaign_id
TAKEN = campaign(acknowledged_index=9, acknowledged_by="newsroom")
OUTLET = {"ar": "الأولى", "en": "One"}
AIRED = campaign(
    airings=[
        {
            "airing_id": "tv-1",
            "index": 12,
            "channel": "tv",
            "outlet": OUTLET,
            "aired_on": "2026-11-03",
            "reach": 5,
            "corrected_index": None,
        }
    ]
)
CONFLICT = {"state": "refused", "index": 11, "errors": ({"code": "conflict", "detail": "Another event has this id."},)}


def said(
    event_id: str, verdict: Any, shown: CampaignAndHistory, log_index: int = 20, *, was_sent: bool = True
) -> Outcome:
    given = None if verdict is None else Verdict.model_validate(verdict)
    found = outcome(event_id, given, shown, log_index, was_sent=was_sent)
    assert found is not None
    return found


@every(
    ("verdict", "shown", "log_index", "kind", "title"),
    [
        ({"state": "registered", "index": 9}, TAKEN, 20, "good", "Recorded"),
        ({"state": "duplicate", "index": 9}, TAKEN, 20, "good", "It was reported before. Nothing was counted twice"),
        ({"state": "pending"}, OPEN, 20, "", "The report is on its way to the log"),
        ({"state": "registered", "index": 20}, OPEN, 20, "", "The report is on its way to the log"),
        ({"state": "lost"}, OPEN, 20, "bad", "The report was lost. Nothing changed"),
        ({"state": "lost"}, TAKEN, 20, "good", "Recorded"),
        (None, OPEN, 20, "", "The report is on its way to the log"),
        (None, TAKEN, 20, "good", "Recorded"),
        ({"state": "registered", "index": 10}, OPEN, 20, "", "The entry changed nothing"),
        ({"state": "refused", "index": 10, "errors": [{"code": "x", "detail": "d"}]}, OPEN, 20, "bad", None),
    ],
)
def test_a_report_has_one_outcome(
    verdict: Any, shown: CampaignAndHistory, log_index: int, kind: str, title: str | None
) -> None:
    found = said(f"ack.{ID}", verdict, shown, log_index)
    assert found.kind == kind
    assert title is None or found.title.en == title


@every("verdict", [CONFLICT, {"state": "registered", "index": 11}])
def test_the_second_of_two_desks_sees_who_was_first_and_that_nothing_changed(verdict: Any) -> None:
    found = said(f"ack.{ID}", verdict, TAKEN)
    assert (found.first, found.index) == ("newsroom", 9)
    assert found.title.en == "Acknowledged already. Nothing changed"


@every(
    ("corrected_index", "index", "title"),
    [
        (None, 20, "The report is on its way to the log"),
        (15, 15, "Recorded"),
        (16, 15, "Another correction of this airing counts"),
        (None, 15, "The entry changed nothing"),
    ],
)
def test_a_correction_is_recorded_where_its_entry_gave_the_reach(
    corrected_index: int | None, index: int, title: str
) -> None:
    (row,) = to_builtins(AIRED.airings)
    shown = campaign(airings=[row | {"corrected_index": corrected_index}])
    assert said(f"correct.{ID}.tv-1.i12", {"state": "registered", "index": index}, shown).title.en == title


def test_what_was_not_sent_is_in_effect_already() -> None:
    assert said(f"ack.{ID}", None, TAKEN, was_sent=False).first == "newsroom"
    assert said(f"air.{ID}.tv-1", None, AIRED, was_sent=False).index == 12
    assert said(f"complete.{ID}", None, campaign(completed_index=5), was_sent=False).index == 5
    assert outcome(f"ack.{ID}", None, OPEN, 20, was_sent=False) is None, "nothing was sent, and nothing is in effect"
    # A report of another campaign is not spoken of.
    assert outcome("ack.service-launched.i5", Verdict(state="registered", index=9), TAKEN, 20, was_sent=True) is None
    assert effective_index(f"air.{ID}.radio-1", AIRED) is None
