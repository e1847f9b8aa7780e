"""`yesser campaigns coverage`: what was aired about each launched service, now or in the past."""

from __future__ import annotations

import asyncio

import click
from msgspec.structs import replace

from consumers.documents.campaigns.coverage import Coverage
from consumers.programme.campaigns.consumer import CONSUMER
from consumers.programme.campaigns.coverage.read import NOT_JUDGED_FIGURES, CoverageFilter, coverage
from consumers.programme.campaigns.coverage.show import coverage_csv, coverage_tables
from consumers.programme.campaigns.show import NOT_JUDGED
from consumers.replay.as_of.options import as_of_options
from consumers.replay.as_of.point_in_time import PointInTime
from consumers.replay.as_of.query import print_view
from consumers.replay.as_of.view import view
from infra.command_line.language import print_localized
from infra.command_line.output import json_option
from infra.command_line.parameters import AgencyCode
from infra.settings import Settings


@click.command("coverage")
@click.option("--agency", type=AgencyCode(), help="Only this agency's services.")
@click.option("--unaired", is_flag=True, help="Only services without an airing on some channel.")
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV for a spreadsheet: a row for each service and channel.")
@json_option
@as_of_options
def coverage_command(at: PointInTime, agency: str | None, unaired: bool, as_csv: bool, as_json: bool) -> None:
    """Show airings, reach and days to the first airing of each launched service, with totals by agency."""
    document = asyncio.run(read(Settings(), CoverageFilter(agency, unaired), at))
    by_occurrence = at.occurred is not None
    if as_csv:
        if by_occurrence:
            print_localized(NOT_JUDGED, err=True)
        click.echo(coverage_csv(document.services), nl=False)
        return
    if by_occurrence:
        document = replace(document, not_judged=NOT_JUDGED_FIGURES)
    print_view(document, as_json, lambda: coverage_tables(document), at)


async def read(settings: Settings, chosen: CoverageFilter, at: PointInTime) -> Coverage:
    async with view(settings, [CONSUMER], at) as state:
        return await coverage(state, chosen)
