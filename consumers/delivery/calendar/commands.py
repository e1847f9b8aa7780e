"""`yesser teams calendar` and `yesser teams calendar-address`."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from consumers.delivery.calendar.addresses import new_address, revoke_address
from consumers.delivery.calendar.routes import calendar_now
from consumers.delivery.due_campaigns import team_of
from infra.command_line.database import with_database
from infra.command_line.output import json_option, print_confirmation
from infra.command_line.parameters import AgencyCode
from infra.postgres.connection import Connection
from infra.settings import Settings


@click.command("calendar")
@click.argument("agency", type=AgencyCode())
@click.argument("team")
def calendar(agency: str, team: str) -> None:
    """Print a team's due dates as an iCalendar file."""
    settings = Settings()

    async def feed(connection: Connection) -> bytes:
        return await calendar_now(connection, await team_of(connection, agency, team), settings, datetime.now(UTC))

    click.echo(with_database(settings, "teams", feed), nl=False)


@click.command("calendar-address")
@click.argument("agency", type=AgencyCode())
@click.argument("team")
@click.option("--revoke", is_flag=True, help="End the address, and make no new one.")
@json_option
def calendar_address(agency: str, team: str, revoke: bool, as_json: bool) -> None:
    """Make the address under which a calendar program reads a team's due dates.

    It is shown once, and an earlier one ends.
    """
    settings = Settings().acting_as("administrator")
    if revoke:
        with_database(settings, "teams", lambda connection: revoke_address(connection, agency, team))
        print_confirmation(
            {"agency": agency, "team": team, "address": None},
            as_json,
            "أُلغي عنوان التقويم، ولم يعد يُقرأ به شيء.",
            "The calendar's address is revoked: nothing can be read under it any more.",
        )
        return
    address = with_database(settings, "teams", lambda connection: new_address(connection, settings, agency, team))
    print_confirmation(
        {"agency": agency, "team": team, "address": address},
        as_json,
        f"أضف هذا العنوان إلى برنامج التقويم. لن يُعرض مرة أخرى، ومن يملكه يرى المواعيد:\n{address}",
        f"Add this address to the calendar program. It is not shown again, and anyone who has it sees the due dates:\n"
        f"{address}",
    )
