"""`yesser campaigns list | inbox | show ID | coverage | explain | try | rules`: the awareness campaigns.

Commands that send events are added by entry points.
"""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import click
from msgspec.structs import asdict, replace

from consumers.documents.campaigns import campaigns
from consumers.documents.campaigns.campaigns import Coverage
from consumers.documents.campaigns.evaluations import Explanation
from consumers.documents.tables import csv_file, grid
from consumers.programme.campaigns import show
from consumers.programme.campaigns.filters import SORTS, CampaignFilter, today_at
from consumers.programme.campaigns.next_step import next_command, time_left
from consumers.programme.campaigns.rules.in_force import rules_in_force
from consumers.programme.campaigns.rules.rule_file import InvalidRules, read_folder, rule_set
from consumers.replay.as_of.point_in_time import PointInTime, as_of_options
from consumers.replay.as_of.query import print_view
from events.errors import YesserError
from events.values.fields import DATE_PATTERN
from infra.clock import utc_now
from infra.command_line.completion import agency_codes, registered
from infra.command_line.entry_point_group import EntryPointGroup
from infra.command_line.gateway_options import agency_option, named_agency
from infra.command_line.language import print_localized
from infra.command_line.output import json_option
from infra.command_line.parameters import AgencyCode, date_option
from infra.settings import Settings
from producers.sdk.read_api import Gateway, reads_options

ENTRY_POINTS: Final = "yesser.campaigns"


class NoCampaign(YesserError):
    """The log has no campaign with this id."""


class NoTeam(YesserError):
    """The agency has no team of this name."""


class NothingKnown(YesserError):
    """The log has nothing of this name."""


class NoRule(YesserError):
    """No rule in force has this name."""


@click.group("campaigns", cls=EntryPointGroup, entry_points=ENTRY_POINTS)
def campaigns_group() -> None:
    """Show the awareness campaigns, and report what was done about them."""


_STATES: Final = tuple(state.value for state in campaigns.StateFilter)
csv_option: Final = click.option("--csv", "as_csv", is_flag=True, help="Print CSV for a spreadsheet.")


@campaigns_group.command("list")
@click.option("--owner", type=AgencyCode(), shell_complete=agency_codes, help="Only of this agency.")
@click.option("--state", type=click.Choice(_STATES), help="Only in this state; `open` is all but completed.")
@click.option("--overdue/--not-overdue", default=None, help="Only what is, or is not, late.")
@click.option("--due-before", metavar="DATE", callback=date_option, help="Only what is due before DATE, as 2026-11-25.")
@click.option("--service", help="Only about this service.")
@click.option("--channel", type=click.Choice(campaigns.CHANNELS), help="Only what is to be aired on it.")
@click.option("--rule", help="Only of this rule.")
@click.option("--sort", type=click.Choice(SORTS), default="id", show_default=True, help="Order: id or due date.")
@csv_option
@json_option
@as_of_options
@reads_options
def list_command(at: PointInTime, gateway: Gateway | None, as_csv: bool, as_json: bool, **chosen: Any) -> None:
    """List the campaigns in the log. The past is read from the database only."""
    if gateway is None:
        from consumers.programme.campaigns.read import campaigns_at

        registered(chosen["owner"])
        rows = asyncio.run(campaigns_at(Settings(), at, CampaignFilter(today_at(at, utc_now()), **chosen)))
    else:
        rows = gateway.rows(campaigns.Campaign, "/v1/campaigns", **chosen) or []
    by_occurrence = at.occurred is not None
    if by_occurrence and (as_csv or as_json):  # a list of rows has no place for it
        print_localized(show.NOT_JUDGED, err=True)
    if as_csv:
        click.echo(csv_file(campaigns.CAMPAIGNS, rows), nl=False)
    else:
        print_view(
            rows,
            as_json,
            lambda: [grid(campaigns.CAMPAIGNS, rows), *([show.not_judged()] if by_occurrence else [])],
            at,
            gateway,
        )


@campaigns_group.command("inbox")
@agency_option
@click.option("--team", help="Only what this team's subscriptions choose.")
@reads_options
@csv_option
@json_option
def inbox_command(agency: str | None, team: str | None, gateway: Gateway | None, as_csv: bool, as_json: bool) -> None:
    """List what an agency must do now, the earliest due date first, each with the command to type next."""
    today = today_at(PointInTime(), utc_now())
    if gateway is None:
        from consumers.programme.campaigns.read import inbox_now

        rows = asyncio.run(inbox_now(Settings(), registered(named_agency(agency)), team, today))
    else:
        rows = gateway.rows(campaigns.InboxItem, "/v1/inbox", agency=agency, team=team)
    if rows is None:
        raise NoTeam(f"{agency or 'your agency'} has no team {team}: see `yesser teams list`.")
    if as_csv:
        click.echo(csv_file(campaigns.INBOX, rows), nl=False)
        return
    document = [
        {**asdict(row), "time_left": time_left(row.due_on, today).en, "next": next_command(row)} for row in rows
    ]
    print_view(document if as_json else rows, as_json, lambda: show.inbox_parts(rows, today), gateway=gateway)


@campaigns_group.command("show")
@click.argument("campaign_id")
@reads_options
@json_option
@as_of_options
def show_command(at: PointInTime, campaign_id: str, gateway: Gateway | None, as_json: bool) -> None:
    """Show a campaign as a page to print: brief, service, due date, airings and history.

    The past is read from the database only.
    """
    if gateway is None:
        from consumers.programme.campaigns.read import campaign_at

        shown = asyncio.run(campaign_at(Settings(), campaign_id, at))
    else:
        shown = gateway.document(campaigns.CampaignAndHistory, f"/v1/campaigns/{quote(campaign_id, safe='')}")
    if shown is None:
        raise NoCampaign(f"the log has no campaign {campaign_id}: see `yesser campaigns list`.")
    today = today_at(at, utc_now())
    print_view(shown, as_json, lambda: show.brief_parts(shown, today), at, gateway)


@campaigns_group.command("coverage")
@click.option("--agency", type=AgencyCode(), help="Only this agency's services.")
@click.option("--unaired", is_flag=True, help="Only services without an airing on some channel.")
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV for a spreadsheet: a row for each service and channel.")
@json_option
@as_of_options
@reads_options
def coverage_command(
    at: PointInTime, agency: str | None, unaired: bool, gateway: Gateway | None, as_csv: bool, as_json: bool
) -> None:
    """Show airings, reach and days to the first airing of each launched service, with totals by agency.

    The past is read from the database only.
    """
    if gateway is None:
        from consumers.programme.campaigns.coverage.read import coverage_at

        document = asyncio.run(coverage_at(Settings(), registered(agency), at, unaired=unaired))
    else:  # the totals are those of all services, on every page
        pages = gateway.pages(Coverage, "/v1/coverage", agency=agency, unaired=unaired)
        document = replace(pages[0], services=tuple(row for page in pages for row in page.services))
    if as_csv:
        if at.occurred is not None:
            print_localized(show.NOT_JUDGED, err=True)
        click.echo(show.coverage_csv(document.services), nl=False)
        return
    print_view(document, as_json, lambda: show.coverage_tables(document), at, gateway)


@campaigns_group.command("explain")
@click.argument("name")
@json_option
@as_of_options
@reads_options
def explain_command(at: PointInTime, name: str, gateway: Gateway | None, as_json: bool) -> None:
    """Explain why there is a campaign, or why there is none: which rule, which entry, which figure, who acknowledged.

    NAME is a campaign, a service, an initiative, a quota as gregorian/2026/usage, or a group of a plan as PLAN/1.
    A gateway explains the agency's campaigns only. The past is read from the database only.
    """
    if gateway is None:
        found = asyncio.run(_explain(Settings(), name, at))
    else:
        found = gateway.document(Explanation, f"/v1/campaigns/{quote(name, safe='')}/explanation")
    if found is None:
        raise NothingKnown(
            f"the log has no campaign, service, initiative, quota or group {name}: see `yesser campaigns list` and "
            "`yesser services list`."
        )
    print_view(found, as_json, lambda: show.explanation_parts(found), at, gateway)


async def _explain(settings: Settings, name: str, at: PointInTime) -> Explanation | None:
    from consumers.programme.campaigns.explain.read import CONSUMERS, explain
    from consumers.replay.as_of.view import view

    async with view(settings, CONSUMERS, at, from_log=True) as state:
        return await explain(state, rules_in_force(), name)


def since_option(context: click.Context, option: click.Parameter, value: str) -> str:
    """An index, or a Gregorian date."""
    if not re.fullmatch(r"[0-9]{1,15}", value) and not re.fullmatch(DATE_PATTERN, value):
        raise click.BadParameter(f"{value!r} is neither an index nor a date: write 1042 or 2026-11-25.")
    return value


@campaigns_group.command("try")
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
    trial = asyncio.run(try_rules(Settings(), rules, changed_rules(rules, path), since, utc_now()))
    print_view(trial, as_json, lambda: show.trial_parts(trial))


@campaigns_group.group("rules", invoke_without_command=True)
@json_option
@click.pass_context
def rules_group(context: click.Context, as_json: bool) -> None:
    """List the campaign rules in force, check a folder of rules, or show one rule."""
    if context.invoked_subcommand is None:
        rules = rules_in_force()
        print_view(show.rules_document(rules), as_json, lambda: show.rules_parts(rules))


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
        print_view({"ok": False, "faults": rows}, as_json, lambda: show.faults_parts(faults))
        context.exit(1)
    print_view({"ok": True, "faults": [], **show.rules_document(rules)}, as_json, lambda: show.rules_parts(rules))


@rules_group.command("show")
@click.argument("name")
@json_option
def show_rule_command(name: str, as_json: bool) -> None:
    """Show a rule in force with its texts and placeholders."""
    rules = rules_in_force().rules
    found = next((rule for rule in rules if rule.name == name), None)
    if found is None:
        raise NoRule(f"no rule in force is named {name}: there are {', '.join(rule.name for rule in rules)}.")
    rule = show.rule_document(found)
    print_view(rule, as_json, lambda: show.rule_parts(rule))
