"""Which campaigns are escalated, at which midnight, and what the event says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from consumers.delivery.timers.timers import settled_day, settling_time
from events.validation.validate import validate
from events.validation.verdicts import Accepted, Agency
from events.values.calendar import day_after
from events.wire.codec import STRUCTURED_HEADERS
from infra.postgres.outbox import event_bytes
from infra.settings import Settings
from tests.every import every
from tests.unit.consumers.delivery.timers.overdue import escalated
from tests.world.story import Story, launched


def air_on(story: Story, campaign_id: str, *channels: str) -> None:
    for channel in channels:
        story.air(campaign_id, f"A-{channel}", channel)


def test_a_campaign_that_nobody_took_up_is_escalated_with_the_data_of_its_trigger() -> None:
    story, campaign = launched()
    event = escalated(story, campaign)
    assert event is not None
    trigger = next(entry for entry in story.entries if entry.type == "campaign.triggered")
    assert event.id == f"escalated.{campaign}"
    assert event.subject == f"campaign/{campaign}"
    assert event.time == "2026-11-15T21:00:00.000000Z"
    assert {**event.data, "reason": None} == {**trigger.data, "reason": None}
    assert event.data["reason"]["en"] == (
        "The due date 2026-11-15 has passed, and the campaign was neither acknowledged nor aired on: tv, radio, print."
    )
    verdict = validate(event_bytes(event), STRUCTURED_HEADERS, Agency("platform", "platform"))
    assert isinstance(verdict, Accepted), "by the registrar"


def test_it_is_escalated_unless_it_was_acknowledged_and_aired_on_each_channel() -> None:
    (acknowledged, campaign), (aired, _) = launched(), launched()
    acknowledged.acknowledge(campaign)
    air_on(acknowledged, campaign, "radio")
    air_on(aired, campaign, "tv", "radio", "print")
    for story, language, words in (
        (acknowledged, "en", "the campaign was not aired on: tv, print."),
        (acknowledged, "ar", "عبر: التلفزيون، الصحافة."),
        (aired, "en", "the campaign was not acknowledged."),
    ):
        event = escalated(story, campaign)
        assert event is not None
        assert event.data["reason"][language].endswith(words)
    air_on(acknowledged, campaign, "tv", "print")
    assert escalated(acknowledged, campaign) is None


@every("done", ["complete", "acknowledge and air"])
def test_what_was_recorded_after_midnight_does_not_count(done: str) -> None:
    story, campaign = launched()
    entries, on_time = len(story.entries), escalated(story, campaign)
    if done == "complete":
        story.complete(campaign)
    else:
        story.acknowledge(campaign)
        air_on(story, campaign, "tv", "radio", "print")
    assert escalated(story, campaign) is None
    late = escalated(story, campaign, entries=entries)
    assert late is not None
    assert on_time is not None
    assert event_bytes(late) == event_bytes(on_time), "the same bytes, however late it is decided"


def test_a_paused_campaign_is_not_escalated_even_where_its_service_is_retired() -> None:
    story, campaign = launched()
    story.at = "2026-11-15T20:59:59.000000Z"
    for change in ("suspended", "retired"):
        story.change(change, "S")
        assert escalated(story, campaign) is None, change
    story, campaign = launched()
    entries = len(story.entries)
    story.at = "2026-11-15T21:00:00.000001Z"
    story.change("suspended", "S")
    assert escalated(story, campaign, entries=entries) is not None, "after midnight it comes too late"


def test_a_resumed_campaign_is_escalated_after_its_moved_due_date() -> None:
    story, campaign = launched()
    story.at = "2026-11-04T08:00:00.000000Z"  # a Wednesday
    story.change("suspended", "S")
    story.at = "2026-11-09T08:00:00.000000Z"  # Monday: Wednesday, Thursday and Sunday were lost
    story.change("resumed", "S")
    event = escalated(story, campaign)
    assert event is not None
    assert (event.data["due_on"], event.time) == ("2026-11-18", "2026-11-18T21:00:00.000000Z")


@every(
    ("launched_at", "due_on"),
    [
        ("2026-11-01T20:59:59.999999Z", "2026-11-15"),  # 23:59 in Riyadh
        ("2026-11-01T21:00:00.000000Z", "2026-11-16"),  # midnight
        ("2026-03-12T08:00:00.000000Z", "2026-03-29"),  # Eid al-Fitr 1447, Friday to Sunday
    ],
)
def test_escalation_comes_at_midnight_in_riyadh_after_the_due_date(launched_at: str, due_on: str) -> None:
    """Which day is the tenth working day: `test_triggers.py`."""
    story, campaign = launched(launched_at)
    assert escalated(story, campaign, today=due_on) is None
    event = escalated(story, campaign, today=day_after(due_on, 1))
    assert event is not None
    assert (event.data["due_on"], event.time) == (due_on, f"{due_on}T21:00:00.000000Z")


@every("database_ahead_s", [0, -300, 300])
def test_a_day_is_over_by_the_clock_that_is_behind_once_its_last_entries_are_committed(database_ahead_s: float) -> None:
    settling, moment = settling_time(Settings()), timedelta(microseconds=1)
    now = datetime(2026, 11, 15, 21, tzinfo=UTC) + timedelta(seconds=330 - min(0, database_ahead_s))
    for at, day in ((now - moment, "2026-11-15"), (now, "2026-11-16")):
        assert settled_day(at, at + timedelta(seconds=database_ahead_s), settling) == day
