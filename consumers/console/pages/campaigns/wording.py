"""What rules are about, and channels in a sentence, in Arabic and English. Pure."""

from __future__ import annotations

from typing import Final

from consumers.documents.campaigns.campaigns import channel_list
from consumers.programme.campaigns.next_step import working_days
from consumers.programme.campaigns.rules.rule import NOT_AIRED, Rule, RuleSet
from events.values.bilingual import Bilingual

MOMENTS: Final = {
    "service.launched": Bilingual("إطلاق خدمة", "A service is launched"),
    "service.resumed": Bilingual("استئناف خدمة", "A service is resumed"),
    "service.retired": Bilingual("إنهاء خدمة", "A service is retired"),
    "awareness.initiative-announced": Bilingual("الإعلان عن مبادرة", "An initiative is announced"),
    "partnership.workshop-announced": Bilingual("الإعلان عن ورشة عمل", "A workshop is announced"),
    "partnership.workshop-held": Bilingual("عقد ورشة عمل", "A workshop is held"),
    "partnership.framework-published": Bilingual("نشر إطار للشراكة", "A partnership framework is published"),
    "group-completed": Bilingual("اكتمال مجموعة من خدمات الخطة", "A group of the plan's services is completed"),
    "quota-met": Bilingual("بلوغ مقاعد التدريب عددها", "A training quota is met"),
    NOT_AIRED: Bilingual("خدمة أُطلقت ولم تُبث", "A launched service is not aired"),
}
"""What a rule is about."""


def rule_words(rules: RuleSet, name: str) -> Bilingual:
    """What the rule is about; its name where no rule in force has it."""
    rule = rule_of(rules, name)
    return Bilingual(name, name) if rule is None else MOMENTS.get(rule.when, Bilingual(name, name))


def rule_sentence(rules: RuleSet, name: str) -> Bilingual | None:
    """What the rule asks of whom, as a sentence; None where no rule in force has this name."""
    rule = rule_of(rules, name)
    if rule is None:
        return None
    sentence = Bilingual("{}: تُبث الحملة في {} خلال {}.", "{}: the campaign is due on {} within {}.")
    within = working_days(rule.due_working_days, after_preposition=True)
    return sentence.format(rule_words(rules, name), channel_list(rule.channels), within)


def rule_of(rules: RuleSet, name: str) -> Rule | None:
    return next((rule for rule in rules.rules if rule.name == name), None)
