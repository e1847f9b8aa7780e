"""`yesser services list | show ID`, `yesser projects list | show ID` and `yesser activity`, now or at some moment."""

from __future__ import annotations

from datetime import datetime

import click
from rich.console import Console

from consumers.asking import ask, json_option, print_json
from consumers.moment_options import chosen, moment_options
from consumers.projections import read
from consumers.projections.consumer import CONSUMER
from consumers.projections.show import activity_table, history_table, phases_table, projects_table, services_table
from events.errors import YesserError


class NotRegistered(YesserError):
    """Nothing is registered under that id."""


@click.group()
def services() -> None:
    """The service directory, and what happened to each service."""


@services.command("list")
@json_option
@moment_options
def list_services(
    as_json: bool, as_of_index: int | None, as_of_recorded: datetime | None, as_of_occurred: str | None
) -> None:
    """Every registered service and its state."""
    _, shown = ask(CONSUMER, read.services, chosen(as_of_index, as_of_recorded, as_of_occurred))
    if as_json:
        print_json(shown)
    else:
        Console().print(services_table(shown))


@services.command("show")
@click.argument("service_id")
@json_option
@moment_options
def show_service(
    service_id: str,
    as_json: bool,
    as_of_index: int | None,
    as_of_recorded: datetime | None,
    as_of_occurred: str | None,
) -> None:
    """A service and its history, step by step."""
    moment = chosen(as_of_index, as_of_recorded, as_of_occurred)
    _, shown = ask(CONSUMER, lambda connection: read.service(connection, service_id), moment)
    if shown is None:
        raise NotRegistered(f"no service {service_id} is registered: see `yesser services list`.")
    if as_json:
        print_json(shown)
    else:
        Console().print(services_table([shown]), history_table(shown["history"]))


@click.group()
def projects() -> None:
    """The projects, their phases, and what happened to each."""


@projects.command("list")
@json_option
@moment_options
def list_projects(
    as_json: bool, as_of_index: int | None, as_of_recorded: datetime | None, as_of_occurred: str | None
) -> None:
    """Every registered project and how far it is."""
    _, shown = ask(CONSUMER, read.projects, chosen(as_of_index, as_of_recorded, as_of_occurred))
    if as_json:
        print_json(shown)
    else:
        Console().print(projects_table(shown))


@projects.command("show")
@click.argument("project_id")
@json_option
@moment_options
def show_project(
    project_id: str,
    as_json: bool,
    as_of_index: int | None,
    as_of_recorded: datetime | None,
    as_of_occurred: str | None,
) -> None:
    """A project, its phases and its history, step by step."""
    moment = chosen(as_of_index, as_of_recorded, as_of_occurred)
    _, shown = ask(CONSUMER, lambda connection: read.project(connection, project_id), moment)
    if shown is None:
        raise NotRegistered(f"no project {project_id} is registered: see `yesser projects list`.")
    if as_json:
        print_json(shown)
    else:
        tables = (projects_table([shown]), phases_table(shown["phase_states"]), history_table(shown["history"]))
        Console().print(*tables)


@click.command()
@click.option("--agency", help="Only of the agency with this code.")
@json_option
@moment_options
def activity(
    agency: str | None,
    as_json: bool,
    as_of_index: int | None,
    as_of_recorded: datetime | None,
    as_of_occurred: str | None,
) -> None:
    """What each agency sent: accepted events by type, and refused records."""
    moment = chosen(as_of_index, as_of_recorded, as_of_occurred)
    _, shown = ask(CONSUMER, lambda connection: read.activity(connection, agency), moment)
    if as_json:
        print_json(shown)
    else:
        Console().print(activity_table(shown))
