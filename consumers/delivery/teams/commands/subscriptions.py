"""`yesser subscriptions add | list | end`: what a team gets by which route."""

from __future__ import annotations

from typing import Any

import click

from consumers.delivery.teams import subscriptions as stored
from consumers.delivery.teams.commands import options
from consumers.delivery.teams.inputs import EVENT_NAMES, NewSubscription
from consumers.documents.campaigns.campaigns import CHANNELS
from consumers.documents.teams.teams import SUBSCRIPTIONS, Route
from consumers.replay.as_of.query import print_list
from events.values.bilingual import Bilingual
from events.values.money import INTEGER_MAX
from infra.command_line.completion import registered
from infra.command_line.output import json_option, print_confirmation
from infra.command_line.parameters import AgencyCode


@click.group()
def subscriptions() -> None:
    """What each team gets of campaigns and notices, and by which route."""


@subscriptions.command("add")
@options.agency_argument
@options.team_argument
@click.option("--route", type=click.Choice([route.value for route in Route]), required=True, help="How it is sent.")
@click.option(
    "--endpoint", "endpoint_id", type=options.EndpointId(), help="The webhook; needed where the team has several."
)
@click.option("--rule", "rules", multiple=True, help="Only campaigns of this rule. May be repeated.")
@click.option("--service", "services", multiple=True, help="Only campaigns about this service. May be repeated.")
@click.option(
    "--channel", "channels", type=click.Choice(CHANNELS), multiple=True, help="Only campaigns on this channel."
)
@click.option(
    "--type",
    "types",
    type=click.Choice(EVENT_NAMES),
    multiple=True,
    help="Only these events or notices; default: all of campaigns but airings and corrections.",
)
@click.option(
    "--from",
    "beginning",
    type=options.Beginning(),
    default=dict,
    metavar="INDEX|DATE",
    help="Also send what is in the log from there on, marked as a replay. A date begins at midnight in Riyadh.",
)
@json_option
def add(agency: str, team: str, beginning: dict[str, int | str], as_json: bool, **given: Any) -> None:
    """Subscribe a team to campaigns of its agency, or to notices (`--type notice.…`), from now on."""
    lists = {name: list(given.pop(name)) or None for name in ("rules", "services", "channels", "types")}
    new = options.asked(NewSubscription, team=team, **given, **lists, **beginning)
    with options.usage_errors():
        stored.require_known_rules(new)
    backfill = options.query(lambda connection: stored.backfill_from(connection, new)) if beginning else None
    made = options.change(lambda desk: stored.add_subscription(desk, agency, new, backfill))
    number, again = made.subscription_id, made.backfill
    added = Bilingual(
        "الاشتراك {}: يُرسل ما يأتي من القيد {:,} فصاعدًا.", "Subscription {}: sends what comes from entry {:,} on."
    )
    if again:
        added = Bilingual(
            "الاشتراك {}: يُرسل ما يأتي من القيد {:,} فصاعدًا، ويُعاد إرسال ما قبله من القيد {:,}.",
            "Subscription {}: sends what comes from entry {:,} on, and again, marked as replays, earlier entries from"
            " {:,} on.",
        )
    print_confirmation(made, as_json, added.format(number, made.from_index, again["from"] if again else None))


@subscriptions.command("list")
@click.argument("agency", type=AgencyCode(), required=False)
@click.argument("team", required=False)
@click.option("--ended", is_flag=True, help="Also those that have ended.")
@json_option
def list_(agency: str | None, team: str | None, ended: bool, as_json: bool) -> None:
    """List the subscriptions, of all agencies, of one, or of a team.

    One without rules, services or channels gets all; one without events gets all but airings and corrections.
    """
    registered(agency)
    rows = options.query(lambda connection: stored.subscriptions_of(connection, agency, team, ended=ended))
    print_list(SUBSCRIPTIONS, rows, as_json)


@subscriptions.command("end")
@click.argument("subscription", type=click.IntRange(1, INTEGER_MAX))
@json_option
def end(subscription: int, as_json: bool) -> None:
    """End a subscription. Messages already queued are still delivered."""
    options.change(lambda desk: stored.end_subscription(desk, None, subscription))
    sentence = Bilingual("انتهى الاشتراك {}.", "Ended: subscription {}.").format(subscription)
    print_confirmation({"subscription_id": subscription, "state": "ended"}, as_json, sentence)
