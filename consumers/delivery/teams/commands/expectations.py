"""`yesser expectations add | list | end`: which events an agency expects of its own systems."""

from __future__ import annotations

import click

from consumers.delivery.teams import expectations as stored
from consumers.delivery.teams.commands.options import agency_argument, asked, change, query
from consumers.delivery.teams.inputs import NewExpectation
from consumers.documents.teams.notices import EXPECTATIONS
from consumers.replay.as_of.query import print_list
from events.values.bilingual import Bilingual
from events.values.money import INTEGER_MAX
from infra.command_line.completion import registered
from infra.command_line.output import json_option, print_confirmation
from infra.command_line.parameters import AgencyCode
from infra.settings import Settings


@click.group()
def expectations() -> None:
    """Which events an agency expects of its own systems: a notice is sent when one does not come."""


@expectations.command("add")
@agency_argument
@click.argument("type")
@click.option("--by-day", type=int, metavar="DAY", help="One each month by the end of this day (1–28) in Riyadh.")
@click.option("--every-days", type=int, metavar="DAYS", help="One at least every so many days (1–400).")
@click.option("--subject", help="Only about this subject, such as partnership/PPP-110-001.")
@json_option
def add(agency: str, type: str, by_day: int | None, every_days: int | None, subject: str | None, as_json: bool) -> None:
    """Declare that AGENCY expects an event of TYPE, such as revenue.collected, from now on.

    A team gets a notice through a subscription with `--type notice.silence`.
    """
    new = asked(NewExpectation, type=type, by_day=by_day, every_days=every_days, subject=subject)
    query(lambda connection: stored.require_expectable(connection, agency, new))
    number = change(lambda desk: stored.add_expectation(desk, agency, new))
    sentence = Bilingual("التوقع {}: {}.", "Expectation {}: {}.").format(number, new.type)
    print_confirmation({"expectation_id": number, "agency": agency, **new.model_dump()}, as_json, sentence)


@expectations.command("list")
@click.argument("agency", type=AgencyCode(), required=False)
@json_option
def list_(agency: str | None, as_json: bool) -> None:
    """List what agencies expect, or one, and whether it has come."""
    registered(agency)
    rows = query(lambda connection: stored.expectations_of(connection, agency, Settings()))
    print_list(EXPECTATIONS, rows, as_json)


@expectations.command("end")
@click.argument("expectation", type=click.IntRange(1, INTEGER_MAX))
@json_option
def end(expectation: int, as_json: bool) -> None:
    """End an expectation."""
    change(lambda desk: stored.end_expectation(desk, None, expectation))
    sentence = Bilingual("انتهى التوقع {}.", "Ended: expectation {}.").format(expectation)
    print_confirmation({"expectation_id": expectation, "state": "ended"}, as_json, sentence)
