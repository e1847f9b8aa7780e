"""`yesser services list | show ID`, `yesser projects list | show ID` and `yesser activity`, now or at some moment."""

from __future__ import annotations

import click

from consumers.as_of.options import as_of_options
from consumers.as_of.point_in_time import PointInTime
from consumers.as_of.query import json_option, print_json, run_query, show
from consumers.projections import read
from consumers.projections.consumer import CONSUMER
from consumers.projections.show import activity_table, history_table, phases_table, projects_table, services_table
from events.errors import YesserError
from infra.command_line.completion import agency_codes


class NotRegistered(YesserError):
    """Nothing is registered under that id."""


@click.group()
def services() -> None:
    """The service directory, and what happened to each service."""


@services.command("list")
@json_option
@as_of_options
def list_services(moment: PointInTime, as_json: bool) -> None:
    """Every registered service and its state."""
    _, shown = run_query(CONSUMER, read.services, moment)
    if as_json:
        print_json(shown)
    else:
        show(moment, services_table(shown))


@services.command("show")
@click.argument("service_id")
@json_option
@as_of_options
def show_service(moment: PointInTime, service_id: str, as_json: bool) -> None:
    """A service and its history, step by step."""
    _, shown = run_query(CONSUMER, lambda connection: read.service(connection, service_id), moment)
    if shown is None:
        raise NotRegistered(f"no service {service_id} is registered: see `yesser services list`.")
    if as_json:
        print_json(shown)
    else:
        show(moment, services_table([shown]), history_table(shown["history"]))


@click.group()
def projects() -> None:
    """The projects, their phases, and what happened to each."""


@projects.command("list")
@json_option
@as_of_options
def list_projects(moment: PointInTime, as_json: bool) -> None:
    """Every registered project and how far it is."""
    _, shown = run_query(CONSUMER, read.projects, moment)
    if as_json:
        print_json(shown)
    else:
        show(moment, projects_table(shown))


@projects.command("show")
@click.argument("project_id")
@json_option
@as_of_options
def show_project(moment: PointInTime, project_id: str, as_json: bool) -> None:
    """A project, its phases and its history, step by step."""
    _, shown = run_query(CONSUMER, lambda connection: read.project(connection, project_id), moment)
    if shown is None:
        raise NotRegistered(f"no project {project_id} is registered: see `yesser projects list`.")
    if as_json:
        print_json(shown)
    else:
        phases, steps = phases_table(shown["phase_states"]), history_table(shown["history"])
        show(moment, projects_table([shown]), phases, steps)


@click.command()
@click.option("--agency", shell_complete=agency_codes, help="Only of the agency with this code.")
@json_option
@as_of_options
def activity(moment: PointInTime, agency: str | None, as_json: bool) -> None:
    """What each agency sent: accepted events by type, and refused records."""
    _, shown = run_query(CONSUMER, lambda connection: read.activity(connection, agency), moment)
    if as_json:
        print_json(shown)
    else:
        show(moment, activity_table(shown))
