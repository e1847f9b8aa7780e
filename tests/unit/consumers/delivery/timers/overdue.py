"""A campaign of a story as the timers read it, and what they decide."""

from __future__ import annotations

from dataclasses import fields

from consumers.delivery.timers.timers import Overdue, escalation
from consumers.programme.campaigns.rows import AIRING, COVERAGE
from infra.postgres.outbox import OutboxEvent
from tests.world.story import Story


def overdue(story: Story, campaign_id: str) -> Overdue:
    """The campaign's row, as the timers read it."""
    row = story.campaign(campaign_id)
    airings = [airing for airing in story.store.rows(AIRING) if airing.campaign_id == campaign_id]
    aired: dict[str, int] = {}
    for airing in sorted(airings, key=lambda airing: airing.index):
        aired.setdefault(airing.channel, airing.index)
    coverage = {row.service_id: row for row in story.store.rows(COVERAGE)}.get(row.service_id or "")
    same = {field.name: getattr(row, field.name) for field in fields(Overdue) if hasattr(row, field.name)}
    return Overdue(**same, suspended_from=coverage.suspended_from if coverage else None, aired=aired)


def escalated(
    story: Story, campaign_id: str, *, entries: int | None = None, today: str = "2026-12-31"
) -> OutboxEvent | None:
    """The decision, where the log had so many entries at midnight: by default, all of today."""
    return escalation(overdue(story, campaign_id), len(story.entries) if entries is None else entries, today)
