"""An address with two servers: a connection is to the primary, and a server that is lost holds nothing up."""

from __future__ import annotations

import time
from urllib.parse import urlsplit

import pytest

from infra.embedded.servers.ports import choose
from infra.postgres.connection import NEXT_SERVER_S, address, connected, create_pool, is_transient
from infra.settings import Settings
from tests.faults.cutting import cut_line


def at(settings: Settings, *ports: int) -> Settings:
    """The database of the test at these ports of this machine."""
    named = ",".join(f"127.0.0.1:{port}" for port in ports)
    return settings.model_copy(update={"postgres": f"postgresql://{named}{urlsplit(address(settings)).path}"})


async def test_a_lost_machine_that_answers_nothing_delays_a_connection_by_a_second(settings: Settings) -> None:
    port = urlsplit(address(settings)).port or 0
    with cut_line(port) as lost:
        lost.freeze()
        two = at(settings, lost.port, port)
        began = time.monotonic()
        async with connected(two, "test") as connection:
            assert await connection.fetchval("SELECT NOT pg_is_in_recovery()")
        assert NEXT_SERVER_S <= time.monotonic() - began < settings.postgres_connect_timeout_s
        async with await create_pool(two, "test", size=1) as pool:
            assert await pool.fetchval("SELECT 1") == 1


async def test_while_no_server_is_the_primary_the_database_is_away(settings: Settings) -> None:
    port = urlsplit(address(settings)).port or 0
    (nobody,) = choose([None])
    with pytest.raises(OSError, match=str(nobody)) as away:
        async with connected(at(settings, nobody, nobody), "test"):
            pass
    assert is_transient(away.value)
    async with connected(settings, "test") as connection:
        name = urlsplit(address(settings)).path[1:]
        await connection.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
        try:
            with pytest.raises(Exception, match="read-write") as caught:
                async with connected(at(settings, nobody, port), "test"):
                    pass
        finally:
            await connection.execute(f"ALTER DATABASE {name} RESET default_transaction_read_only")
    assert is_transient(caught.value)
