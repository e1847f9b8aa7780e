"""Plans (events.md §3): adopted once, amended as a whole; the plan last adopted in log order is shown."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from consumers.programme.projections.handlers.outcome import Outcome, applied
from consumers.replay.fold.anomaly import anomaly
from events.values.data import Data
from events.wire.entry import Entry
from infra.postgres.unit_of_work import Need, Table, UnitOfWork


@dataclass(slots=True)
class Plan:
    """An adopted plan with the targets of its latest amendment."""

    plan_id: str
    name: Data
    starts_on: str
    ends_on: str
    targets: Data
    first_index: int
    last_index: int
    count: int


@dataclass(slots=True)
class ShownPlan:
    """The single row of the shown plan, with its current targets, so that readers need one query."""

    slot: int
    plan_id: str
    targets: Data
    first_index: int
    last_index: int


SLOT: Final = 1
PLAN: Final = Table("plan", Plan, key=("plan_id",))
SHOWN_PLAN: Final = Table("shown_plan", ShownPlan, key=("slot",))
TABLES: Final[tuple[Table[Any], ...]] = (PLAN, SHOWN_PLAN)
SQL_FILES: Final = (("consumers.programme.projections.handlers", "plan.sql"),)
TYPES: Final = frozenset({"plan.adopted", "plan.amended"})

SHOWN: Final[Need] = (SHOWN_PLAN, (SLOT,))
"""The key that a consumer needs before it calls `shown`."""


def shown(ws: UnitOfWork) -> ShownPlan | None:
    """The plan that is shown, if any was adopted."""
    return ws.get(SHOWN_PLAN, SLOT)


def group_target(plan: ShownPlan, group: int) -> int:
    """The target of a group of services."""
    target: int = plan.targets["services"][str(group)]
    return target


def required_keys(entry: Entry) -> Iterator[Need]:
    yield PLAN, (entry.data["plan_id"],)
    yield SHOWN


def apply(ws: UnitOfWork, entry: Entry) -> list[Outcome]:
    """Apply one entry."""
    return [_adopt(ws, entry) if entry.type == "plan.adopted" else _amend(ws, entry)]


def _adopt(ws: UnitOfWork, entry: Entry) -> Outcome:
    data, index = entry.data, entry.index
    known = ws.get(PLAN, data["plan_id"])
    if known is not None:
        return anomaly(entry, "already-adopted", {"adopted_index": known.first_index})
    targets = data["targets"]
    ws.put(PLAN, Plan(data["plan_id"], data["name"], data["starts_on"], data["ends_on"], targets, index, index, 1))
    ws.put(SHOWN_PLAN, ShownPlan(SLOT, data["plan_id"], targets, index, index))
    return applied(entry)


def _amend(ws: UnitOfWork, entry: Entry) -> Outcome:
    plan = ws.get(PLAN, entry.data["plan_id"])
    if plan is None:
        return anomaly(entry, "unknown-plan", {})
    plan.targets = entry.data["targets"]
    plan.last_index = entry.index
    plan.count += 1
    ws.put(PLAN, plan)
    current = shown(ws)
    if current is not None and current.plan_id == plan.plan_id:
        current.targets = plan.targets
        current.last_index = entry.index
        ws.put(SHOWN_PLAN, current)
    return applied(entry)
