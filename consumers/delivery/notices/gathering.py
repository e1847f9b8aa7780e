"""How long refusals and anomalies of an agency are gathered for one notice. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

WAIT_MAX: Final = timedelta(hours=6)
"""While they go on, a notice comes after twice the time each; this is the longest."""


@dataclass(frozen=True, slots=True)
class Window:
    """What is gathered of an agency for so long (`wait`) since `opened_at`. `source`: `log` for refusals, or the
    consumer that found the anomalies. `noticed_at`: of the notice before."""

    agency: str
    source: str
    items: int
    first_index: int
    last_index: int
    opened_at: datetime
    wait: timedelta
    noticed_at: datetime | None = None

    @property
    def type(self) -> str:
        return "notice.refusal" if self.source == "log" else "notice.anomaly"

    @property
    def notice_id(self) -> str:
        """The same for what it holds, whenever the notice is sent."""
        source = "" if self.source == "log" else f".{self.source}"
        return f"{self.type}.{self.agency}{source}.i{self.first_index}-i{self.last_index}"

    def is_due(self, now: datetime) -> bool:
        return now >= self.opened_at + self.wait


def next_wait(window: Window, shortest: timedelta) -> timedelta:
    """For how long the next ones are gathered, once the notice of this window is sent: longer while they go on."""
    if window.noticed_at is None or window.opened_at - window.noticed_at >= window.wait:
        return shortest
    return min(2 * window.wait, max(WAIT_MAX, shortest))
