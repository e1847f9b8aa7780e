"""Activity: accepted events by agency and type, refused records by the agency in whose topic they stand."""

from __future__ import annotations

from consumers.projections.handlers.activity import ACTIVITY, REFUSALS, Activity, Refusals
from tests.world.plan import Story


def test_every_entry_is_counted_whatever_its_type() -> None:
    story = Story()
    for agency in ("health", "justice", "health"):
        story.tell(agency, "revenue.collected", partnership_id="P")
    for batch in (1, 2, None):
        assert story.folded(batch).rows(ACTIVITY) == [
            Activity("health", "revenue.collected", 2, 0, 2),
            Activity("justice", "revenue.collected", 1, 1, 1),
        ]


def test_a_refusal_counts_for_the_agency_whose_record_it_was() -> None:
    story = Story()
    for offset in (7, 9):
        story.tell("platform", "registrar.refused", address=f"agency.municipal-affairs.events/0/{offset}")
    for batch in (1, None):
        assert story.folded(batch).rows(REFUSALS) == [Refusals("municipal-affairs", 2, 0, 1)]
