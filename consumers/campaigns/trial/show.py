"""Rules and trials for people, in Arabic and English."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import UNSET
from rich.console import RenderableType

from consumers.campaigns.rules.rule import MOMENTS, Rule, RuleSet
from consumers.campaigns.rules.rule_file import Fault
from consumers.documents.campaigns.evaluations import Trial
from consumers.documents.campaigns.rules import RULES, CampaignRule, RuleSetDocument
from consumers.documents.document import document_of
from consumers.documents.tables import grid
from infra.command_line.language import localized


def rule_document(rule: Rule) -> CampaignRule:
    return document_of(CampaignRule, vars(rule), after_working_days=rule.after_working_days or None)


def rules_document(rules: RuleSet) -> RuleSetDocument:
    """A set as JSON."""
    rows = [rule_document(rule) for rule in rules.rules]
    return {"version": rules.version, "from": "deployment" if rules.own else "release", "rules": rows}


def rules_parts(rules: RuleSet) -> Iterator[RenderableType]:
    """The rules as a table."""
    yield grid(RULES, map(rule_document, rules.rules))
    if rules.own:
        yield localized("من مجلد هذه المنشأة (YESSER_CAMPAIGN_RULES).", "From this deployment's folder.", "\n")
    else:
        yield localized("قواعد هذا الإصدار.", "The rules of this release.", "\n")


def rule_parts(rule: CampaignRule) -> Iterator[str]:
    """One rule with its texts and the placeholders that they may use."""
    yield f"{rule.name}  {rule.version}  {rule.when}"
    channels, due = rule.channels, rule.due_working_days
    yield localized(
        f"حملة {rule.kind.ar}، {rule.owner.ar}، {'، '.join(one.ar for one in channels)}، خلال {due} من أيام العمل،"
        f" {rule.urgency.ar}.",
        f"{rule.kind.en} campaign. {rule.owner.en}. {', '.join(one.en for one in channels)}. Due in {due} working days."
        f" {rule.urgency.en}.",
        "\n",
    )
    for heading, text in ((("الموجز", "Brief"), rule.brief), (("السبب", "Reason"), rule.reason)):
        yield f"\n{localized(*heading)}\n" + localized(text.ar, text.en, "\n")
    known = ", ".join(f"{{{name}}}" for name in MOMENTS[rule.when].placeholders)
    yield "\n" + localized(f"المواضع المتاحة: {known}", f"Placeholders: {known}", "\n")


def faults_parts(faults: Sequence[Fault]) -> Iterator[str]:
    """Every fault with its file and pointer."""
    for fault in faults:
        yield f"{fault.file} {fault.pointer}".rstrip()
        yield "    " + localized(fault.ar, fault.en, "\n    ")


def trial_parts(trial: Trial) -> Iterator[RenderableType]:
    """What would have been triggered, and what not any more."""
    for heading, rows in (
        (("تُطلق مع هذا التغيير", "Would have been triggered"), trial.fired),
        (("لا تُطلق بعد هذا التغيير", "Would not have been triggered"), trial.no_longer),
        (("تُطلق بنص أو موعد مختلف", "Would have been triggered differently"), trial.changed),
    ):
        yield f"{localized(*heading)}: {len(rows)}"
        for row in rows:
            subject = " · ".join(filter(None, (row.owner, row.service_id, row.due_on)))
            differs = f"  ({', '.join(row.differs_in)})" if row.differs_in is not UNSET else ""
            logged = f"  {localized('في السجل', 'in the log')}" if row.in_log else ""
            yield f"  {row.campaign_id}  {subject}{differs}{logged}"
            yield "    " + localized(row.reason.ar, row.reason.en, "\n    ")
    yield localized(f"بلا تغيير: {trial.unchanged}", f"Unchanged: {trial.unchanged}")
    yield localized(
        f"القيود {trial.since}…{trial.log_index}. لم يُكتب شيء ولم يُنشر شيء.",
        f"Entries {trial.since} … {trial.log_index}. Nothing was written or published.",
        "\n",
    )
