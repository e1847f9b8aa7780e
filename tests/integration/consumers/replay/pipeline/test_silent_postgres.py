"""A database that takes connections and never answers: each question ends with a time-out."""

from __future__ import annotations

import asyncio

import pytest

import infra.postgres.connection
from infra.postgres.connection import connect
from infra.settings import Settings
from tests.integration.consumers.replay.pipeline.frozen_line import line_to_postgres


@pytest.mark.alone
async def test_an_unanswered_question_fails_by_a_limit(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(infra.postgres.connection, "ANSWER_MARGIN_S", 0.2)
    async with line_to_postgres(settings) as (line, over_it):
        hasty = over_it.model_copy(update={"statement_timeout_ms": 300, "postgres_connect_timeout_s": 0.5})
        opened = await connect(hasty)
        line.freeze()
        async with asyncio.timeout(10):
            with pytest.raises(TimeoutError):
                await opened.fetchval("SELECT 1")
            opened.terminate()
            with pytest.raises(TimeoutError):
                await connect(hasty)
