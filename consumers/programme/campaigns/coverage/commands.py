"""`yesser campaigns coverage`: what was aired about each launched service, now or in the past."""

from __future__ import annotations

import asyncio

import click
from msgspec.structs import replace

from consumers.documents.campaigns.campaigns import Coverage
from consumers.programme.campaigns.coverage.show import coverage_csv, coverage_tables
from consumers.programme.campaigns.show import NOT_JUDGED
from consumers.replay.as_of.options import as_of_options
from consumers.replay.as_of.point_in_time import PointInTime
from consumers.replay.as_of.query import print_view
from infra.command_line.language import print_localized
from infra.command_line.output import json_option
from infra.command_line.parameters import AgencyCode
from infra.settings import Settings
from producers.sdk.read_api import Gateway, reads_options


@click.command("coverage")
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

        document = asyncio.run(coverage_at(Settings(), agency, at, unaired=unaired))
    else:  # the totals are those of all services, on every page
        pages = gateway.pages(Coverage, "/v1/coverage", agency=agency, unaired=unaired)
        document = replace(pages[0], services=tuple(row for page in pages for row in page.services))
    if as_csv:
        if at.occurred is not None:
            print_localized(NOT_JUDGED, err=True)
        click.echo(coverage_csv(document.services), nl=False)
        return
    print_view(document, as_json, lambda: coverage_tables(document), at, gateway)
