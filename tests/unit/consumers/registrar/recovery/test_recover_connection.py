"""The connection of a recovery: a process that is suspended in a transaction must not keep the lease's row."""

from __future__ import annotations

from pathlib import Path
from unittest.mock import AsyncMock

import pytest

import infra.postgres.connection
from consumers.registrar.recovery import recover
from infra.process import lease
from infra.settings import Settings


async def test_the_database_ends_a_recoverys_idle_transaction(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    connection = AsyncMock()
    connect = AsyncMock(return_value=connection)
    monkeypatch.setattr(infra.postgres.connection, "connect", connect)
    monkeypatch.setattr(lease, "claim", AsyncMock(side_effect=ConnectionError("as far as here")))
    with pytest.raises(ConnectionError, match="as far as here"):
        async with recover._journal(Settings(home=tmp_path, idle_in_transaction_timeout_ms=1234)):
            pass
    connection.execute.assert_awaited_once_with("SET idle_in_transaction_session_timeout = 1234")
    assert connect.await_args is not None
    assert connect.await_args.kwargs == {"batch": True}
