"""Projects (events.md §3): phases in order, the highest completed one may be reopened, cancelled unless completed.

Phases complete in order and only the highest completed one reopens, so the completed phases are always 1 … `completed`
and the started ones (which include them) always 1 … `started`: two numbers are the whole state.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from consumers.fold.anomaly import Anomaly
from consumers.projections.handlers import pending_events
from consumers.projections.handlers.outcome import AppliedAt, Fact, Outcome, applied, contradiction, found_at
from events.wire.entry import Entry
from infra.postgres.unit_of_work import Need, Table, UnitOfWork


@dataclass(slots=True)
class Project:
    """A registered project. `started` includes the completed phases; `count` = facts that took effect."""

    project_id: str
    plan_id: str
    kind: str
    name: dict[str, Any]
    owner: str
    phases: int
    phase_names: list[Any]
    started: int
    completed: int
    cancelled: bool
    cancelled_on: str | None
    first_index: int
    last_index: int
    count: int


PROJECT: Final = Table("project", Project, key=("project_id",))
TABLES: Final[tuple[Table[Any], ...]] = (PROJECT,)
SQL_FILES: Final = (("consumers.projections.handlers", "projects.sql"),)


def required_keys(entry: Entry) -> Iterator[Need]:
    """First round: the project, and how many facts wait for it."""
    if entry.type in TYPES:
        yield PROJECT, (entry.data["project_id"],)
        yield pending_events.need(entry.subject)


def dependent_keys(ws: UnitOfWork, entry: Entry) -> Iterator[Need]:
    """Second round, of a project that is not registered: how many facts of the agency wait; at `registered` all."""
    if entry.type not in TYPES or ws.get(PROJECT, entry.data["project_id"]) is not None:
        return
    if entry.type == "project.registered":
        yield from pending_events.need_facts(ws, entry.subject)
    else:
        yield pending_events.need_agency(entry.subject, entry.agency)


def apply(ws: UnitOfWork, entry: Entry) -> list[Outcome]:
    """Judge one entry; at `registered`, also what waited for it."""
    if entry.type not in TYPES:
        return []
    project = ws.get(PROJECT, entry.data["project_id"])
    if entry.type == "project.registered":
        return [_contradicted(project, entry)] if project is not None else _register(ws, entry)
    if project is None:
        beyond = pending_events.keep(ws, entry)
        return [] if beyond is None else [beyond]
    return [_judge(ws, project, entry, found_at(entry))]


def _contradicted(project: Project, entry: Entry) -> Anomaly:
    rule = "already-registered" if project.owner == entry.agency else "not-owner"
    return contradiction(
        entry, found_at(entry), rule, {"owner": project.owner, "registered_index": project.first_index}
    )


def _register(ws: UnitOfWork, entry: Entry) -> list[Outcome]:
    data = entry.data
    project = Project(
        project_id=data["project_id"],
        plan_id=data["plan_id"],
        kind=data["kind"],
        name=data["name"],
        owner=entry.agency,
        phases=len(data["phases"]),
        phase_names=[phase["name"] for phase in data["phases"]],
        started=0,
        completed=0,
        cancelled=False,
        cancelled_on=None,
        first_index=entry.index,
        last_index=entry.index,
        count=1,
    )
    ws.put(PROJECT, project)
    found = found_at(entry)
    outcomes: list[Outcome] = [applied(entry, found, _details(project))]
    outcomes += [_judge(ws, project, fact, found) for fact in pending_events.take(ws, entry.subject)]
    return outcomes


def _judge(ws: UnitOfWork, project: Project, fact: Fact, found: AppliedAt) -> Outcome:
    if fact.type != "project.reassigned" and fact.agency != project.owner:
        return contradiction(fact, found, "not-owner", {"owner": project.owner})
    rule = _RULES[fact.type](project, fact)
    if rule is not None:
        return contradiction(fact, found, rule, _known(project))
    project.last_index = found.index
    project.count += 1
    ws.put(PROJECT, project)
    return applied(fact, found, _details(project))


def _start(project: Project, fact: Fact) -> str | None:
    phase = fact.data["phase"]
    if phase <= project.started:
        return "already-started"
    rule = _phase_out_of_reach(project, phase)
    if rule is None:
        project.started = phase
    return rule


def _complete(project: Project, fact: Fact) -> str | None:
    phase = fact.data["phase"]
    if phase <= project.completed:
        return "already-completed"
    rule = _phase_out_of_reach(project, phase)
    if rule is None:
        project.completed = phase
        project.started = max(project.started, phase)
    return rule


def _phase_out_of_reach(project: Project, phase: int) -> str | None:
    """Phase k is in reach when k = 1 or phase k − 1 is completed."""
    if phase > project.phases:
        return "unknown-phase"
    return "not-allowed-now" if project.cancelled or phase > project.completed + 1 else None


def _reopen(project: Project, fact: Fact) -> str | None:
    phase = fact.data["phase"]
    if phase > project.phases:
        return "unknown-phase"
    if project.cancelled or phase != project.completed:
        return "not-allowed-now"
    project.completed -= 1
    return None


def _cancel(project: Project, fact: Fact) -> str | None:
    if project.cancelled:
        return "already-cancelled"
    if project.completed == project.phases:
        return "not-allowed-now"
    project.cancelled = True
    project.cancelled_on = fact.data["on"]
    return None


def _reassign(project: Project, fact: Fact) -> str | None:
    """Also of a cancelled project: who answers for it can still change."""
    project.owner = fact.data["to"]
    return None


_RULES: Final[dict[str, Callable[[Project, Fact], str | None]]] = {
    "project.phase-started": _start,
    "project.phase-completed": _complete,
    "project.phase-reopened": _reopen,
    "project.cancelled": _cancel,
    "project.reassigned": _reassign,
}
TYPES: Final = frozenset(_RULES) | {"project.registered"}


def _known(project: Project) -> dict[str, Any]:
    return {
        "phases": project.phases,
        "started": project.started,
        "completed": project.completed,
        "cancelled": project.cancelled,
    }


def _details(project: Project) -> dict[str, Any]:
    return {"project_id": project.project_id, "plan_id": project.plan_id, "owner": project.owner}
