"""A consumer that stands at the log's end without an error is not halted, whatever had halted it."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from consumers.pipeline import pipeline
from consumers.pipeline.batch_buffer import BatchBuffer
from consumers.pipeline.pipeline import Pipeline
from consumers.projections.consumer import CONSUMER
from infra.settings import Settings

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
    async def size(_: object) -> int:
        return END

    monkeypatch.setattr(pipeline, "log_size", size)
    monkeypatch.setattr(pipeline, "LOOK_AT_LOG_S", 0.001)


@pytest.mark.parametrize("stored", [True, False])
@pytest.mark.parametrize(("position", "quiet_s", "ended"), [(END, 0, True), (END, 60, False), (END - 5, 0, False)])
async def test_a_halt_is_over_at_the_logs_end(
    stored: bool, position: int, quiet_s: float, ended: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline, "HALT_ENDS_AFTER_S", quiet_s)
    one = Pipeline(CONSUMER, Settings(home=tmp_path), SimpleNamespace())  # type: ignore[arg-type]
    one.progress.halted = "rules/x.yaml: no such field"
    seen: list[str | None] = []
    monkeypatch.setattr(one, "_note", lambda **_: seen.append(one.progress.halted))
    writer: Any = Writer(position, is_halted=stored)
    await one._apply_from(BatchBuffer(10), writer)
    assert (seen[3] is None) == ended
    assert writer.ended == (1 if ended else 0)
