"""Reads the projections' tables, in the shapes of events.md §5. `search_path` selects the tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from msgspec.structs import replace

from consumers.documents.document import document_of, documents_of
from consumers.documents.log.entries import Anomaly
from consumers.documents.programme import plan
from consumers.documents.programme.directory import (
    Activity,
    Counted,
    Project,
    ProjectAndHistory,
    Service,
    ServiceAndHistory,
    Step,
    phase_states,
)
from infra.postgres.connection import Connection
from infra.postgres.sql import queries

_SQL: Final = queries("consumers.programme.projections", "read.sql")
GROUPS: Final = (1, 2, 3)
COUNTS: Final = ("registered", "launched", "live", "suspended", "retired")

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class AnomalyFilter:
    """Chooses anomalies, from the one after `after` (`found_index`, `index`), or of one `index`; at most `rows_max`.

    `without_rules` goes with `subjects`.
    """

    agency: str | None = None
    subjects: Sequence[str] | None = None
    without_rules: Sequence[str] = ()
    after: tuple[int, int] = (-1, -1)
    index: int | None = None
    rows_max: int | None = None


ALL_ANOMALIES: Final = AnomalyFilter()


@dataclass(frozen=True, slots=True)
class ServiceFilter:
    """A filter of services, from the id after `after`; at most `rows_max`."""

    agency: str | None = None
    group: int | None = None
    state: str | None = None
    after: str = ""
    rows_max: int | None = None


ALL_SERVICES: Final = ServiceFilter()


async def progress(connection: Connection, log_index: int, awareness: plan.Awareness, anomalies: int) -> plan.Plan:
    """The shown plan with the projections' figures and those of others that are given, without partnerships."""
    shown = await connection.fetchrow(_SQL["shown"])
    plan_id = None if shown is None else shown["plan_id"]
    targets = None if shown is None else shown["targets"]
    (infrastructure,) = await connection.fetch(_SQL["infrastructure"], plan_id)
    applications = await connection.fetch(_SQL["applications"], plan_id)
    return plan.Plan(
        log_index=log_index,
        plan_id=plan_id,
        infrastructure=plan.Infrastructure(
            target=targets["infrastructure_projects"] if targets else 0, **dict(infrastructure)
        ),
        national_applications=plan.Applications(
            target=targets["national_applications"] if targets else 0,
            projects=tuple(documents_of(plan.Application, applications)),
        ),
        services=service_groups(targets, await connection.fetch(_SQL["groups"], plan_id)),
        training=tuple(documents_of(plan.Training, await connection.fetch(_SQL["training"]))),
        awareness=replace(awareness, launched_services=await connection.fetchval(_SQL["launched_services"])),
        partnerships=(),
        anomalies=anomalies,
        refusals=await connection.fetchval(_SQL["refusals"]),
    )


def service_groups(targets: Mapping[str, Any] | None, rows: Iterable[Row]) -> plan.ServiceGroups:
    """`services` of `yesser plan`: also groups without services."""
    known = {row["group_number"]: row for row in rows}
    groups = {}
    for number in GROUPS:
        row = known.get(number)
        target = targets["services"][str(number)] if targets else 0
        groups[str(number)] = plan.ServiceGroup(target=target, **{name: row[name] if row else 0 for name in COUNTS})
    return plan.ServiceGroups(target=sum(group.target for group in groups.values()), groups=groups)


async def plan_name(connection: Connection) -> plan.PlanName | None:
    """The name and the dates of the shown plan."""
    row = await connection.fetchrow(_SQL["shown"])
    return None if row is None else document_of(plan.PlanName, row)


async def anomalies_count(connection: Connection) -> int:
    """The number of anomalies of the consumer in `search_path`."""
    count: int = await connection.fetchval(_SQL["anomalies_count"])
    return count


async def anomalies(connection: Connection, chosen: AnomalyFilter = ALL_ANOMALIES) -> list[Anomaly]:
    """The anomalies of the consumer in `search_path`, by (`found_index`, `index`)."""
    name = "anomalies"
    arguments: list[Any] = [*chosen.after, chosen.rows_max]
    subjects, without = chosen.subjects and list(chosen.subjects), list(chosen.without_rules)
    if chosen.index is not None:
        name, arguments = "anomalies_of_entry", [chosen.index, *chosen.after, chosen.agency, subjects, without]
    elif chosen.subjects is not None:
        name, arguments = "anomalies_of_subjects", [*arguments, subjects, without, chosen.agency]
    elif chosen.agency is not None:
        name, arguments = "anomalies_of_agency", [*arguments, chosen.agency]
    return documents_of(Anomaly, await connection.fetch(_SQL[name], *arguments))


async def services(connection: Connection, chosen: ServiceFilter = ALL_SERVICES) -> list[Service]:
    """The service directory by id."""
    arguments = (chosen.after, chosen.rows_max, None, chosen.agency, chosen.group, chosen.state)
    return documents_of(Service, await connection.fetch(_SQL["services"], *arguments))


async def service(connection: Connection, service_id: str) -> ServiceAndHistory | None:
    """A service with its history, None where it is not registered."""
    row = await connection.fetchrow(_SQL["services"], "", 1, service_id, None, None, None)
    if row is None:
        return None
    return document_of(ServiceAndHistory, row, history=await history(connection, f"service/{service_id}"))


async def projects(connection: Connection, after: str = "", rows_max: int | None = None) -> list[Project]:
    """The projects by id, from the one after `after`."""
    return documents_of(Project, await connection.fetch(_SQL["projects"], after, rows_max, None))


async def project(connection: Connection, project_id: str) -> ProjectAndHistory | None:
    """A project with its phases and its history, None where it is not registered."""
    row = await connection.fetchrow(_SQL["projects"], "", 1, project_id)
    if row is None:
        return None
    names = await connection.fetchval(_SQL["phase_names"], project_id)
    return document_of(
        ProjectAndHistory,
        row,
        phase_states=phase_states(names, row["started"], row["completed"]),
        history=await history(connection, f"project/{project_id}"),
    )


async def history(connection: Connection, subject: str) -> list[Step]:
    """The steps of a project or service (`project/…`, `service/…`) in the order in which they took effect."""
    return documents_of(Step, await connection.fetch(_SQL["history"], subject))


async def activity(
    connection: Connection, agency: str | None = None, after: str = "", rows_max: int | None = None
) -> list[Activity]:
    """Accepted events by type and refused records of each agency, by code."""
    active = await connection.fetch(_SQL["active_agencies"], after, agency, rows_max)
    agencies = {code: Activity(agency=code, events={}, refusals=None) for (code,) in active}
    for row in await connection.fetch(_SQL["activity"], list(agencies)):
        agencies[row["agency"]].events[row["type"]] = document_of(Counted, row)
    for row in await connection.fetch(_SQL["refusals_by_agency"], list(agencies)):
        agencies[row["agency"]].refusals = document_of(Counted, row)
    return list(agencies.values())
