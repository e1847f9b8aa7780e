"""What a loop does about an error, by the error's class alone.

The classes of `events.errors` name their reaction. Those of the client libraries are listed here, once.
"""

from __future__ import annotations

import traceback
from enum import Enum
from typing import Final

from aiokafka.errors import KafkaError

from events.errors import Halt, Retry, StandDown, YesserError
from infra.postgres.connection import is_transient

TRACED_FRAMES: Final = 8
"""Frames of a trace, from the innermost one outwards."""


class Reaction(Enum):
    """What follows an error."""

    RETRY = "wait, then start again from what the database says"
    HALT = "write nothing, report it, look again later"
    STAND_DOWN = "write nothing, stand by for the lease"
    RAISE = "end with this message: an operator must change something first"
    BUG = "log the trace and end the process, which its supervisor starts again"


def reaction_to(error: BaseException) -> Reaction:
    if isinstance(error, StandDown):
        return Reaction.STAND_DOWN
    if isinstance(error, Halt):
        return Reaction.HALT
    if isinstance(error, Retry | KafkaError) or is_transient(error):
        return Reaction.RETRY
    return Reaction.RAISE if isinstance(error, YesserError) else Reaction.BUG


def is_bug(error: Exception) -> bool:
    """Whether an error of code that only decides, and asks nothing of the outside, is a fault of that code."""
    return reaction_to(error) is Reaction.BUG and not isinstance(error, MemoryError)


def trace_of(error: BaseException) -> str:
    """What was raised and where, innermost frame first: types and lines only. Messages and values may be personal."""
    chain: list[BaseException] = []
    cause: BaseException | None = error
    while cause is not None and cause not in chain:
        chain.append(cause)
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)
    return "; after ".join(map(_own_trace, chain))


def _own_trace(error: BaseException) -> str:
    frames = reversed([*traceback.walk_tb(error.__traceback__)][-TRACED_FRAMES:])
    lines = [f"{frame.f_globals.get('__name__')}:{line} {frame.f_code.co_name}" for frame, line in frames]
    return " at ".join([type(error).__name__, *([" < ".join(lines)] if lines else [])])
