"""The plan against the calendar: how much of it would be done by now if all of it went evenly, and what each agency has
done (docs/decisions/pace-is-measured-by-the-log.md).

Everything is derived from the steps of projects and services, so it can be had as of any number of entries.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, Literal

from consumers.documents.document import document_of, documents_of
from consumers.documents.programme.plan import AgencyPace, Launches, Pace, PlanName
from consumers.programme.projections.consumer import CONSUMER as PROJECTIONS
from consumers.replay.as_of.view import View
from events.values.working_days import riyadh_date
from events.wire.entry import parse_entry
from infra.log.reader import read_checked
from infra.postgres.connection import Connection
from infra.postgres.sql import queries

_SQL: Final = queries("consumers.programme.plan", "pace.sql")


@dataclass(frozen=True, slots=True)
class Measured:
    """The day that the plan is measured on, and what says so: the time of recording, or the latest step's date."""

    on: str
    by: Literal["recorded", "steps", "occurred"]


def measured(starts_on: str, ends_on: str, adopted: str, recorded: str, latest_step: str | None) -> Measured:
    """`adopted` and `recorded` are the civil dates on which the plan and the last entry were recorded.

    A log that follows its plan is measured by its own calendar, also where nothing happens. A plan that was recorded
    after its end is history: the latest step says how far it has got.
    """
    if adopted <= ends_on:
        return Measured(recorded, "recorded")
    return Measured(min(latest_step or starts_on, recorded), "steps")


def days_between(starts_on: str, ends_on: str) -> int:
    """Days of a plan, its first and its last included; 0 where it ends before it starts."""
    return max(0, (date.fromisoformat(ends_on) - date.fromisoformat(starts_on)).days + 1)


def elapsed_days(starts_on: str, ends_on: str, on: str) -> int:
    """Days of the plan up to a day, which counts; all of them after its end."""
    return min(days_between(starts_on, on), days_between(starts_on, ends_on))


def expected(whole: int, elapsed: int, days: int) -> int:
    """How much of `whole` would be done if every day had the same part: whole ones, rounded down."""
    return whole * elapsed // days if days else whole


async def pace(view: View, index: int, occurred: str | None = None) -> Pace:
    """The plan against the calendar after `index` entries, which the view has applied; measured on the date by which
    all of them had occurred, where the view is one of an occurred date."""
    connection = await view.use(PROJECTIONS)
    recorded = await _recorded(connection, index - 1) if index else None
    plan = await connection.fetchrow(_SQL["plan"], index)
    if plan is None or recorded is None:
        return without_plan(index, recorded)
    starts_on, ends_on = plan["starts_on"], plan["ends_on"]
    adopted = riyadh_date(await _recorded(connection, plan["first_index"]))
    is_history = adopted > ends_on
    latest = await connection.fetchval(_SQL["latest_step"], index) if is_history else None
    now = measured(starts_on, ends_on, adopted, riyadh_date(recorded), latest)
    if occurred is not None:
        now = Measured(min(occurred, riyadh_date(recorded)), "occurred")
    days, elapsed = days_between(starts_on, ends_on), elapsed_days(starts_on, ends_on, now.on)
    agencies = await connection.fetch(_SQL["agencies"], index, plan["plan_id"])
    launches = await connection.fetch(_SQL["launches"], index, plan["plan_id"])
    return Pace(
        log_index=index,
        recorded=recorded,
        plan=document_of(PlanName, plan),
        measured_on=now.on,
        measured_by=now.by,
        days=days,
        elapsed_days=elapsed,
        agencies=tuple(_agency(row, elapsed, days) for row in agencies),
        launches=tuple(documents_of(Launches, launches)),
    )


def without_plan(index: int, recorded: str | None) -> Pace:
    """The pace before a plan is adopted."""
    return Pace(
        log_index=index,
        recorded=recorded,
        plan=None,
        measured_on=None,
        measured_by=None,
        days=0,
        elapsed_days=0,
        agencies=(),
        launches=(),
    )


def _agency(row: Mapping[str, Any], elapsed: int, days: int) -> AgencyPace:
    return document_of(
        AgencyPace,
        row,
        expected_launched=expected(row["services"], elapsed, days),
        expected_completed=expected(row["phases"], elapsed, days),
    )


async def _recorded(connection: Connection, index: int) -> str:
    """When an entry was recorded, in UTC."""
    (raw,) = await read_checked(connection, index, 1)
    return parse_entry(index, raw).recorded
