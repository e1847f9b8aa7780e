"""What a loop does about an error, by its class."""

from __future__ import annotations

import re

import asyncpg
import pytest
from aiokafka.errors import KafkaConnectionError, TopicAuthorizationFailedError

from consumers.pipeline.batch import LeafMismatch
from consumers.pipeline.writer import NewerRules
from consumers.registrar.guards.continuation import Fork
from consumers.registrar.journal import Diverged
from consumers.registrar.reader import TopicBroken
from consumers.registrar.shipper import Behind
from events.errors import Fenced, Reject, Tampered
from infra.log.signed_note import InvalidKey
from infra.process.reaction import Reaction, reaction_to, trace_of
from infra.process.tasks import Interrupted, TaskFailed
from producers.errors import NotAccepted
from producers.outbox.outbox import NoOutbox
from producers.outbox.senders import EventsNotTaken
from tests.every import every


@every(
    ("error", "reaction"),
    [
        (Behind(), Reaction.RETRY),
        (TopicBroken({"agency.health.events": "is gone"}), Reaction.RETRY),
        (EventsNotTaken(), Reaction.RETRY),
        (KafkaConnectionError(), Reaction.RETRY),
        (TopicAuthorizationFailedError(), Reaction.RETRY),
        (asyncpg.ConnectionDoesNotExistError(), Reaction.RETRY),
        (asyncpg.LockNotAvailableError(), Reaction.RETRY),
        (asyncpg.TransactionTimeoutError(), Reaction.RETRY),
        (asyncpg.ReadOnlySQLTransactionError(), Reaction.RETRY),
        (asyncpg.PostgresIOError(), Reaction.RETRY),
        (Interrupted(), Reaction.RETRY),
        (TimeoutError(), Reaction.RETRY),
        (Fork(), Reaction.HALT),
        (Diverged(), Reaction.HALT),
        (InvalidKey(), Reaction.HALT),
        (LeafMismatch(), Reaction.HALT),
        (Tampered(), Reaction.HALT),
        (Fenced(), Reaction.STAND_DOWN),
        (NewerRules(), Reaction.RAISE),
        (NoOutbox(), Reaction.RAISE),
        (NotAccepted(), Reaction.RAISE),
        (Reject(), Reaction.RAISE),
        (asyncpg.DataError("a value that does not fit"), Reaction.BUG),
        (asyncpg.UndefinedTableError(), Reaction.BUG),
        (TaskFailed(), Reaction.BUG),
        (KeyError("x"), Reaction.BUG),
    ],
)
def test_the_reaction_follows_the_class(error: Exception, reaction: Reaction) -> None:
    assert reaction_to(error) is reaction


def test_a_trace_has_types_and_lines_and_nothing_that_was_said() -> None:
    def inner() -> None:
        raise KeyError("1000000001")

    def outer() -> None:
        try:
            inner()
        except KeyError as error:
            raise ValueError("1000000001") from error

    with pytest.raises(ValueError, match="1000000001") as raised:
        outer()
    found = trace_of(raised.value)
    assert re.fullmatch(
        rf"ValueError at {__name__}:\d+ outer < {__name__}:\d+ \w+; after KeyError at {__name__}:\d+ inner < .*", found
    )
    assert "1000000001" not in found


def test_a_trace_ends_where_errors_refer_to_each_other() -> None:
    one, other = ValueError(), TypeError()
    one.__context__, other.__context__ = other, one
    assert trace_of(one) == "ValueError; after TypeError"
