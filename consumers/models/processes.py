"""The consumers as processes of `yesser run` (entry points of the group `yesser.processes`): factories, which take the
settings."""

from __future__ import annotations

from functools import partial
from typing import Final

from consumers.models.registry import CONSUMERS
from consumers.replay.pipeline.pipeline import Host, Pipeline

projections: Final = partial(Pipeline, CONSUMERS["projections"])
"""The plan at a glance."""
campaigns: Final = partial(Pipeline, CONSUMERS["campaigns"])
"""Triggers awareness campaigns."""
revenue: Final = partial(Pipeline, CONSUMERS["revenue"])
"""The revenue-share ledger."""
event_index: Final = partial(Pipeline, CONSUMERS["event-index"])
"""Events by source, type, subject, agency and time."""
consumers: Final = partial(Host, tuple(CONSUMERS.values()))
"""All consumers in one process, for machines with few cores."""
