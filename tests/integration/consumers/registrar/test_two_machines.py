"""Two machines with a registrar each, in processes of their own: kill -9, SIGSTOP and a cut network under load."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from pathlib import Path

import pytest

from infra.postgres.connection import Connection
from infra.settings import Settings
from tests.faults.machines import FAULTS, harm_the_one_at_work, machine, publish
from tests.scenarios.figures import tell
from tests.world.registrars import found, require_consistent, until_signed, until_size

TAKE_OVER_S = 10.0
LEASE = {"lease_ms": 2_000, "lease_renew_ms": 500}
"""Half of the usual lease. `tests/faults/test_takeover.py` has the usual one."""

pytestmark = pytest.mark.alone


async def test_the_log_goes_on_after_a_kill_a_stop_and_a_cut_of_the_machine_at_work(
    settings: Settings, connection: Connection, tmp_path: Path
) -> None:
    await found(settings, "health")
    with ExitStack() as stack:
        one, two = (
            stack.enter_context(machine(settings, tmp_path / name, "run", "registrar", **LEASE))
            for name in ("one", "two")
        )
        one.start()
        await until_signed(connection, 3)
        two.bring_key(one.settings)
        two.start()
        stop = asyncio.Event()
        load = asyncio.create_task(publish(settings, stop))
        for fault in FAULTS:
            seconds = await harm_the_one_at_work(connection, (one, two), fault)
            tell(f"registrar on another machine: the log goes on {seconds:.1f} s after {fault.name} (lease of 2 s)")
            assert seconds < TAKE_OVER_S
        stop.set()
        sent = await load
        await until_size(connection, 3 + sent)
        await until_signed(connection, 3 + sent)
    await require_consistent(
        connection, *(settings.model_copy(update={"home": tmp_path / name}) for name in ("one", "two"))
    )
