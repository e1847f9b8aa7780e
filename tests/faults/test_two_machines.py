"""Two homes on the same services, under load: each is killed, stopped and cut off in turn, and the log goes on."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest

from consumers.registrar.guards.checkpoint_topic import read_topic_checkpoints
from infra.embedded.processes.signals import SEPARATE
from infra.embedded.stack import running_stack
from infra.kafka.client_config import bootstrap
from infra.log.reader import log_size
from infra.postgres.connection import Connection, address, connect
from infra.principals import SUPERUSER
from infra.private_keys.key_files import load_keys, log_key_files
from infra.settings import Settings
from tests.audit_go.auditor import HAS_GO, built
from tests.faults.machines import FAULTS, Machine, harm_the_one_at_work, machine, publish
from tests.scenarios.figures import tell
from tests.scenarios.judge import judge
from tests.scenarios.system import System, own_folder
from tests.world.registrars import require_consistent, until_signed

pytestmark = [pytest.mark.stack, pytest.mark.accept]

TAKE_OVER_S = 10.0
ON_BOTH = ("registrar", "relay")


@pytest.fixture
def services() -> Iterator[System]:
    """Everything but what runs on both machines."""
    with own_folder() as home, running_stack(home, only=SEPARATE - {*ON_BOTH}) as settings:
        yield System(settings.acting_as(SUPERUSER))


async def test_each_of_two_machines_is_killed_stopped_and_cut_off_and_the_log_goes_on(
    services: System, tmp_path: Path
) -> None:
    direct = services.settings
    connection = await connect(direct, "test", batch=True)
    try:
        with ExitStack() as stack:
            one, two = (
                stack.enter_context(machine(direct, tmp_path / name, "up", "--only", ",".join(ON_BOTH)))
                for name in ("one", "two")
            )
            one.start()
            await until_signed(connection, 2)
            two.bring_key(one.settings)
            two.start()
            await asyncio.to_thread(services.add_agencies, [("health", "agency")])
            size = await log_size(connection) + await live_through_faults(direct, connection, (one, two))
            await asyncio.to_thread(services.settle)
            found = await log_size(connection)
            assert found >= size
            await until_signed(connection, found)
            named = direct.model_copy(update={"kafka": bootstrap(direct), "postgres": address(direct)})
            homes = [named.model_copy(update={"home": tmp_path / name}) for name in ("one", "two")]
            await require_consistent(connection, *homes)
            # Commands on the first home read the log's public key there; an operator gives it to auditors.
            newest = max(homes, key=lambda home: (home.log_folder / "checkpoint").stat().st_mtime)
            shutil.copytree(newest.log_folder, direct.log_folder, dirs_exist_ok=True)
            (await asyncio.to_thread(judge, services)).require_clean()
            await require_consistent_by_go(connection, services, homes, tmp_path / "audit")
    finally:
        await connection.close()


async def live_through_faults(settings: Settings, connection: Connection, machines: Sequence[Machine]) -> int:
    """All faults of the machine at work, under load; the number of events that were published meanwhile."""
    stop = asyncio.Event()
    load = asyncio.create_task(publish(settings, stop))
    for fault in FAULTS:
        seconds = [await harm_the_one_at_work(connection, machines, fault) for _ in machines]
        shown = " and ".join(f"{one:.1f}" for one in seconds)
        tell(f"another machine: the log goes on {shown} s after {fault.name} of each under load")
        assert max(seconds) < TAKE_OVER_S
    stop.set()
    return await load


async def require_consistent_by_go(
    connection: Connection, services: System, homes: Sequence[Settings], folder: Path
) -> None:
    """Other people's tools prove that the log continues every checkpoint: published, in the topic, and in each file."""
    if not HAS_GO:
        tell("Go is not installed: the checkpoints of two machines were not compared with golang.org/x/mod.")
        return
    rows = await connection.fetch("SELECT note FROM log.checkpoint")
    notes = {row["note"].encode() for row in rows} | {*await read_topic_checkpoints(services.settings)}
    notes |= {(home.log_folder / "checkpoint").read_bytes() for home in homes}
    files = write_files(folder, sorted(notes))
    await asyncio.to_thread(services.ask, "audit", "mirror", str(folder / "mirror"))
    vkey = load_keys(log_key_files(homes[0])).current.verifier.vkey
    assert built(folder).refuses(folder / "mirror", vkey, files) is None
    tell(f"two machines: Go's tlog proves that the log continues all {len(files)} checkpoints")


def write_files(folder: Path, notes: Sequence[bytes]) -> list[Path]:
    """A file for each."""
    folder.mkdir()
    files = [folder / f"checkpoint-{number}" for number in range(len(notes))]
    for path, note in zip(files, notes, strict=True):
        path.write_bytes(note)
    return files
