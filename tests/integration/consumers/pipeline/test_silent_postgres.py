"""A database that takes connections and never answers: whoever asks gives up, and another owner takes over."""

from __future__ import annotations

import time

import pytest
from structlog.testing import capture_logs

import infra.postgres.connection
from infra.postgres.connection import Connection, connect
from infra.settings import Settings
from tests.integration.consumers.pipeline.frozen_line import line_to_postgres
from tests.world.records import said
from tests.world.registrars import found, registrar, require_whole_log, until_size
from tests.world.topics import HEALTH_TOPIC, send
from tests.world.waits import running, until

TAKE_OVER_S = 10.0


@pytest.mark.alone
async def test_an_owner_with_a_silent_database_is_replaced(settings: Settings, connection: Connection) -> None:
    await found(settings, "health")
    async with line_to_postgres(settings) as (line, over_it):
        cut_off = registrar(
            over_it.model_copy(update={"lease_ms": 1_500, "lease_renew_ms": 300, "postgres_connect_timeout_s": 1.0})
        )
        other = registrar(settings)
        with capture_logs() as lines:
            async with running(cut_off):
                await until_size(connection, 3)
                async with running(other):
                    await until(lambda: other.progress.standby, "the other one stands by")
                    line.freeze()
                    await send(settings, HEALTH_TOPIC, said("a"))
                    began = time.monotonic()
                    await until_size(connection, 4)
                    assert time.monotonic() - began < TAKE_OVER_S
                    await until(
                        lambda: any(line["event"] == "waiting to try again" for line in lines),
                        "the one that is cut off has noticed",
                        patience_s=TAKE_OVER_S,
                    )
                    line.thaw()
                    await until(lambda: cut_off.progress.standby, "it stands by once it can")
                    await send(settings, HEALTH_TOPIC, said("b"))
                    await until_size(connection, 5)
                    await require_whole_log(settings, connection)


@pytest.mark.alone
async def test_a_question_that_is_not_answered_fails_after_the_servers_own_limit(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(infra.postgres.connection, "ANSWER_MARGIN_S", 0.2)
    async with line_to_postgres(settings) as (line, over_it):
        hasty = over_it.model_copy(update={"statement_timeout_ms": 300, "postgres_connect_timeout_s": 0.5})
        opened = await connect(hasty)
        line.freeze()
        began = time.monotonic()
        with pytest.raises(TimeoutError):
            await opened.fetchval("SELECT 1")
        opened.terminate()
        with pytest.raises(TimeoutError):
            await connect(hasty)
        assert time.monotonic() - began < TAKE_OVER_S
