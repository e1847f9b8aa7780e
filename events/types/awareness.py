"""Awareness: initiatives, campaigns that the platform triggers, and the teams' reports."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from events.faults.model import FreeL, L, Model
from events.values.bounds import CHANNELS_MAX
from events.values.fields import AgencyCode, Channel, Count, Date, Id, PositiveCount


class AwarenessInitiativeAnnounced(Model):
    initiative_id: Id
    name: L
    aim: L
    on: Date


class AwarenessCampaignAcknowledged(Model):
    campaign_id: Id
    by: Id
    on: Date


class AwarenessCampaignAired(Model):
    campaign_id: Id
    airing_id: Id
    channel: Channel
    outlet: FreeL
    on: Date
    reach: Count


class AwarenessCampaignAiringCorrected(Model):
    campaign_id: Id
    airing_id: Id
    reach: Count
    on: Date
    reason: FreeL


class AwarenessCampaignCompleted(Model):
    campaign_id: Id
    on: Date


class _Campaign(Model):
    campaign_id: Id
    rule: Id
    rules_version: PositiveCount
    cause_index: Count
    kind: Literal["specific", "general"]
    owner: AgencyCode
    # Given for a specific campaign; an explicit null is refused.
    service_id: Id = None  # type: ignore[assignment]
    channels: Annotated[list[Channel], Field(min_length=1, max_length=CHANNELS_MAX)]
    due_on: Date
    brief: L
    reason: L
    # Absent means normal; an explicit null is refused.
    urgency: Literal["normal", "high"] = None  # type: ignore[assignment]


class CampaignTriggered(_Campaign):
    pass


class CampaignPaused(_Campaign):
    pass


class CampaignResumed(_Campaign):
    pass


class CampaignEscalated(_Campaign):
    pass
