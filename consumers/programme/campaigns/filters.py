"""Which campaigns a list shows, and in which order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal, get_args

from consumers.replay.as_of.point_in_time import PointInTime
from events.values.working_days import riyadh_date
from events.wire.entry import recorded_time

Sort = Literal["id", "due", "overdue"]
SORTS: Final[tuple[Sort, ...]] = get_args(Sort)

Subscription = Mapping[str, Sequence[str] | None]
"""`rules`, `services` and `channels` that a team wants; None means all."""


@dataclass(frozen=True, slots=True)
class CampaignFilter:
    """All that is given must hold. A new one matches every campaign in the log, by id.

    `today` is the civil date in Riyadh, `state` one of `StateFilter`. A campaign is *overdue* after its due date,
    unless it is completed, paused, or both acknowledged and aired on each of its channels. It is *open* until it is
    completed. `due_before` excludes its own date. `subscriptions`: at least one of them must match. The order
    `overdue` is by due date too, after what is overdue.
    """

    today: str
    owner: str | None = None
    state: str | None = None
    overdue: bool | None = None
    due_before: str | None = None
    service: str | None = None
    channel: str | None = None
    rule: str | None = None
    subscriptions: Sequence[Subscription] | None = None
    sort: Sort = "id"
    after: tuple[str, str] = ("", "")
    """Sort key and id of the last campaign of the page before."""
    rows_max: int | None = None

    @property
    def depends_on_today(self) -> bool:
        """Whether another day may give other rows."""
        return self.state == "overdue" or self.overdue is not None or self.sort == "overdue"

    def arguments(self) -> list[Any]:
        """The arguments of the query `campaigns`, after `campaign_id`."""
        subscriptions = None if self.subscriptions is None else [dict(row) for row in self.subscriptions]
        chosen = [self.owner, self.state, self.overdue, self.due_before, self.service, self.channel, self.rule]
        return [self.today, self.sort, *self.after, self.rows_max, *chosen, subscriptions]


def today_at(at: PointInTime, clock: datetime) -> str:
    """The civil date in Riyadh at a point in time; of `clock` for now and for a number of entries."""
    return at.occurred or riyadh_date(recorded_time(at.recorded or clock))
