"""Sentences that say why a campaign was not triggered, or what happened to it. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from msgspec.structs import asdict

from consumers.documents.document import Name
from consumers.programme.campaigns.handlers.not_aired import MEDIA, due_at
from consumers.programme.campaigns.handlers.texts import fill
from consumers.programme.campaigns.rows import Coverage
from consumers.programme.campaigns.rules.rule import NOT_AIRED, RuleSet
from consumers.programme.projections.handlers.services import Service
from events.values.bilingual import Bilingual
from events.values.working_days import riyadh_date

LAUNCHED: Final = "service.launched"
_SENTENCES: Final = {
    "waiting": Bilingual(
        "الخدمة غير مسجّلة، وتنتظر تسجيلها وقائع: {count}؛ أولها القيد {cause} ({type}) من {agency}.",
        "The service is not registered. Facts that wait for it: {count}; the first is entry {cause} ({type}) of "
        "{agency}.",
    ),
    "not-launched": Bilingual("لم تُطلق الخدمة بعد.", "The service is not launched."),
    "suspended": Bilingual(
        "الخدمة موقوفة منذ {on}: حملاتها موقوفة معها.",
        "The service is suspended since {on}: its campaigns are paused.",
    ),
    "retired": Bilingual("أُنهيت الخدمة.", "The service is retired."),
    "not-aired": Bilingual(
        "القاعدة {rule}: بلا بث عبر {medium}؛ تُطلق في {on} إن لم يُبث قبله.",
        "Rule {rule}: no airing on {medium}; it fires on {on} if there is none before.",
    ),
    "no-rule": Bilingual("لا قاعدة عن {moment}.", "No rule is about {moment}."),
    "plan-not-shown": Bilingual(
        "الخطة {plan} ليست المعروضة: لا تُقيَّم مجموعاتها.",
        "Plan {plan} is not the one shown: its groups are not evaluated.",
    ),
    "adopted": Bilingual(
        "لا تقررها القواعد الحالية: قررتها قواعد سابقة أو مؤقِّت، والسجل هو المرجع.",
        "The rules in force do not decide it: earlier rules or a timer did, and the log is authoritative.",
    ),
    "anomaly": Bilingual(
        "القيد {index} من {agency} لم يغيّر شيئاً: {rule}.",
        "Entry {index} of {agency} changed nothing: {rule}.",
    ),
    "too-early": Bilingual(
        "{id} تقررها القواعد الحالية عن القيد {index}، وهو أسبق منها: لم تُطلق ولن تُطلق.",
        "The rules in force decide {id} for entry {index}, which is earlier than they are: it was not and will not be "
        "triggered.",
    ),
    "on-its-way": Bilingual(
        "{id} تقررت بالقيد {index} ولم تدخل السجل بعد: هي في طريقها إليه.",
        "{id} was decided at entry {index} and is not in the log yet: it is on its way.",
    ),
}


def remark(name: str, **parts: object) -> Name:
    """A sentence with its values."""
    return Name(**fill(asdict(_SENTENCES[name]), parts))


def of_service(service: Service, coverage: Coverage | None, rules: RuleSet) -> Iterator[Name]:
    """What prevents a registered service's campaigns."""
    if not rules.about(LAUNCHED):
        yield remark("no-rule", moment=LAUNCHED)
    if service.launched_index is None:
        yield remark("not-launched")
    if coverage is not None and coverage.suspended_from is not None:
        yield remark("suspended", on=coverage.suspended_from)
    if service.retired:
        yield remark("retired")
    if service.launched_index is not None and coverage is not None and not service.retired:
        yield from _not_aired(coverage, rules)


def _not_aired(coverage: Coverage, rules: RuleSet) -> Iterator[Name]:
    """When the rules about the clock come due, for the channels without an airing."""
    for rule in rules.about(NOT_AIRED):
        due = due_at(rule, coverage)
        for channel in rule.channels:
            if due is not None and getattr(coverage, channel) == 0:
                yield remark("not-aired", rule=rule.name, medium=MEDIA[channel], on=riyadh_date(due))
