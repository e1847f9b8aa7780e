"""Rules and trials for people, in Arabic and English."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from rich.console import RenderableType

from consumers.campaigns.rules.rule import MOMENTS, NOT_AIRED, Rule, RuleSet
from consumers.campaigns.rules.rule_file import Fault
from consumers.campaigns.trial.trial import Trial
from infra.command_line.display import Column, Grid
from infra.command_line.language import localized

OWNERS: Final = {
    "service-owner": ("مالك الخدمة", "the service's owner"),
    "announcer": ("الجهة المعلنة", "who announced it"),
    "office": ("مكتب البرنامج", "the office"),
}
KINDS: Final = {"specific": ("خاصة", "specific"), "general": ("عامة", "general")}
URGENCIES: Final = {"normal": ("عادية", "normal"), "high": ("عالية", "high")}


def rule_document(rule: Rule) -> dict[str, Any]:
    """A rule as JSON."""
    return {
        "name": rule.name,
        "version": rule.version,
        "when": rule.when,
        "after_working_days": rule.after_working_days or None,
        "kind": rule.kind,
        "owner": rule.owner,
        "channels": list(rule.channels),
        "due_working_days": rule.due_working_days,
        "urgency": rule.urgency,
        "brief": rule.brief,
        "reason": rule.reason,
        "file": rule.file,
        "sha256": rule.sha256,
    }


def rules_document(rules: RuleSet) -> dict[str, Any]:
    """A set as JSON."""
    rows = [rule_document(rule) for rule in rules.rules]
    return {"version": rules.version, "from": "deployment" if rules.own else "release", "rules": rows}


def rules_parts(rules: RuleSet) -> Iterator[RenderableType]:
    """The rules as a table."""
    columns = [
        Column("القاعدة", "Rule"),
        Column("متى", "When"),
        Column("الحملة", "Campaign", drop=2),
        Column("المالك", "Owner", drop=1, wraps=True),
        Column("القنوات", "Channels", drop=3),
        Column("أيام العمل", "Working days", right=True),
        Column("الإصدار", "Version", right=True),
    ]
    rows = [
        [
            rule.name,
            f"{rule.when} {rule.after_working_days}" if rule.when == NOT_AIRED else rule.when,
            localized(*KINDS[rule.kind], "\n"),
            localized(*OWNERS[rule.owner], "\n"),
            " · ".join(rule.channels),
            str(rule.due_working_days),
            str(rule.version),
        ]
        for rule in rules.rules
    ]
    yield Grid(localized("قواعد الحملات", "Campaign rules"), columns, rows)
    if rules.own:
        yield localized("من مجلد هذه المنشأة (YESSER_CAMPAIGN_RULES).", "From this deployment's folder.", "\n")
    else:
        yield localized("قواعد هذا الإصدار.", "The rules of this release.", "\n")


def rule_parts(rule: Rule) -> Iterator[str]:
    """One rule with its texts and the placeholders that they may use."""
    yield f"{rule.name}  {rule.version}  {rule.when}"
    due = rule.due_working_days
    yield localized(
        f"حملة {KINDS[rule.kind][0]}، {OWNERS[rule.owner][0]}، {'، '.join(rule.channels)}، خلال {due} من أيام العمل،"
        f" أهمية {URGENCIES[rule.urgency][0]}.",
        f"A {rule.kind} campaign of {OWNERS[rule.owner][1]}, on {', '.join(rule.channels)}, due in {due} working days,"
        f" urgency {rule.urgency}.",
        "\n",
    )
    for heading, text in ((("الموجز", "Brief"), rule.brief), (("السبب", "Reason"), rule.reason)):
        yield f"\n{localized(*heading)}\n" + localized(text["ar"], text["en"], "\n")
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
            subject = " · ".join(filter(None, (row["owner"], row["service_id"], row["due_on"])))
            differs = f"  ({', '.join(row['differs_in'])})" if "differs_in" in row else ""
            logged = f"  {localized('في السجل', 'in the log')}" if row["in_log"] else ""
            yield f"  {row['campaign_id']}  {subject}{differs}{logged}"
            yield "    " + localized(row["reason"]["ar"], row["reason"]["en"], "\n    ")
    yield localized(f"بلا تغيير: {trial.unchanged}", f"Unchanged: {trial.unchanged}")
    yield localized(
        f"القيود {trial.since}…{trial.log_index}. لم يُكتب شيء ولم يُنشر شيء.",
        f"Entries {trial.since} … {trial.log_index}. Nothing was written or published.",
        "\n",
    )
