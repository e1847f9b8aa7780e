"""The table of consumers: a new one needs a pure fold, a `.sql` file and a row here."""

from __future__ import annotations

from typing import Final

from consumers.programme.campaigns.consumer import CONSUMER as CAMPAIGNS
from consumers.programme.projections.consumer import CONSUMER as PROJECTIONS
from consumers.replay.event_index.consumer import CONSUMER as EVENT_INDEX
from consumers.replay.fold.consumer import Consumer
from consumers.revenue.consumer import CONSUMER as REVENUE

CONSUMERS: Final[dict[str, Consumer]] = {
    "projections": PROJECTIONS,
    "campaigns": CAMPAIGNS,
    "revenue": REVENUE,
    "event-index": EVENT_INDEX,
}
"""Process name → consumer."""
