"""Every exception class of the product has its place in the tree of `events.errors`."""

from __future__ import annotations

import importlib
import pkgutil

from aiokafka.errors import KafkaError

import consumers
import events
import infra
import producers
from events.errors import YesserError

LOST_CONNECTIONS = (OSError, KafkaError)
OUTSIDE = {
    "infra.process.tasks.TaskFailed",  # a bug
    "infra.process.commands._Ended",  # carries an exit code through a task
    "infra.postgres.connection.RestoredCopy",  # the answer of PostgreSQL, which passes
    "consumers.api.reader.Unchanged",  # the client has the answer already
    "consumers.proof.audit.verify.Changed",  # of a file that runs without this project
    "consumers.proof.audit.verify.OtherKey",
    "consumers.proof.audit.verify.UsageError",
}


def test_an_exception_outside_the_tree_is_a_bug_or_a_lost_connection() -> None:
    outside = {
        f"{kind.__module__}.{kind.__qualname__}"
        for package in (events, infra, producers, consumers)
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
        for kind in vars(importlib.import_module(found.name)).values()
        if isinstance(kind, type) and issubclass(kind, BaseException) and kind.__module__ == found.name
        if not issubclass(kind, (YesserError, *LOST_CONNECTIONS))
    }
    assert outside == OUTSIDE
