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
    rule: str
    kind: str
    urgency: str
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
    parts: dict[str, Any] = {
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
    index, part = occurrence.cause_index, occurrence.part
    campaign_id = f"{rule.name}.i{index}.{part}" if part else f"{rule.name}.i{index}"
    service_id = occurrence.service_id if rule.kind == "specific" else None
    parts["owner"] = owner.name
    decided = proposal(rule, campaign_id, index, occurrence.recorded, owner, service_id, rule.channels, parts)
    return Decision(rule.name, index, part, decided.reason, decided)


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
    return campaign_event(
        "triggered", proposal, proposal.recorded, proposal.cause_index, proposal.reason, rules_version=rules_version
    )


_MEMBERS: Final = (
    *("campaign_id", "rule", "rules_version", "kind", "owner", "service_id", "channels", "due_on", "brief", "urgency"),
)


def campaign_event(
    what: str, campaign: Any, time: str, cause_index: int, reason: Text, suffix: str = "", **given: Any
) -> OutboxEvent:
    """The platform's event `campaign.WHAT` about a proposal or a campaign's row; `given` are members that are not its
    own. A service that there is not, and an urgency that is normal, are left out."""
    data = {name: given[name] if name in given else getattr(campaign, name) for name in _MEMBERS}
    if data["service_id"] is None:
        del data["service_id"]
    if data["urgency"] == "normal":
        del data["urgency"]
    data |= {"channels": list(data["channels"]), "cause_index": cause_index, "reason": reason}
    return OutboxEvent(
        id=f"{what}.{campaign.campaign_id}{suffix}",
        type=f"campaign.{what}",
        subject=f"campaign/{campaign.campaign_id}",
        data=data,
        time=time,
        cause_index=cause_index,
    )


def proposal(
    rule: Rule,
    campaign_id: str,
    cause_index: int,
    recorded: str,
    owner: Agency,
    service_id: str | None,
    channels: tuple[str, ...],
    parts: Mapping[str, Any],
) -> Proposal:
    """The campaign that a rule decides, with its texts; `parts` are the values of their placeholders."""
    return Proposal(
        campaign_id=campaign_id,
        rule=rule.name,
        kind=rule.kind,
        urgency=rule.urgency,
        cause_index=cause_index,
        recorded=recorded,
        owner=owner.code,
        service_id=service_id,
        channels=channels,
        due_on=due_on(recorded, rule.due_working_days),
        brief=fill(rule.brief, parts),
        reason=fill(rule.reason, parts),
    )
