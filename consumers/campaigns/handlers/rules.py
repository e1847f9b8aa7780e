"""The rules as data: event → who must act, on which channels, by when, with which brief (events.md §6).

Flows in: a `RuleInput`, a fact that took effect. Flows out: the `Decision` of its rule, fired or not, with the reason;
a fired one has the campaign. Pure: no clock, no table.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from consumers.campaigns.handlers.texts import Text, fill
from events.values.working_days import due_on

RULES_VERSION: Final = 1
"""Grows when a rule decides differently; it is recorded with the consumer's position and in each trigger."""

Kind = Literal["specific", "general"]


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. It fires at each of its inputs or, for an input with a figure, when the figure reaches the target."""

    name: str
    kind: Kind
    channels: tuple[str, ...]
    due_working_days: int
    brief: Text
    reason: Text


@dataclass(frozen=True, slots=True)
class RuleInput:
    """What took effect.

    `cause_index`, `recorded` are of the cause: the fact itself, even if it was pending, or the entry that changed the
    figure. `part` distinguishes campaigns of one cause (a group, a quota). `figure` and `target` are set together.
    """

    rule: str
    cause_index: int
    recorded: str
    owner: str
    parts: Mapping[str, Any]
    part: str = ""
    service_id: str | None = None
    figure: int | None = None
    target: int | None = None


@dataclass(frozen=True, slots=True)
class Proposal:
    """A campaign that a rule decided. `recorded` is the recorded time of its cause, and the time of the trigger."""

    campaign_id: str
    rule: Rule
    cause_index: int
    recorded: str
    owner: str
    service_id: str | None
    due_on: str
    brief: Text
    reason: Text


@dataclass(frozen=True, slots=True)
class Decision:
    """A rule's decision on an input. `proposal` is set exactly when it fired."""

    rule: str
    cause_index: int
    part: str
    reason: Text
    proposal: Proposal | None = None


_ALL_CHANNELS: Final = ("tv", "radio", "print")

DEFAULT_RULES: Final = (
    Rule(
        name="service-launched",
        kind="specific",
        channels=_ALL_CHANNELS,
        due_working_days=10,
        brief={
            "ar": "عرّفوا المواطنين بأن خدمة «{name}» أصبحت متاحة: ما هي، ومن يستفيد منها، وكيف يصل إليها.",
            "en": "Tell citizens that the service “{name}” is open: what it does, who may use it and how to reach it.",
        },
        reason={
            "ar": "أُطلقت خدمة «{name}» بالقيد {cause}.",
            "en": "The service “{name}” was launched by entry {cause}.",
        },
    ),
    Rule(
        name="initiative-announced",
        kind="general",
        channels=_ALL_CHANNELS,
        due_working_days=10,
        brief={
            "ar": "عرّفوا المواطنين بمبادرة «{name}». هدفها: {aim}",
            "en": "Make the initiative “{name}” known to citizens. Its aim: {aim}",
        },
        reason={
            "ar": "أُعلنت مبادرة «{name}» بالقيد {cause}.",
            "en": "The initiative “{name}” was announced by entry {cause}.",
        },
    ),
    Rule(
        name="group-completed",
        kind="general",
        channels=_ALL_CHANNELS,
        due_working_days=10,
        brief={
            "ar": "اكتملت خدمات المجموعة {group} من الخطة {plan_id}: عرّفوا المواطنين بما يمكنهم إنجازه إلكترونياً.",
            "en": "Group {group} of the services of plan {plan_id} is complete: tell citizens what they can do online.",
        },
        reason={
            "ar": "بلغت الخدمات المطلقة في المجموعة {group} هدف الخطة {plan_id} ({figure} من {target}) بالقيد {cause}.",
            "en": "Launched services of group {group} reached the target of plan {plan_id} ({figure} of {target}) "
            "at entry {cause}.",
        },
    ),
    Rule(
        name="quota-met",
        kind="general",
        channels=_ALL_CHANNELS,
        due_working_days=10,
        brief={
            "ar": "اكتملت مقاعد التدريب، مسار {track}، لعام {year}: عرّفوا المواطنين بما تحقق.",
            "en": "The seats of training track {track} for {year} are filled: tell citizens what was achieved.",
        },
        reason={
            "ar": "بلغ صافي الشهادات في مسار {track} لعام {year} عدد المقاعد ({figure} من {target}) بالقيد {cause}.",
            "en": "Net certificates of track {track} for {year} reached the seats ({figure} of {target}) "
            "at entry {cause}.",
        },
    ),
)
"""Active by default (events.md §6)."""

_NO_TARGET: Final = {"ar": "لا هدف أكبر من صفر.", "en": "There is no target above zero."}
_BELOW: Final = {"ar": "{figure} من {target} حتى القيد {cause}.", "en": "{figure} of {target} at entry {cause}."}
_FIRED_BEFORE: Final = {"ar": "سبق أن أُطلقت هذه الحملة.", "en": "This rule has fired for it before."}
_CONTRADICTED: Final = {
    "ar": "القيد {cause} لم يغيّر شيئاً ({anomaly}).",
    "en": "Entry {cause} changed nothing ({anomaly}).",
}


def evaluate(rule: Rule, occurrence: RuleInput, *, fired_before: bool = False) -> Decision:
    """The decision of `rule`, which is that of the input."""
    parts = {
        **occurrence.parts,
        "cause": f"i{occurrence.cause_index}",
        "figure": occurrence.figure,
        "target": occurrence.target,
    }
    why_not = _why_not(occurrence, fired_before)
    if why_not is not None:
        return Decision(rule.name, occurrence.cause_index, occurrence.part, fill(why_not, parts))
    return _fire(rule, occurrence, parts)


def contradicted(rule: str, cause_index: int, anomaly: str) -> Decision:
    """The cause was an anomaly: it changed nothing, and so triggers nothing."""
    parts = {"cause": f"i{cause_index}", "anomaly": anomaly}
    return Decision(rule, cause_index, "", fill(_CONTRADICTED, parts))


def _why_not(occurrence: RuleInput, fired_before: bool) -> Text | None:
    if occurrence.figure is None or occurrence.target is None:
        return None
    if occurrence.target <= 0:
        return _NO_TARGET
    if occurrence.figure < occurrence.target:
        return _BELOW
    return _FIRED_BEFORE if fired_before else None


def _fire(rule: Rule, occurrence: RuleInput, parts: Mapping[str, Any]) -> Decision:
    suffix = f".{occurrence.part}" if occurrence.part else ""
    proposal = Proposal(
        campaign_id=f"{rule.name}.i{occurrence.cause_index}{suffix}",
        rule=rule,
        cause_index=occurrence.cause_index,
        recorded=occurrence.recorded,
        owner=occurrence.owner,
        service_id=occurrence.service_id,
        due_on=due_on(occurrence.recorded, rule.due_working_days),
        brief=fill(rule.brief, parts),
        reason=fill(rule.reason, parts),
    )
    return Decision(rule.name, occurrence.cause_index, occurrence.part, proposal.reason, proposal)
