"""A consumer that stands at the log's end without an error is not halted, whatever had halted it."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import AsyncMock

import pytest

from consumers.programme.projections.consumer import CONSUMER
from consumers.replay.pipeline import pipeline
from consumers.replay.pipeline.batch import BatchBuffer, LeafMismatch
from consumers.replay.pipeline.log_feed import LogFeed
from consumers.replay.pipeline.pipeline import Pipeline
from consumers.replay.pipeline.writer import Writer as PipelineWriter
from infra.settings import Settings
from tests.every import every
from tests.virtual_time import virtual

END = 7


class Writer:
    """Stands at the log's end, and moves on after some looks at the log."""

    connection = None

    def __init__(self, position: int, *, is_halted: bool) -> None:
        self.position = position
        self.is_halted = is_halted
        self.ended = 0
        self._looks = 5

    async def fill(self, _: int) -> None:
        self._looks -= 1
        if not self._looks:
            self.position += 1

    async def end_halt(self) -> None:
        self.ended += 1
        self.is_halted = False


@pytest.fixture(autouse=True)
def _no_database(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline, "log_size", AsyncMock(return_value=END))


def pipeline_of(home: Path, halt_ends_after_s: float) -> Pipeline:
    feed: Any = SimpleNamespace()
    return Pipeline(CONSUMER, Settings(home=home), feed, halt_ends_after_s=halt_ends_after_s, look_at_log_s=0.001)


@every("stored", [True, False])
@every(("position", "quiet_s", "ended"), [(END, 0, True), (END, 60, False), (END - 5, 0, False)])
@virtual
async def test_a_halt_is_over_at_the_logs_end(
    stored: bool, position: int, quiet_s: float, ended: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = pipeline_of(tmp_path, quiet_s)
    one.progress.halted = "rules/x.yaml: no such field"
    seen: list[str | None] = []
    monkeypatch.setattr(one, "_note", lambda **_: seen.append(one.progress.halted))
    writer: Any = Writer(position, is_halted=stored)
    await one._apply_from(BatchBuffer(10), writer)
    assert (seen[3] is None) == ended
    assert writer.ended == (1 if ended else 0)


@virtual
async def test_a_topic_that_differs_stays_halted_until_an_entry_is_applied(tmp_path: Path) -> None:
    """Kafka may be away: then nothing comes that would halt it again."""
    one = pipeline_of(tmp_path, 0)
    one._topic_differs, one.progress.halted = True, "the topic holds index 9"
    writer: Any = Writer(END, is_halted=True)
    await one._apply_from(BatchBuffer(10), writer)
    assert writer.ended == 0
    one._note(moved=True, at_end=True)
    assert one.progress.halted is None


@virtual
async def test_a_topic_that_was_read_beyond_the_log_halts_every_subscriber(tmp_path: Path) -> None:
    """The feed has read what the restored database lacks, and brings it only once."""
    feed = LogFeed(Settings(home=tmp_path))
    first = BatchBuffer(10)
    feed.subscribe(first, 5)
    feed._next_index = 6
    one = Pipeline(CONSUMER, Settings(home=tmp_path), feed)
    writer: Any = PipelineWriter(CONSUMER, SimpleNamespace(), 1)  # type: ignore[arg-type]
    writer.position, writer.fill = 5, AsyncMock()
    with pytest.raises(LeafMismatch, match="the log's topic holds index 6, but the database holds 5 entries only"):
        await one._subscribe(writer)
    assert feed._buffers == [first]
