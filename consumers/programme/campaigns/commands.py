"""`yesser campaigns list | inbox | show ID | coverage | explain | try | rules`: the awareness campaigns.

Commands that send events are added by entry points.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final
from urllib.parse import quote

import click
from msgspec.structs import asdict

from consumers.documents.campaigns.campaigns import (
    CAMPAIGNS,
    CHANNELS,
    INBOX,
    Campaign,
    CampaignAndHistory,
    InboxItem,
    StateFilter,
)
from consumers.documents.tables import csv_file, grid
from consumers.programme.campaigns.coverage.commands import coverage_command
from consumers.programme.campaigns.explain.commands import explain_command
from consumers.programme.campaigns.filters import SORTS, CampaignFilter, now, today_at
from consumers.programme.campaigns.next_step import next_command, time_left
from consumers.programme.campaigns.show import NOT_JUDGED, brief_parts, inbox_parts, not_judged
from consumers.programme.campaigns.trial.commands import rules_group, try_command
from consumers.replay.as_of.point_in_time import PointInTime, as_of_options
from consumers.replay.as_of.query import print_view
from events.errors import YesserError
from infra.command_line.completion import agency_codes
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


@click.group("campaigns", cls=EntryPointGroup, entry_points=ENTRY_POINTS)
def campaigns_group() -> None:
    """Show the awareness campaigns, and report what was done about them."""


_STATES: Final = tuple(state.value for state in StateFilter)
csv_option: Final = click.option("--csv", "as_csv", is_flag=True, help="Print CSV for a spreadsheet.")


@campaigns_group.command("list")
@click.option("--owner", type=AgencyCode(), shell_complete=agency_codes, help="Only of this agency.")
@click.option("--state", type=click.Choice(_STATES), help="Only in this state; `open` is all but completed.")
@click.option("--overdue/--not-overdue", default=None, help="Only what is, or is not, late.")
@click.option("--due-before", metavar="DATE", callback=date_option, help="Only what is due before DATE, as 2026-11-25.")
@click.option("--service", help="Only about this service.")
@click.option("--channel", type=click.Choice(CHANNELS), help="Only what is to be aired on it.")
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

        rows = asyncio.run(campaigns_at(Settings(), at, CampaignFilter(today_at(at, now()), **chosen)))
    else:
        rows = gateway.rows(Campaign, "/v1/campaigns", **chosen) or []
    by_occurrence = at.occurred is not None
    if by_occurrence and (as_csv or as_json):  # a list of rows has no place for it
        print_localized(NOT_JUDGED, err=True)
    if as_csv:
        click.echo(csv_file(CAMPAIGNS, rows), nl=False)
    else:
        print_view(
            rows, as_json, lambda: [grid(CAMPAIGNS, rows), *([not_judged()] if by_occurrence else [])], at, gateway
        )


@campaigns_group.command("inbox")
@agency_option
@click.option("--team", help="Only what this team's subscriptions choose.")
@reads_options
@csv_option
@json_option
def inbox_command(agency: str | None, team: str | None, gateway: Gateway | None, as_csv: bool, as_json: bool) -> None:
    """List what an agency must do now, the earliest due date first, each with the command to type next."""
    today = today_at(PointInTime(), now())
    if gateway is None:
        from consumers.programme.campaigns.read import inbox_now

        rows = asyncio.run(inbox_now(Settings(), named_agency(agency), team, today))
    else:
        rows = gateway.rows(InboxItem, "/v1/inbox", agency=agency, team=team)
    if rows is None:
        raise NoTeam(f"{agency or 'your agency'} has no team {team}: see `yesser teams list`.")
    if as_csv:
        click.echo(csv_file(INBOX, rows), nl=False)
        return
    document = [
        {**asdict(row), "time_left": time_left(row.due_on, today).en, "next": next_command(row)} for row in rows
    ]
    print_view(document, as_json, lambda: inbox_parts(rows, today), gateway=gateway)


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
        shown = gateway.document(CampaignAndHistory, f"/v1/campaigns/{quote(campaign_id, safe='')}")
    if shown is None:
        raise NoCampaign(f"the log has no campaign {campaign_id}: see `yesser campaigns list`.")
    today = today_at(at, now())
    print_view(shown, as_json, lambda: brief_parts(shown, today), at, gateway)


campaigns_group.add_command(coverage_command)
campaigns_group.add_command(explain_command)
campaigns_group.add_command(try_command)
campaigns_group.add_command(rules_group)
