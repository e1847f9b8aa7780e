"""Decides by the rules: a moment and a rule → a campaign, or why there is none (events.md §6).

Flows in: an `Occurrence`, which took effect. Flows out: the `Decision` of a rule, fired or not, with the reason, and
with the campaign where it fired. Pure: no clock, no table.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from consumers.programme.campaigns.handlers.texts import fill
from consumers.programme.campaigns.rules.rule import Rule, Text
from events.values.data import Data
from events.values.working_days import due_on
from infra.postgres.outbox import OutboxEvent


@dataclass(frozen=True, slots=True)
class Occurrence:
    """What took effect.

    `cause_index`, `recorded` are of the cause: the fact itself, even if it was pending, or the entry that changed the
    figure. `agency` owns the service or announced. `parts` are the values of placeholders. `part` distinguishes
    campaigns of one cause (a group, a quota). `figure` and `target` are set together.
    """

    moment: str
    cause_index: int
    recorded: str
    parts: Mapping[str, Any]
    agency: str = ""
    part: str = ""
    service_id: str | None = None
    figure: int | None = None
    target: int | None = None


@dataclass(frozen=True, slots=True)
class Agency:
    """An agency and its name, which is its code where the log does not give it."""

    code: str
    name: Text


@dataclass(frozen=True, slots=True)
class Proposal:
    """A campaign that a rule decided. `recorded` is the time of its trigger: that of its cause, or when it came due."""

    campaign_id: str
    rule: Rule
    cause_index: int
    recorded: str
    owner: str
    service_id: str | None
    channels: tuple[str, ...]
    due_on: str
    brief: Text
    reason: Text


@dataclass(frozen=True, slots=True)
class Decision:
    """A rule's decision on an occurrence. `proposal` is set exactly when it fired."""

    rule: str
    cause_index: int
    part: str
    reason: Text
    proposal: Proposal | None = None


WHY_NOT: Final[Mapping[str, Text]] = {
    "no-target": {"ar": "لا هدف أكبر من صفر.", "en": "There is no target above zero."},
    "fired-before": {"ar": "سبق أن أُطلقت هذه الحملة.", "en": "This rule has fired for it before."},
    "below": {"ar": "{figure} من {target} حتى القيد {cause}.", "en": "{figure} of {target} at entry {cause}."},
    "no-office": {
        "ar": "مكتب البرنامج غير معروف حتى القيد {cause}.",
        "en": "No programme office is known at entry {cause}.",
    },
    "contradicted": {
        "ar": "القيد {cause} لم يغيّر شيئاً ({anomaly}).",
        "en": "Entry {cause} changed nothing ({anomaly}).",
    },
}
"""Why a rule did not fire."""


def evaluate(rule: Rule, occurrence: Occurrence, owner: Agency | None, *, fired_before: bool = False) -> Decision:
    """The decision of `rule`, which is about the moment of `occurrence`. Without an owner it does not fire."""
    parts = {
        **occurrence.parts,
        "cause": f"i{occurrence.cause_index}",
        "figure": occurrence.figure,
        "target": occurrence.target,
    }
    if owner is None:
        return Decision(rule.name, occurrence.cause_index, occurrence.part, fill(WHY_NOT["no-office"], parts))
    if occurrence.figure is not None and occurrence.target is not None:
        code = why_not(occurrence.figure, occurrence.target, fired_before=fired_before)
        if code is not None:
            return Decision(rule.name, occurrence.cause_index, occurrence.part, fill(WHY_NOT[code], parts))
    return _fire(rule, occurrence, owner, {**parts, "owner": owner.name})


def why_not(figure: int, target: int, *, fired_before: bool) -> str | None:
    """Why a rule about a figure does not fire, a key of `WHY_NOT`; None if it fires."""
    if target <= 0:
        return "no-target"
    if fired_before:
        return "fired-before"
    return "below" if figure < target else None


def contradicted(rule: str, cause_index: int, anomaly: str) -> Decision:
    """The cause was an anomaly: it changed nothing, and so triggers nothing."""
    parts = {"cause": f"i{cause_index}", "anomaly": anomaly}
    return Decision(rule, cause_index, "", fill(WHY_NOT["contradicted"], parts))


def trigger(proposal: Proposal, rules_version: int) -> OutboxEvent:
    """The event `campaign.triggered` of a proposal. The same proposal always gives the same id and bytes."""
    rule = proposal.rule
    data: Data = {
        "campaign_id": proposal.campaign_id,
        "rule": rule.name,
        "rules_version": rules_version,
        "cause_index": proposal.cause_index,
        "kind": rule.kind,
        "owner": proposal.owner,
        "channels": list(proposal.channels),
        "due_on": proposal.due_on,
        "brief": proposal.brief,
        "reason": proposal.reason,
    }
    if proposal.service_id is not None:
        data["service_id"] = proposal.service_id
    if rule.urgency != "normal":
        data["urgency"] = rule.urgency
    return OutboxEvent(
        id=f"triggered.{proposal.campaign_id}",
        type="campaign.triggered",
        subject=f"campaign/{proposal.campaign_id}",
        data=data,
        time=proposal.recorded,
        cause_index=proposal.cause_index,
    )


def _fire(rule: Rule, occurrence: Occurrence, owner: Agency, parts: Mapping[str, Any]) -> Decision:
    suffix = f".{occurrence.part}" if occurrence.part else ""
    proposal = Proposal(
        campaign_id=f"{rule.name}.i{occurrence.cause_index}{suffix}",
        rule=rule,
        cause_index=occurrence.cause_index,
        recorded=occurrence.recorded,
        owner=owner.code,
        service_id=occurrence.service_id if rule.kind == "specific" else None,
        channels=rule.channels,
        due_on=due_on(occurrence.recorded, rule.due_working_days),
        brief=fill(rule.brief, parts),
        reason=fill(rule.reason, parts),
    )
    return Decision(rule.name, occurrence.cause_index, occurrence.part, proposal.reason, proposal)
