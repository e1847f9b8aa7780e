"""Several consumers in one process: the log's topic is read and parsed once, everything else is separate.

Each consumer has its own lease, connection, position and transactions. One that halts, waits or ends does not stop the
others: it is started again here, as a supervisor starts a process again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

import structlog

from consumers.replay.fold.consumer import Consumer
from consumers.replay.pipeline.log_feed import LogFeed
from consumers.replay.pipeline.pipeline import LOOK_AT_LOG_S, Pipeline
from events.errors import YesserError
from infra.log.older_copy import is_older_copy
from infra.process.health import Readiness
from infra.process.tasks import pause, until_one_ends
from infra.settings import Settings

log = structlog.get_logger()


class Host:
    """Runs `consumers` until a stop."""

    def __init__(
        self, consumers: Sequence[Consumer], settings: Settings, *, look_at_log_s: float = LOOK_AT_LOG_S
    ) -> None:
        self.settings = settings
        # Any of them may read the log's topic.
        self._feed = LogFeed(settings.acting_as(consumers[0].name))
        self._pipelines = {
            consumer.name: Pipeline(consumer, settings, self._feed, look_at_log_s=look_at_log_s)
            for consumer in consumers
        }
        self._ended: dict[str, str] = {}

    def readiness(self) -> Readiness:
        """Ready while every consumer is; the details are those of each one, by name."""
        return combined({name: self._readiness_of(name) for name in self._pipelines})

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`."""
        await until_one_ends(self._feed.run(), self._run_all(stop))

    def _readiness_of(self, name: str) -> Readiness:
        readiness = self._pipelines[name].readiness()
        if (reason := self._ended.get(name)) is None:
            return readiness
        return Readiness(False, {**readiness.details, "ended": reason}, readiness.healthy)

    async def _run_all(self, stop: asyncio.Event) -> None:
        await asyncio.gather(*(self._keep_running(pipeline.consumer, stop) for pipeline in self._pipelines.values()))

    async def _keep_running(self, consumer: Consumer, stop: asyncio.Event) -> None:
        wait_ms = self.settings.retry_wait_max_ms
        while not stop.is_set():
            reason = await self._end_of(consumer.name, stop)
            if reason is not None:
                self._ended[consumer.name] = reason
                log.error("a consumer ended; it starts again", consumer=consumer.name, how=reason, wait_ms=wait_ms)
                await pause(stop, wait_ms / 1000)
                self._pipelines[consumer.name] = Pipeline(consumer, self.settings, self._feed)
                del self._ended[consumer.name]

    async def _end_of(self, name: str, stop: asyncio.Event) -> str | None:
        """How a consumer ended; None at a stop."""
        try:
            await self._pipelines[name].run(stop)
        except SystemExit as end:  # its pipeline has logged the error
            return f"exit code {end.code}"
        except YesserError as error:
            return str(error)
        return None


def combined(consumers: Mapping[str, Readiness]) -> Readiness:
    """The readiness of a process with several consumers. `lag` is the greatest of theirs."""
    states = consumers.values()
    details = {
        "role": "active" if any(one.details["role"] == "active" for one in states) else "standby",
        "lag": max(one.details.get("lag", 0) for one in states),  # type: ignore[type-var]
        "consumers": {name: {"ready": one.ready, **one.details} for name, one in consumers.items()},
    }
    for what in ("rebuilding", "held_by"):
        if known := {name: said for one in states for name, said in one.details.get(what, {}).items()}:  # type: ignore[attr-defined]
            details[what] = known
    halts = {name: str(one.details["halted"]) for name, one in consumers.items() if "halted" in one.details}
    if halts:
        others = [f"{name}: {reason}" for name, reason in halts.items() if not is_older_copy(reason)]
        details["halted"] = "; ".join([*filter(is_older_copy, halts.values())][:1] + others)
    return Readiness(all(one.ready for one in states), details, all(one.healthy for one in states))
