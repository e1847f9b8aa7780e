"""The past state that a request asks for, how long its answer may be cached, and the plan as it was."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from consumers.api.reader import REVALIDATED, Reader, State
from consumers.documents.programme.plan import Pace, Plan
from consumers.programme.campaigns.consumer import CONSUMER as CAMPAIGNS
from consumers.programme.plan.document import plan_at_a_glance, plan_by_occurrence
from consumers.programme.plan.pace import pace
from consumers.programme.projections.consumer import CONSUMER as PROJECTIONS
from consumers.replay.as_of.point_in_time import PointInTime
from consumers.replay.as_of.view import view
from events.values.bilingual import Bilingual
from infra.http.parameters import bad_parameter
from infra.log.reader import entries_recorded_by, log_size
from infra.settings import Settings

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
