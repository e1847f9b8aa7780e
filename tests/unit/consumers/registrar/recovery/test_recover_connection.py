"""The connection of a recovery: a process that is suspended in a transaction must not keep the lease's row."""

from __future__ import annotations

from pathlib import Path

import pytest

from consumers.registrar.recovery import recover
from infra.process import lease
from infra.settings import Settings


class Connection:
    def __init__(self) -> None:
        self.executed: list[str] = []

    async def execute(self, sql: str) -> None:
        self.executed.append(sql)

    async def close(self, *, timeout: float) -> None: ...


async def test_the_database_ends_an_idle_transaction_of_a_recovery(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = Connection()

    async def opened(*_: object, batch: bool) -> Connection:
        assert batch
        return connection

    async def claim(*_: object) -> None:
        assert connection.executed == ["SET idle_in_transaction_session_timeout = 1234"]
        raise ConnectionError("as far as here")

    monkeypatch.setattr(recover, "connect", opened)
    monkeypatch.setattr(lease, "claim", claim)
    with pytest.raises(ConnectionError, match="as far as here"):
        async with recover._journal(Settings(home=tmp_path, idle_in_transaction_timeout_ms=1234)):
            pass
