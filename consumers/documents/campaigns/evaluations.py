"""What the campaign rules decided, in the log and in a trial of changed rules."""

from __future__ import annotations

from typing import Annotated

from msgspec import UNSET, Struct, UnsetType

from consumers.documents.campaigns.campaigns import CampaignKind, Channel
from consumers.documents.document import AgencyCode, Count, Date, Instant, Label, Name


class Evaluation(Struct, frozen=True, kw_only=True):
    """A rule's decision on a cause. Of certificates that did not fire it is the last; `count` is how many there were
    from `first_index` on."""

    rule: str
    cause_index: Count
    part: str
    rules_version: Count | None
    fired: bool
    campaign_id: str | None
    reason: Name
    first_index: Count | UnsetType = UNSET
    count: Count | UnsetType = UNSET


class ExplainedCampaign(Struct, frozen=True, kw_only=True):
    """A campaign that a rule decided, in the log or not."""

    campaign_id: str
    rule: str
    cause_index: Count
    owner: Annotated[AgencyCode, Label("الجهة", "Agency")]
    service_id: str | None
    due_on: Date
    triggered_index: Count | None
    acknowledged_index: Count | None
    acknowledged_by: str | None
    acknowledged_at: Instant | None
    completed_index: Count | None
    escalated: bool
    tv: Count
    radio: Count
    print: Count


class Subject(Struct, frozen=True, kw_only=True):
    """What an explanation is about: a campaign, a service, a quota, a group of a plan or an initiative."""

    kind: str
    id: str


class WaitingFact(Struct, frozen=True, kw_only=True):
    """A fact that waits for its service's registration."""

    index: Count
    type: str
    agency: str


class Facts(Struct, frozen=True, kw_only=True):
    """What is known of a service, a quota or a group of a plan; nothing of others."""

    registered: bool | UnsetType = UNSET
    waiting: tuple[WaitingFact, ...] | UnsetType = UNSET
    owner: str | UnsetType = UNSET
    launched_on: Date | UnsetType | None = UNSET
    launched_index: Count | UnsetType | None = UNSET
    suspended_from: Date | UnsetType | None = UNSET
    retired: bool | UnsetType = UNSET
    seats: Count | UnsetType = UNSET
    net: int | UnsetType = UNSET
    launched: Count | UnsetType = UNSET
    target: Count | UnsetType | None = UNSET


class Explanation(Struct, kw_only=True):
    """What is known of a subject. `remarks` say what prevents a campaign, or what happened."""

    log_index: Count
    about: Subject
    facts: Facts
    remarks: list[Name]
    evaluations: list[Evaluation]
    campaigns: list[ExplainedCampaign]


class TriedTrigger(Struct, frozen=True, kw_only=True):
    """A trigger that the rules in force or the changed ones decide; `differs_in` where both do, but differently."""

    campaign_id: str
    rule: str
    cause_index: Count
    kind: CampaignKind
    owner: str
    service_id: str | None
    channels: tuple[Channel, ...]
    due_on: Date
    brief: Name
    reason: Name
    in_log: bool
    differs_in: tuple[str, ...] | UnsetType = UNSET


class Trial(Struct, frozen=True, kw_only=True):
    """What changed rules decide from entry `since` on: new triggers, those that are gone, and those that differ."""

    log_index: Count
    since: Count
    fired: tuple[TriedTrigger, ...]
    no_longer: tuple[TriedTrigger, ...]
    changed: tuple[TriedTrigger, ...]
    unchanged: Count
