"""`yesser webhooks list | attempts | redeliver`: how webhooks do, and sending again.

The group itself, and what changes webhooks, is in `consumers.delivery.teams`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import click

from consumers.as_of.options import recorded_option
from consumers.delivery.webhooks.redelivery import COUNT_MAX, Wanted, attempts_at, redeliver, webhooks_of
from events.values.money import INTEGER_MAX
from infra.command_line.database import with_database
from infra.command_line.display import Column, Grid, show
from infra.command_line.language import localized
from infra.command_line.output import json_option, print_confirmation, print_result
from infra.command_line.parameters import AgencyCode
from infra.settings import Settings

ATTEMPTS_SHOWN: Final = 50
ATTEMPTS_MAX: Final = 10_000
STATES: Final = {
    None: ("يعمل", "active"),
    "gone": ("معطل: أجاب بـ 410", "disabled: it answered 410"),
    "failing": ("معطل: لا يستقبل", "disabled: it kept failing"),
    "by-team": ("عطله الفريق", "disabled by its team"),
}
FATES: Final = {
    "waiting": ("ينتظر", "waits"),
    "delivered": ("سُلّم", "delivered"),
    "failed": ("لم يُسلّم", "failed"),
    "cancelled": ("أُلغي", "cancelled"),
}

endpoint_argument: Final = click.argument("endpoint")


@click.command("list")
@click.option("--agency", type=AgencyCode(), help="Only the webhooks of this agency.")
@json_option
def list_(agency: str | None, as_json: bool) -> None:
    """List webhooks: their state, what waits, what was not delivered, the last attempt.

    More than 1,000 messages in one state are not counted; with --json they are 1001.
    """
    rows = with_database(Settings(), "webhooks", lambda connection: webhooks_of(connection, agency))
    print_result(rows, as_json, lambda: show(_webhooks_table(rows)))


@click.command()
@endpoint_argument
@click.option("--message", type=click.IntRange(1, INTEGER_MAX), help="Only attempts for the message with this id.")
@click.option(
    "--limit",
    type=click.IntRange(1, ATTEMPTS_MAX),
    default=ATTEMPTS_SHOWN,
    show_default=True,
    help="Maximum number of attempts listed.",
)
@json_option
def attempts(endpoint: str, message: int | None, limit: int, as_json: bool) -> None:
    """List the newest attempts to deliver to a webhook: when, for which event, what came back, how long it took.

    With --json also the first KiB of each answer.
    """
    rows = with_database(Settings(), "webhooks", lambda connection: attempts_at(connection, endpoint, message, limit))
    print_result(rows, as_json, lambda: show(_attempts_table(endpoint, rows)))


@click.command("redeliver")
@endpoint_argument
@click.option(
    "--message", type=click.IntRange(1, INTEGER_MAX), help="The message with this id (`yesser webhooks attempts`)."
)
@click.option("--since", metavar="TIME", callback=recorded_option, help="Messages made since TIME.")
@click.option("--until", metavar="TIME", callback=recorded_option, help="Messages made before TIME.")
@json_option
def redeliver_(
    endpoint: str, message: int | None, since: datetime | None, until: datetime | None, as_json: bool
) -> None:
    """Send messages to a webhook again: one, or those of a span of time.

    They have the ids that the receiver knows, and the header `yesser-replay: true`. Messages that wait are left out.
    """
    if (message is None) == (since is None):
        raise click.UsageError("Give either --message, or --since with or without --until.")
    if message is not None and until is not None:
        raise click.UsageError("--until goes with --since.")
    wanted = Wanted(message, since, until)
    administrator = Settings().acting_as("administrator")
    ids = with_database(administrator, "webhooks", lambda connection: redeliver(connection, endpoint, wanted))
    print_confirmation(
        {"endpoint_id": endpoint, "messages": ids},
        as_json,
        f"الرسائل التي تُرسل إلى {endpoint} مرة أخرى: {len(ids)}.",
        f"{len(ids)} messages are sent to {endpoint} again.",
    )


COMMANDS: Final[tuple[click.Command, ...]] = (list_, attempts, redeliver_)


def _webhooks_table(rows: Sequence[Mapping[str, Any]]) -> Grid:
    columns = [
        Column("webhook", "webhook"),
        Column("الفريق", "Team"),
        Column("الحالة", "State"),
        Column("ينتظر", "Waiting", right=True),
        Column("لم يُسلّم", "Undelivered", right=True),
        Column("آخر محاولة", "Last attempt", drop=2),
        Column("العنوان", "URL", drop=1, wraps=True),
    ]
    cells = [
        [
            row["endpoint_id"],
            f"{row['agency']}/{row['team']}",
            localized(*STATES[row["disabled_reason"]], "\n"),
            _count(row["waiting"]),
            _count(row["undelivered"]),
            _answer(row["last_status"], row["last_error"]),
            row["url"],
        ]
        for row in rows
    ]
    return Grid(localized("ويب هوك", "Webhooks"), columns, cells)


def _attempts_table(endpoint: str, rows: Sequence[Mapping[str, Any]]) -> Grid:
    columns = [
        Column("الوقت", "Time"),
        Column("الرسالة", "Message", right=True),
        Column("الحدث", "Event", drop=1),
        Column("المحاولة", "Attempt", right=True, drop=2),
        Column("الجواب", "Answer"),
        Column("المدة", "Took", right=True, drop=3),
        Column("الحال", "State"),
    ]
    cells = [
        [
            f"{row['at']:%Y-%m-%d %H:%M:%S}",
            str(row["message_id"]),
            f"{row['campaign_id'] or row['event_id']} {row['kind']}",
            str(row["number"]),
            _answer(row["status"], row["error"]),
            f"{row['latency_ms']} ms",
            localized(*FATES[row["state"]], "\n"),
        ]
        for row in rows
    ]
    return Grid(localized(f"المحاولات إلى {endpoint}", f"Attempts to deliver to {endpoint}"), columns, cells)


def _count(messages: int) -> str:
    return str(messages) if messages <= COUNT_MAX else f"> {COUNT_MAX}"


def _answer(status: int | None, error: str | None) -> str:
    return str(status) if status is not None else error or ""
