"""Sentences that say why a campaign was not triggered, or what happened to it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from consumers.documents.campaigns.evaluations import WaitingFact
from consumers.programme.campaigns.handlers.not_aired import MEDIA, due_at
from consumers.programme.campaigns.handlers.texts import fill
from consumers.programme.campaigns.rows import Coverage
from consumers.programme.campaigns.rules.rule import NOT_AIRED, RuleSet, Text
from consumers.programme.projections.handlers.services import Service
from events.values.working_days import riyadh_date

LAUNCHED: Final = "service.launched"


def waiting(facts: Sequence[WaitingFact]) -> Text:
    """A service of which there are facts, but no registration."""
    first = facts[0]
    parts = {"count": len(facts), "cause": f"i{first.index}", "type": first.type, "agency": first.agency}
    return fill(
        {
            "ar": "الخدمة غير مسجّلة، وتنتظر تسجيلها وقائع: {count}؛ أولها القيد {cause} ({type}) من {agency}.",
            "en": "The service is not registered. Facts that wait for it: {count}; the first is entry {cause} ({type}) "
            "of {agency}.",
        },
        parts,
    )


def of_service(service: Service, coverage: Coverage | None, rules: RuleSet) -> Iterator[Text]:
    """What prevents a registered service's campaigns."""
    if not rules.about(LAUNCHED):
        yield no_rule(LAUNCHED)
    if service.launched_index is None:
        yield {"ar": "لم تُطلق الخدمة بعد.", "en": "The service is not launched."}
    if coverage is not None and coverage.suspended_from is not None:
        template = {
            "ar": "الخدمة موقوفة منذ {on}: حملاتها موقوفة معها.",
            "en": "The service is suspended since {on}: its campaigns are paused.",
        }
        yield fill(template, {"on": coverage.suspended_from})
    if service.retired:
        yield {"ar": "أُنهيت الخدمة.", "en": "The service is retired."}
    if service.launched_index is not None and coverage is not None and not service.retired:
        yield from _not_aired(coverage, rules)


def _not_aired(coverage: Coverage, rules: RuleSet) -> Iterator[Text]:
    """When the rules about the clock come due, for the channels without an airing."""
    template = {
        "ar": "القاعدة {rule}: بلا بث عبر {medium}؛ تُطلق في {on} إن لم يُبث قبله.",
        "en": "Rule {rule}: no airing on {medium}; it fires on {on} if there is none before.",
    }
    for rule in rules.about(NOT_AIRED):
        due = due_at(rule, coverage)
        for channel in rule.channels:
            if due is not None and getattr(coverage, channel) == 0:
                yield fill(template, {"rule": rule.name, "medium": MEDIA[channel], "on": riyadh_date(due)})


def no_rule(moment: str) -> Text:
    """No rule in force is about it."""
    return fill({"ar": "لا قاعدة عن {moment}.", "en": "No rule is about {moment}."}, {"moment": moment})


def plan_not_shown(plan_id: str) -> Text:
    """A group of a plan that is not the one shown."""
    template = {
        "ar": "الخطة {plan} ليست المعروضة: لا تُقيَّم مجموعاتها.",
        "en": "Plan {plan} is not the one shown: its groups are not evaluated.",
    }
    return fill(template, {"plan": plan_id})


def adopted() -> Text:
    """A campaign of the log that the rules in force do not decide."""
    return {
        "ar": "لا تقررها القواعد الحالية: قررتها قواعد سابقة أو مؤقِّت، والسجل هو المرجع.",
        "en": "The rules in force do not decide it: earlier rules or a timer did, and the log is authoritative.",
    }


def anomaly(index: int, rule: str, agency: str) -> Text:
    """An event about the campaign that changed nothing."""
    template = {
        "ar": "القيد {index} من {agency} لم يغيّر شيئاً: {rule}.",
        "en": "Entry {index} of {agency} changed nothing: {rule}.",
    }
    return fill(template, {"index": f"i{index}", "agency": agency, "rule": rule})


def not_in_log(campaign_id: str, index: int, folds_from: int) -> Text:
    """A campaign that is decided, without a trigger in the log. The rules in force decide from `folds_from` on."""
    if index < folds_from:
        template = {
            "ar": "{id} تقررها القواعد الحالية عن القيد {index}، وهو أسبق منها: لم تُطلق ولن تُطلق.",
            "en": "The rules in force decide {id} for entry {index}, which is earlier than they are: it was not and "
            "will not be triggered.",
        }
    else:
        template = {
            "ar": "{id} تقررت بالقيد {index} ولم تدخل السجل بعد: هي في طريقها إليه.",
            "en": "{id} was decided at entry {index} and is not in the log yet: it is on its way.",
        }
    return fill(template, {"id": campaign_id, "index": f"i{index}"})
