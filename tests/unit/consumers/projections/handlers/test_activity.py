"""Activity: accepted events by agency and type, refused records by the agency in whose topic they stand."""

from __future__ import annotations

from consumers.projections.handlers.activity import ACTIVITY, REFUSALS, Activity, Refusals
from tests.world.plan import Story


def test_every_entry_is_counted_and_a_refusal_for_the_agency_whose_record_it_was() -> None:
    story = Story()
    for agency in ("health", "justice", "health"):
        story.tell(agency, "revenue.collected", partnership_id="P")
    for offset in (7, 9):
        story.tell("platform", "registrar.refused", address=f"agency.municipal-affairs.events/0/{offset}")
    for batch in (1, 2, None):
        store = story.folded(batch)
        assert store.rows(ACTIVITY) == [
            Activity("health", "revenue.collected", 2, 0, 2),
            Activity("justice", "revenue.collected", 1, 1, 1),
            Activity("platform", "registrar.refused", 2, 3, 4),
        ]
        assert store.rows(REFUSALS) == [Refusals("municipal-affairs", 2, 3, 4)]
