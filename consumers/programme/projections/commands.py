"""`yesser services list | show ID`, `yesser projects list | show ID` and `yesser activity`, now or in the past."""

from __future__ import annotations

from urllib.parse import quote

import click

from consumers.documents.programme.directory import (
    ACTIVITY,
    HISTORY,
    PHASES,
    PROJECTS,
    SERVICES,
    Activity,
    Project,
    ProjectAndHistory,
    Service,
    ServiceAndHistory,
    ServiceState,
)
from consumers.documents.tables import grid
from consumers.programme.projections.consumer import CONSUMER
from consumers.replay.as_of.point_in_time import PointInTime, as_of_options
from consumers.replay.as_of.query import print_view, run_query
from events.errors import YesserError
from infra.command_line.completion import agency_codes, registered
from infra.command_line.output import json_option
from producers.sdk.read_api import Gateway, reads_options


class NotRegistered(YesserError):
    """Nothing is registered with this id."""


@click.group()
def services() -> None:
    """Show the service directory and each service's history."""


@services.command("list")
@click.option("--agency", shell_complete=agency_codes, help="Only services of this agency.")
@click.option("--group", type=click.IntRange(1, 3), help="Only services of this group.")
@click.option(
    "--state", type=click.Choice([state.value for state in ServiceState]), help="Only services in this state."
)
@json_option
@as_of_options
@reads_options
def list_services(
    at: PointInTime, agency: str | None, group: int | None, state: str | None, gateway: Gateway | None, as_json: bool
) -> None:
    """List the registered services and their state."""
    if gateway is None:
        from consumers.programme.projections import read

        chosen = read.ServiceFilter(registered(agency), group, state)
        _, shown = run_query(CONSUMER, lambda connection: read.services(connection, chosen), at)
    else:
        shown = gateway.rows(Service, "/v1/services", agency=agency, group=group, state=state) or []
    print_view(shown, as_json, lambda: [grid(SERVICES, shown)], at, gateway)


@services.command("show")
@click.argument("service_id")
@json_option
@as_of_options
@reads_options
def show_service(at: PointInTime, service_id: str, gateway: Gateway | None, as_json: bool) -> None:
    """Show a service and its history."""
    if gateway is None:
        from consumers.programme.projections import read

        _, shown = run_query(CONSUMER, lambda connection: read.service(connection, service_id), at)
    else:
        shown = gateway.document(ServiceAndHistory, f"/v1/services/{quote(service_id, safe='')}")
    if shown is None:
        raise NotRegistered(f"no service {service_id} is registered: see `yesser services list`.")
    print_view(shown, as_json, lambda: [grid(SERVICES, [shown]), grid(HISTORY, shown.history)], at, gateway)


@click.group()
def projects() -> None:
    """Show the projects, their phases and their history."""


@projects.command("list")
@json_option
@as_of_options
@reads_options
def list_projects(at: PointInTime, gateway: Gateway | None, as_json: bool) -> None:
    """List the registered projects and their progress."""
    if gateway is None:
        from consumers.programme.projections import read

        _, shown = run_query(CONSUMER, read.projects, at)
    else:
        shown = gateway.rows(Project, "/v1/projects") or []
    print_view(shown, as_json, lambda: [grid(PROJECTS, shown)], at, gateway)


@projects.command("show")
@click.argument("project_id")
@json_option
@as_of_options
@reads_options
def show_project(at: PointInTime, project_id: str, gateway: Gateway | None, as_json: bool) -> None:
    """Show a project, its phases and its history."""
    if gateway is None:
        from consumers.programme.projections import read

        _, shown = run_query(CONSUMER, lambda connection: read.project(connection, project_id), at)
    else:
        shown = gateway.document(ProjectAndHistory, f"/v1/projects/{quote(project_id, safe='')}")
    if shown is None:
        raise NotRegistered(f"no project {project_id} is registered: see `yesser projects list`.")
    print_view(
        shown,
        as_json,
        lambda: [grid(PROJECTS, [shown]), grid(PHASES, shown.phase_states), grid(HISTORY, shown.history)],
        at,
        gateway,
    )


@click.command()
@click.option("--agency", shell_complete=agency_codes, help="Only this agency's activity.")
@json_option
@as_of_options
@reads_options
def activity(at: PointInTime, agency: str | None, gateway: Gateway | None, as_json: bool) -> None:
    """Show each agency's accepted events by type, and its refused records."""
    if gateway is None:
        from consumers.programme.projections import read

        only = registered(agency)
        _, shown = run_query(CONSUMER, lambda connection: read.activity(connection, only), at)
    else:
        shown = gateway.rows(Activity, "/v1/activity", agency=agency) or []
    print_view(shown, as_json, lambda: [grid(ACTIVITY, shown)], at, gateway)
