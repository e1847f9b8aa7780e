"""Projects (events.md §3): phases in order, the highest completed one may be reopened, cancelled unless completed.

Phases complete in order and only the highest completed one reopens, so the completed phases are always 1 … `completed`
and the started ones (which include them) always 1 … `started`: two numbers are the whole state.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from consumers.programme.projections.handlers.life_cycle import LifeCycle, reassign
from consumers.replay.fold.anomaly import Fact
from events.values.data import Data
from events.wire.entry import Entry
from infra.postgres.unit_of_work import Table, UnitOfWork


@dataclass(slots=True)
class Project:
    """A registered project. `started` includes the completed phases; `count` = facts that took effect."""

    project_id: str
    plan_id: str
    kind: str
    name: Data
    owner: str
    phases: int
    phase_names: list[Any]
    started: int = 0
    completed: int = 0
    cancelled: bool = False
    cancelled_on: str | None = None
    state: str = "registered"
    first_index: int = 0
    last_index: int = 0
    count: int = 1


PROJECT: Final = Table("project", Project, key=("project_id",))
TABLES: Final[tuple[Table[Any], ...]] = (PROJECT,)
SQL_FILES: Final = (("consumers.programme.projections.handlers", "projects.sql"),)


def _register(ws: UnitOfWork, entry: Entry) -> Project:
    data = entry.data
    project = Project(
        project_id=data["project_id"],
        plan_id=data["plan_id"],
        kind=data["kind"],
        name=data["name"],
        owner=entry.agency,
        phases=len(data["phases"]),
        phase_names=[phase["name"] for phase in data["phases"]],
        first_index=entry.index,
        last_index=entry.index,
    )
    ws.put(PROJECT, project)
    return project


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


def _state(project: Project) -> str:
    if project.cancelled:
        return "cancelled"
    if project.completed == project.phases:
        return "completed"
    return "started" if project.started else "registered"


def _known(project: Project) -> Data:
    return {name: getattr(project, name) for name in ("phases", "started", "completed", "cancelled")}


_RULES: Final[dict[str, Callable[[Project, Fact], str | None]]] = {
    "project.phase-started": _start,
    "project.phase-completed": _complete,
    "project.phase-reopened": _reopen,
    "project.cancelled": _cancel,
    "project.reassigned": reassign,
}
TYPES: Final = frozenset(_RULES) | {"project.registered"}
_LIFE_CYCLE: Final = LifeCycle("project", PROJECT, _register, _RULES, _state, _known)
required_keys: Final = _LIFE_CYCLE.required_keys
dependent_keys: Final = _LIFE_CYCLE.dependent_keys
apply: Final = _LIFE_CYCLE.apply
