"""What a loop does about an error, by its class."""

from __future__ import annotations

import re

import asyncpg
import pytest
from aiokafka.errors import KafkaConnectionError, TopicAuthorizationFailedError

from consumers.registrar.guards.continuation import Fork
from consumers.registrar.journal import Diverged
from consumers.registrar.reader import TopicBroken
from consumers.registrar.topics.texts_topic import Behind
from consumers.replay.pipeline.batch import LeafMismatch
from consumers.replay.pipeline.writer import NewerRules
from events.errors import Fenced, Reject, Tampered
from infra.log.signed_note import InvalidKey
from infra.process.reaction import Reaction, reaction_to, trace_of
from infra.process.tasks import Interrupted, TaskFailed
from infra.tls.client import NotTrusted
from producers.errors import NotAccepted
from producers.outbox.outbox import NoOutbox
from producers.outbox.relay import EventsNotTaken
from tests.every import every


@every(
    ("reaction", "errors"),
    [
        (Reaction.RETRY, [Behind(), TopicBroken({"agency.health.events": "is gone"}), EventsNotTaken(), Interrupted()]),
        (Reaction.RETRY, [KafkaConnectionError(), TopicAuthorizationFailedError(), TimeoutError()]),
        (Reaction.RETRY, [asyncpg.ConnectionDoesNotExistError(), asyncpg.LockNotAvailableError()]),
        (Reaction.RETRY, [asyncpg.TransactionTimeoutError(), asyncpg.ReadOnlySQLTransactionError()]),
        (Reaction.RETRY, [asyncpg.PostgresIOError()]),
        (Reaction.HALT, [Fork(), Diverged(), InvalidKey(), LeafMismatch(), Tampered(), NotTrusted()]),
        (Reaction.STAND_DOWN, [Fenced()]),
        (Reaction.RAISE, [NewerRules(), NoOutbox(), NotAccepted(), Reject()]),
        (Reaction.BUG, [asyncpg.DataError("a value that does not fit"), asyncpg.UndefinedTableError()]),
        (Reaction.BUG, [TaskFailed(), KeyError("x")]),
    ],
)
def test_the_reaction_follows_the_class(reaction: Reaction, errors: list[Exception]) -> None:
    assert [(error, reaction_to(error)) for error in errors] == [(error, reaction) for error in errors]


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
    one, other = ValueError(), TypeError()
    one.__context__, other.__context__ = other, one
    assert trace_of(one) == "ValueError; after TypeError", "they refer to each other"
