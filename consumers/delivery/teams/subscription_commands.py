"""`yesser subscriptions add | list | end`: what a team gets by which route."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import click

from consumers.delivery.teams.inputs import EVENT_NAMES, NewSubscription
from consumers.delivery.teams.options import (
    Beginning,
    EndpointId,
    agency_argument,
    asked,
    change,
    query,
    team_argument,
    usage_errors,
)
from consumers.delivery.teams.subscriptions import (
    add_subscription,
    backfill_from,
    end_subscription,
    require_known_rules,
    subscriptions_of,
)
from events.values.money import INTEGER_MAX
from infra.command_line.display import NOTHING, Column, Grid, show
from infra.command_line.language import localized
from infra.command_line.output import json_option, print_confirmation, print_result
from infra.command_line.parameters import AgencyCode

ROUTES: Final = {"email": ("بريد", "e-mail"), "webhook": ("webhook", "webhook")}
CHANNELS: Final = ("tv", "radio", "print")


@click.group()
def subscriptions() -> None:
    """What each team gets of the campaigns, and by which route."""


@subscriptions.command("add")
@agency_argument
@team_argument
@click.option("--route", type=click.Choice(list(ROUTES)), required=True, help="How it is sent.")
@click.option("--endpoint", type=EndpointId(), help="The webhook; needed where the team has several.")
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
    help="Only these events; default: all but airings.",
)
@click.option(
    "--from",
    "beginning",
    type=Beginning(),
    default=dict,
    metavar="INDEX|DATE",
    help="Also send what is in the log from there on, marked as a replay. A date begins at midnight in Riyadh.",
)
@json_option
def add(agency: str, team: str, beginning: dict[str, Any], as_json: bool, **given: Any) -> None:
    """Subscribe a team to campaigns of its agency, from now on."""
    lists = {name: list(given[name]) or None for name in ("rules", "services", "channels", "types")}
    document = {"team": team, "route": given["route"], "endpoint_id": given["endpoint"], **lists, **beginning}
    new = asked(NewSubscription, document)
    with usage_errors():
        require_known_rules(new)
    backfill = query(lambda connection: backfill_from(connection, new)) if beginning else None
    made = change(lambda desk: add_subscription(desk, agency, new, backfill))
    number, again = made["subscription_id"], made["backfill"]
    replays_ar = f"، ويُعاد إرسال ما قبله من القيد {again['from']:,}" if again else ""
    replays = f"; earlier ones from {again['from']:,} on are sent again, marked as replays" if again else ""
    print_confirmation(
        made,
        as_json,
        f"الاشتراك {number}: يُرسل كل قيد من {made['from_index']:,} فصاعدًا{replays_ar}.",
        f"Subscription {number}: entries from {made['from_index']:,} on are sent{replays}.",
    )


@subscriptions.command("list")
@click.argument("agency", type=AgencyCode(), required=False)
@click.argument("team", required=False)
@click.option("--ended", is_flag=True, help="Also those that have ended.")
@json_option
def list_(agency: str | None, team: str | None, ended: bool, as_json: bool) -> None:
    """List the subscriptions, of all agencies, of one, or of a team."""
    rows = query(lambda connection: subscriptions_of(connection, agency, team, ended=ended))
    print_result(rows, as_json, lambda: show(subscriptions_table(rows)))


@subscriptions.command("end")
@click.argument("subscription", type=click.IntRange(1, INTEGER_MAX))
@json_option
def end(subscription: int, as_json: bool) -> None:
    """End a subscription. Messages already queued are still delivered."""
    change(lambda desk: end_subscription(desk, None, subscription))
    print_confirmation(
        {"subscription_id": subscription, "state": "ended"},
        as_json,
        f"انتهى الاشتراك {subscription}.",
        f"Ended: subscription {subscription}.",
    )


def subscriptions_table(rows: Sequence[dict[str, Any]]) -> Grid:
    columns = [
        Column("الاشتراك", "Subscription", right=True),
        Column("الفريق", "Team", drop=1),
        Column("الطريق", "Route"),
        Column("ما يطلبه", "What", drop=2, wraps=True),
        Column("من القيد", "From entry", drop=3, right=True),
        Column("إعادة الإرسال", "Replay", drop=4),
        Column("الحالة", "State"),
    ]
    cells = [
        [
            str(row["subscription_id"]),
            f"{row['agency']}/{row['team']}",
            row["endpoint_id"] or localized(*ROUTES[row["route"]]),
            _what(row),
            f"{row['from_index']:,}",
            _replay(row),
            localized("سارٍ", "active") if row["ended_at"] is None else localized("انتهى", "ended"),
        ]
        for row in rows
    ]
    return Grid(localized("الاشتراكات", "Subscriptions"), columns, cells)


def _what(row: dict[str, Any]) -> str:
    """What narrows a subscription; without anything, all."""
    named = [word for name in ("rules", "services", "channels", "types") for word in row[name] or ()]
    return ", ".join(named) or localized("كل الحملات", "all campaigns")


def _replay(row: dict[str, Any]) -> str:
    if row["backfill_to"] is None:
        return NOTHING
    left = 0 if row["backfill_next"] is None else row["backfill_to"] - row["backfill_next"]
    return localized(f"بقي {left:,} من القيود", f"{left:,} entries left") if left > 0 else localized("تمت", "done")
