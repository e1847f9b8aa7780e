"""What a loop does about an error, by the error's class alone.

The classes of `events.errors` name their reaction. Those of the client libraries are listed here, once.
"""

from __future__ import annotations

from enum import Enum

from aiokafka.errors import KafkaError

from events.errors import Halt, Retry, StandDown, YesserError
from infra.postgres.connection import is_transient


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
