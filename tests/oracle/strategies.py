"""Hypothesis strategies for small logs, dense in contradictions: few ids, few dates, two agencies and the office.

Each gives a list of entries with dense indexes from 0, the registrations first. Compare a production fold of them with
`fold(entries)`; `log.entry_bytes` gives the bytes that are in the log.
"""

from __future__ import annotations

from hypothesis import strategies as st

from tests.oracle.builder import Builder, Move
from tests.oracle.log import EntryDict
from tests.oracle.money_moves import revenue_move
from tests.oracle.world_moves import campaign_move, once_move, plan_move, service_move, training_move, world_move


def _logs(moves: tuple[Move, ...], least: int = 10, most: int = 60) -> st.SearchStrategy[list[EntryDict]]:
    """Logs of that many moves, each one of `moves`."""

    @st.composite
    def build(draw: st.DrawFn) -> list[EntryDict]:
        builder = Builder(lambda strategy: draw(strategy))
        builder.start()
        for _ in range(builder.number(least, most)):
            moves[builder.number(0, len(moves) - 1)](builder)
        return builder.entries

    return build()


def world_logs(least: int = 10, most: int = 60) -> st.SearchStrategy[list[EntryDict]]:
    """Plans, projects, services, training, workshops, frameworks, initiatives."""
    return _logs((world_move,), least, most)


def revenue_logs(least: int = 10, most: int = 60) -> st.SearchStrategy[list[EntryDict]]:
    """Contracts and money."""
    return _logs((revenue_move,), least, most)


def campaign_logs(least: int = 10, most: int = 60) -> st.SearchStrategy[list[EntryDict]]:
    """What causes, pauses and resumes campaigns, the platform's triggers, and what their owners say."""
    causes: tuple[Move, ...] = (service_move, service_move, plan_move, training_move, once_move)
    return _logs((*causes, *([campaign_move] * 5)), least, most)


def mixed_logs(least: int = 10, most: int = 60) -> st.SearchStrategy[list[EntryDict]]:
    """Everything."""
    return _logs((world_move, revenue_move, campaign_move), least, most)
