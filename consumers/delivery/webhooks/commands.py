"""`yesser webhooks list | attempts | redeliver`: how webhooks do, and sending again.

The group itself, and what changes webhooks, is in `consumers.delivery.teams`.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

import click

from consumers.as_of.options import recorded_option
from consumers.delivery.webhooks.redelivery import Wanted, attempts_at, redeliver, webhooks_of
from consumers.documents.tables import grid
from consumers.documents.teams.webhooks import ATTEMPTS, WEBHOOKS
from events.values.money import INTEGER_MAX
from infra.command_line.database import with_database
from infra.command_line.display import show
from infra.command_line.output import json_option, print_confirmation, print_result
from infra.command_line.parameters import AgencyCode
from infra.settings import Settings

ATTEMPTS_SHOWN: Final = 50
ATTEMPTS_MAX: Final = 10_000

endpoint_argument: Final = click.argument("endpoint")


@click.command("list")
@click.option("--agency", type=AgencyCode(), help="Only the webhooks of this agency.")
@json_option
def list_(agency: str | None, as_json: bool) -> None:
    """List webhooks: their state, what waits, what was not delivered, the last attempt.

    More than 1,000 messages in one state are not counted: they are 1001.
    """
    rows = with_database(Settings(), "webhooks", lambda connection: webhooks_of(connection, agency))
    print_result(rows, as_json, lambda: show(grid(WEBHOOKS, rows)))


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
    print_result(rows, as_json, lambda: show(grid(ATTEMPTS, rows)))


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
