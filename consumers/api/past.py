"""The past state that a request asks for, how long its answer may be cached, and the plan as it was."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from consumers.api.reader import REVALIDATED, Reader, State
from consumers.documents.programme.plan import Plan
from consumers.programme.plan.document import plan_at_a_glance
from events.values.bilingual import Bilingual
from infra.http.parameters import bad_parameter
from infra.log.reader import entries_recorded_by, log_size
from infra.settings import Settings

YEAR_S: Final = 31_536_000
_ONLY_ONE: Final = Bilingual(
    "اكتب as_of_index أو as_of_recorded، لا كليهما.", "Give only one of as_of_index and as_of_recorded."
)


async def past_state(reader: Reader, as_of_index: int | None, as_of_recorded: str | None) -> State:
    """The state that one of the two names: its one position is the number of entries.

    Recorded times never fall, so a time is settled once the log has a later entry. Raises `Problem` (422) for both, or
    for a state that does not exist yet, and `Unchanged`.
    """
    if as_of_index is not None and as_of_recorded is not None:
        raise bad_parameter("as_of_recorded", _ONLY_ONE)
    async with reader.reads.connection() as connection:
        size = await log_size(connection)
        if as_of_recorded is not None:
            index = await entries_recorded_by(connection, datetime.fromisoformat(as_of_recorded.upper()))
            is_settled = index < size
        else:
            index, is_settled = size if as_of_index is None else as_of_index, True
    if index > size:
        detail = Bilingual(
            "عدد قيود السجل {}، فلا حالة بعد {}.", "The log has {} entries, so there is no state after {}."
        ).format(size, index)
        raise bad_parameter("as_of_index", detail)
    state = State([index], cache_control=f"private, max-age={YEAR_S}, immutable" if is_settled else REVALIDATED)
    reader.require_unknown(state)
    return state


async def past_plan(settings: Settings, index: int) -> Plan:
    """The plan after `index` entries, which the log has. It never changes."""
    plan, _ = await plan_at_a_glance(settings, index)
    return plan
