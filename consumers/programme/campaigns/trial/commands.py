"""`yesser campaigns try` and `yesser campaigns rules [check FOLDER | show NAME]`."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import click
from msgspec import UNSET
from rich.console import RenderableType

from consumers.documents.campaigns.campaigns import InboxItem
from consumers.documents.campaigns.evaluations import RULES, CampaignRule, RuleSetDocument, Trial
from consumers.documents.document import document_of, label_of
from consumers.documents.tables import grid
from consumers.programme.campaigns.filters import now
from consumers.programme.campaigns.rules.in_force import rules_in_force
from consumers.programme.campaigns.rules.rule import MOMENTS, Rule, RuleSet
from consumers.programme.campaigns.rules.rule_file import Fault, InvalidRules, read_folder, rule_set
from consumers.replay.as_of.query import print_view
from events.errors import YesserError
from events.values.bilingual import Bilingual, joined
from events.values.fields import DATE_PATTERN
from infra.command_line.language import localized
from infra.command_line.output import json_option
from infra.settings import Settings


class NoRule(YesserError):
    """No rule in force has this name."""


def since_option(context: click.Context, option: click.Parameter, value: str) -> str:
    """An index, or a Gregorian date."""
    if not re.fullmatch(r"[0-9]{1,15}", value) and not re.fullmatch(DATE_PATTERN, value):
        raise click.BadParameter(f"{value!r} is neither an index nor a date: write 1042 or 2026-11-25.")
    return value


@click.command("try")
@click.argument("path", type=click.Path(exists=True, path_type=Path))
@click.option(
    "--since",
    default="0",
    metavar="INDEX|DATE",
    callback=since_option,
    help="Only causes from this entry on, or recorded on this date or later.",
)
@json_option
def try_command(path: Path, since: str, as_json: bool) -> None:
    """Show what a changed rule would have triggered on the real history; writes and publishes nothing.

    PATH is a rule's file, which takes the place of the rule of its name, or a folder with all rules. A rule about
    not-aired is asked at its moment, but only for services that are neither suspended nor retired today.
    """
    from consumers.programme.campaigns.trial.trial import changed_rules, try_rules

    rules = rules_in_force()
    trial = asyncio.run(try_rules(Settings(), rules, changed_rules(rules, path), since, now()))
    print_view(trial, as_json, lambda: trial_parts(trial))


@click.group("rules", invoke_without_command=True)
@json_option
@click.pass_context
def rules_group(context: click.Context, as_json: bool) -> None:
    """List the campaign rules in force, check a folder of rules, or show one rule."""
    if context.invoked_subcommand is None:
        rules = rules_in_force()
        print_view(rules_document(rules), as_json, lambda: rules_parts(rules))


@rules_group.command("check")
@click.argument("path", type=click.Path(exists=True, path_type=Path))
@json_option
@click.pass_context
def check_command(context: click.Context, path: Path, as_json: bool) -> None:
    """List every fault of a folder of rules, or of one file; exit code 1 if there is any."""
    try:
        rules = read_folder(path, own=True) if path.is_dir() else rule_set([path], own=True)
    except InvalidRules as error:
        faults = error.faults
        rows = [{"file": fault.file, "pointer": fault.pointer, "detail": fault.detail} for fault in faults]
        print_view({"ok": False, "faults": rows}, as_json, lambda: faults_parts(faults))
        context.exit(1)
    print_view({"ok": True, "faults": [], **rules_document(rules)}, as_json, lambda: rules_parts(rules))


@rules_group.command("show")
@click.argument("name")
@json_option
def show_rule_command(name: str, as_json: bool) -> None:
    """Show a rule in force with its texts and placeholders."""
    rule = rule_document(_rule(name))
    print_view(rule, as_json, lambda: rule_parts(rule))


def _rule(name: str) -> Rule:
    rules = rules_in_force().rules
    found = next((rule for rule in rules if rule.name == name), None)
    if found is None:
        raise NoRule(f"no rule in force is named {name}: there are {', '.join(rule.name for rule in rules)}.")
    return found


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
        sentence = Bilingual("من مجلد هذه المنشأة (YESSER_CAMPAIGN_RULES).", "From this deployment's folder.")
        yield localized(sentence, "\n")
    else:
        yield localized(Bilingual("قواعد هذا الإصدار.", "The rules of this release."), "\n")


def rule_parts(rule: CampaignRule) -> Iterator[str]:
    """One rule with its texts and the placeholders that they may use."""
    yield f"{rule.name}  {rule.version}  {rule.when}"
    channels, due = rule.channels, rule.due_working_days
    sentence = Bilingual(
        "حملة {kind}، {owner}، {channels}، خلال {due} من أيام العمل، {urgency}.",
        "{kind} campaign. {owner}. {channels}. Due in {due} working days. {urgency}.",
    ).format(kind=rule.kind, owner=rule.owner, channels=joined(channels), due=due, urgency=rule.urgency)
    yield localized(sentence, "\n")
    for heading, text in ((label_of(InboxItem, "brief"), rule.brief), (Bilingual("السبب", "Reason"), rule.reason)):
        yield f"\n{localized(heading)}\n" + localized(text, "\n")
    known = ", ".join(f"{{{name}}}" for name in MOMENTS[rule.when].placeholders)
    yield "\n" + localized(Bilingual("المواضع المتاحة: {}", "Placeholders: {}").format(known), "\n")


def faults_parts(faults: Sequence[Fault]) -> Iterator[str]:
    """Every fault with its file and pointer."""
    for fault in faults:
        yield f"{fault.file} {fault.pointer}".rstrip()
        yield "    " + localized(fault.detail, "\n    ")


def trial_parts(trial: Trial) -> Iterator[RenderableType]:
    """What would have been triggered, and what not any more."""
    for heading, rows in (
        (Bilingual("تُطلق مع هذا التغيير", "Would have been triggered"), trial.fired),
        (Bilingual("لا تُطلق بعد هذا التغيير", "Would not have been triggered"), trial.no_longer),
        (Bilingual("تُطلق بنص أو موعد مختلف", "Would have been triggered differently"), trial.changed),
    ):
        yield f"{localized(heading)}: {len(rows)}"
        for row in rows:
            subject = " · ".join(filter(None, (row.owner, row.service_id, row.due_on)))
            differs = f"  ({', '.join(row.differs_in)})" if row.differs_in is not UNSET else ""
            logged = f"  {localized(Bilingual('في السجل', 'in the log'))}" if row.in_log else ""
            yield f"  {row.campaign_id}  {subject}{differs}{logged}"
            yield "    " + localized(row.reason, "\n    ")
    yield localized(Bilingual("بلا تغيير: {}", "Unchanged: {}").format(trial.unchanged))
    sentence = Bilingual(
        "القيود {}…{}. لم يُكتب شيء ولم يُنشر شيء.", "Entries {} … {}. Nothing was written or published."
    ).format(trial.since, trial.log_index)
    yield localized(sentence, "\n")
