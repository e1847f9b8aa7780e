"""The programme: `/v1/plan` and `/v1/pace`, now or as they were; `/v1/services` and `/v1/projects` with their history;
`/v1/names`: what agencies, services and projects are called, for people who read their codes elsewhere.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final

from fastapi import APIRouter, Query, Response
from msgspec import UNSET, structs

from consumers.api.access import may_read, programme_scope, with_readable_history
from consumers.api.parameters import PAGE_ROWS_MAX, After, AsOfIndex, AsOfOccurred, AsOfRecorded, Id, Limit, text_after
from consumers.api.reader import REVALIDATED, ReadAnswer, Reader, State, found, read_route
from consumers.documents.access_scope import AccessScope
from consumers.documents.names import codes_of
from consumers.documents.programme.directory import Project, ProjectAndHistory, Service, ServiceAndHistory, ServiceState
from consumers.documents.programme.plan import Pace, Plan
from consumers.programme.campaigns.consumer import CONSUMER as CAMPAIGNS
from consumers.programme.plan.document import PLAN_CONSUMERS, plan_at_a_glance, plan_by_occurrence, plan_document
from consumers.programme.plan.pace import pace
from consumers.programme.projections.consumer import CONSUMER as PROJECTIONS
from consumers.programme.projections.read import ServiceFilter, project, projects, service, services
from consumers.replay.as_of.names import names_of
from consumers.replay.as_of.point_in_time import PointInTime
from consumers.replay.as_of.view import View, live_view, view
from events.values.bilingual import Bilingual
from events.values.fields import CODE_PATTERN
from infra.http.parameters import bad_parameter
from infra.http.problems import Problem
from infra.log.reader import entries_recorded_by, log_size
from infra.settings import Settings
from producers.sdk.read_api import CODES_MAX, NamedCode

routes = APIRouter(tags=["programme"], default_response_class=Response)
names_routes = APIRouter(tags=["programme"], default_response_class=Response)
"""They follow the campaigns."""

YEAR_S: Final = 31_536_000
_ONLY_ONE: Final = Bilingual(
    "اكتب واحدًا فقط من as_of_index وas_of_recorded وas_of_occurred.",
    "Give only one of as_of_index, as_of_recorded and as_of_occurred.",
)


async def past_state(
    reader: Reader, as_of_index: int | None, as_of_recorded: str | None, as_of_occurred: str | None = None
) -> State:
    """The state that one of them names: its one position is the number of entries.

    Recorded times never fall, so a time is settled once the log has a later entry; an occurred date never is. Raises
    `Problem` (422) for several, or for a state that does not exist yet, and `Unchanged`.
    """
    named = {"as_of_index": as_of_index, "as_of_recorded": as_of_recorded, "as_of_occurred": as_of_occurred}
    if len(names := [name for name, value in named.items() if value is not None]) > 1:
        raise bad_parameter(names[1], _ONLY_ONE)
    async with reader.reads.connection() as connection:
        size = await log_size(connection)
        if as_of_recorded is not None:
            index = await entries_recorded_by(connection, datetime.fromisoformat(as_of_recorded.upper()))
            is_settled = index < size
        else:
            index, is_settled = size if as_of_index is None else as_of_index, as_of_occurred is None
    if index > size:
        detail = Bilingual(
            "عدد قيود السجل {}، فلا حالة بعد {}.", "The log has {} entries, so there is no state after {}."
        ).format(size, index)
        raise bad_parameter("as_of_index", detail)
    state = State(
        [index],
        as_of_occurred or "",
        cache_control=f"private, max-age={YEAR_S}, immutable" if is_settled else REVALIDATED,
    )
    reader.require_unknown(state)
    return state


async def past_plan(settings: Settings, index: int) -> Plan:
    """The plan after `index` entries, which the log has. It never changes."""
    plan, _ = await plan_at_a_glance(settings, index)
    return plan


async def occurred_plan(settings: Settings, size: int, date: str) -> tuple[Plan, Pace]:
    """The plan and its pace of what had occurred by a date; `size`: of the log, so that it is computed again when that
    grows."""
    async with view(settings, (PROJECTIONS, CAMPAIGNS), PointInTime(occurred=date)) as shown:
        return await plan_by_occurrence(shown), await pace(shown, shown.log_index, date)


async def occurred_for(reader: Reader, state: State, date: str) -> tuple[Plan, Pace]:
    """The same, once for all who ask for this date until the log grows. Raises `Problem` (429, 503)."""
    calculations, holder = reader.reads.past_plans, reader.caller.quota_name
    return await calculations.shared(holder, occurred_plan, state.positions[0], date)


_ANSWER: Final = "The shape of `yesser plan --json`; `partnerships_count` with `partnerships_max` only."
_PARTNERSHIPS_MAX: Final = (
    "The largest number of partnerships to return, by id; `partnerships_count` then gives their total."
)


@read_route(routes, "/v1/plan", "plan", "The plan at a glance", _ANSWER)
async def plan_for(
    reader: Reader,
    as_of_index: AsOfIndex = None,
    as_of_recorded: AsOfRecorded = None,
    as_of_occurred: AsOfOccurred = None,
    partnerships_max: Annotated[int | None, Query(ge=0, le=PAGE_ROWS_MAX, description=_PARTNERSHIPS_MAX)] = None,
) -> ReadAnswer[Plan]:
    """The figures of the plan: now, after a number of entries of the log, as the log was at a given time, or of what
    had occurred by a date.

    An agency sees the figures of its own partnerships only. A past plan takes longer, and never changes.
    """
    scope = programme_scope(reader.caller)
    if as_of_index is None and as_of_recorded is None and as_of_occurred is None:
        return await reader.read(PLAN_CONSUMERS, lambda view: plan_document(view, scope.agency, partnerships_max))
    past = await past_state(reader, as_of_index, as_of_recorded, as_of_occurred)
    if as_of_occurred is not None:
        return ReadAnswer(_within((await occurred_for(reader, past, as_of_occurred))[0], scope, partnerships_max), past)
    whole = await reader.reads.past_plans.shared(reader.caller.quota_name, past_plan, past.positions[0])
    return ReadAnswer(_within(whole, scope, partnerships_max), past)


def _within(plan: Plan, scope: AccessScope, partnerships_max: int | None) -> Plan:
    """The plan, with only the partnerships in scope, and the first of them."""
    within = tuple(row for row in plan.partnerships if may_read(scope, row.agency))
    counted = UNSET if partnerships_max is None else len(within)
    return structs.replace(plan, partnerships=within[:partnerships_max], partnerships_count=counted)


@read_route(routes, "/v1/pace", "plan_and_calendar", "The plan against the calendar")
async def pace_for(
    reader: Reader,
    as_of_index: AsOfIndex = None,
    as_of_recorded: AsOfRecorded = None,
    as_of_occurred: AsOfOccurred = None,
) -> ReadAnswer[Pace]:
    """Where the calendar is in the plan, and what each agency has done beside what it would have done at an even
    pace: now, after a number of entries of the log, as the log was at a given time, or of what had occurred by a date.
    """
    programme_scope(reader.caller)
    if as_of_index is None and as_of_recorded is None and as_of_occurred is None:
        return await reader.read([PROJECTIONS], lambda view: pace(view, view.log_index))
    past = await past_state(reader, as_of_index, as_of_recorded, as_of_occurred)
    if as_of_occurred is not None:
        return ReadAnswer((await occurred_for(reader, past, as_of_occurred))[1], past)
    async with reader.reads.connection() as connection, live_view(connection, [PROJECTIONS]) as view:
        if past.positions[0] > view.log_index:  # the log has these entries, the read model not yet
            raise Problem("database-away", retry_after_s=1)
        return ReadAnswer(await pace(view, past.positions[0]), past)


Owner = Annotated[str | None, Query(pattern=CODE_PATTERN, description="Only of this agency.")]
GroupParameter = Annotated[int | None, Query(ge=1, le=3, description="Only of this group.")]
StateParameter = Annotated[ServiceState | None, Query(description="Only in this state.")]


@read_route(routes, "/v1/services", "list_services", "The service directory", "Services by id.")
async def services_for(
    reader: Reader,
    agency: Owner = None,
    group: GroupParameter = None,
    state: StateParameter = None,
    limit: Limit = 100,
    after: After = None,
) -> ReadAnswer[list[Service]]:
    """Every registered service and its state."""
    programme_scope(reader.caller)
    chosen = ServiceFilter(agency, group, state and state.value, after=text_after(after), rows_max=limit + 1)
    return await reader.page(PROJECTIONS, lambda tables: services(tables, chosen), limit, lambda row: (row.service_id,))


@read_route(routes, "/v1/services/{service_id}", "one_service", "A service and its history")
async def service_for(reader: Reader, service_id: Id) -> ReadAnswer[ServiceAndHistory]:
    """What happened to it, step by step, each with the index of its entry."""
    scope = programme_scope(reader.caller)

    async def question(view: View) -> ServiceAndHistory:
        return with_readable_history(found(await service(await view.use(PROJECTIONS), service_id)), scope)

    return await reader.read([PROJECTIONS], question)


@read_route(routes, "/v1/projects", "list_projects", "The projects", "Projects by id.")
async def projects_for(reader: Reader, limit: Limit = 100, after: After = None) -> ReadAnswer[list[Project]]:
    """Every registered project and how many of its phases are started and completed."""
    programme_scope(reader.caller)
    key = text_after(after)
    return await reader.page(
        PROJECTIONS, lambda tables: projects(tables, key, limit + 1), limit, lambda row: (row.project_id,)
    )


@read_route(routes, "/v1/projects/{project_id}", "one_project", "A project, its phases and its history")
async def project_for(reader: Reader, project_id: Id) -> ReadAnswer[ProjectAndHistory]:
    """What happened to it and to each phase, step by step, each with the index of its entry."""
    scope = programme_scope(reader.caller)

    async def question(view: View) -> ProjectAndHistory:
        return with_readable_history(found(await project(await view.use(PROJECTIONS), project_id)), scope)

    return await reader.read([PROJECTIONS], question)


_CODE: Final = "(?:agency|service|project)/[A-Za-z0-9][A-Za-z0-9._-]{0,63}"
Codes = Annotated[
    str,
    Query(
        pattern=f"^{_CODE}(?:,{_CODE}){{0,{CODES_MAX - 1}}}$",
        max_length=CODES_MAX * 73,
        description=f"At most {CODES_MAX}, like `agency/health,service/SVC-1`.",
    ),
]


@read_route(
    names_routes,
    "/v1/names",
    "names",
    "Names of agencies, services and projects",
    "The names of those that are registered.",
)
async def names_for(reader: Reader, codes: Codes) -> ReadAnswer[list[NamedCode]]:
    """A name never changes once it is registered."""
    programme_scope(reader.caller)

    async def question(view: View) -> list[NamedCode]:
        known = await names_of(view.connection, codes_of(codes.split(",")))
        return [NamedCode(kind, code, name) for (kind, code), name in sorted(known.items())]

    return await reader.read((PROJECTIONS, CAMPAIGNS), question)
