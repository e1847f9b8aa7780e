"""The supervisor's record is kept true, also on a disk that is full for a while; without one nothing is started."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path
from unittest.mock import AsyncMock, Mock

import pytest

from infra.data_dir import DataDir
from infra.embedded import supervisor as module
from infra.embedded.plan import Wanted
from infra.embedded.processes.managed_process import Child
from infra.embedded.servers.ports import choose
from infra.embedded.supervisor import Supervisor, sole_supervisor
from infra.errors import StackError
from infra.settings import Settings
from infra.stack_record import ProcessRecord, StackRecord
from tests.world.waits import until


def _supervisor(home: Path, only: frozenset[str] = frozenset()) -> Supervisor:
    supervisor = Supervisor(Settings(home=home), Wanted(only), lambda _: None)
    supervisor.home.create()
    return supervisor


@pytest.fixture
def full_disk(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """The disk is full until the fixture's value is called."""
    write = DataDir.write_record
    full = Mock(side_effect=OSError(28, "No space left on device"))
    monkeypatch.setattr(DataDir, "write_record", full)
    monkeypatch.setattr(module, "WRITE_AGAIN_S", 0.02)
    return lambda: monkeypatch.setattr(DataDir, "write_record", write)


async def test_a_record_that_cannot_be_written_is_written_once_there_is_space_and_a_stack_is_not_started_before(
    tmp_path: Path, full_disk: Callable[[], None]
) -> None:
    supervisor = _supervisor(tmp_path)
    with pytest.raises(StackError, match=r"stack.json cannot be written \(No space left on device\): free some space"):
        async with supervisor.running():
            pass
    supervisor._write()
    await asyncio.sleep(0.1)
    assert not supervisor.home.record.exists()
    full_disk()
    await until(supervisor.home.record.exists, "the record is written")


def test_a_part_that_is_left_out_for_once_keeps_its_ports(tmp_path: Path) -> None:
    def planned(*only: str) -> dict[str, dict[str, int]]:
        supervisor = _supervisor(tmp_path, frozenset(only))
        supervisor._plan()
        return {child.plan.name: child.plan.ports.numbers for child in (*supervisor._services, *supervisor._processes)}

    first = planned("kafka", "postgres", "gateway")
    assert planned("postgres") == {"postgres": first["postgres"]}
    assert planned("postgres", "gateway") == {"postgres": first["postgres"], "gateway": first["gateway"]}
    assert planned("kafka", "postgres", "gateway") == first


def test_the_ports_of_a_record_of_an_earlier_release_are_kept(tmp_path: Path) -> None:
    supervisor = _supervisor(tmp_path, frozenset({"postgres", "gateway"}))
    (kept,) = choose([None])
    gateway = ProcessRecord("gateway", health_port=kept)
    supervisor.home.write_record(StackRecord(str(tmp_path), processes=[gateway]))
    text = supervisor.home.record.read_text(encoding="utf-8").replace('"ports": {}', '"unknown": {}')
    supervisor.home.record.write_text(text, encoding="utf-8")
    supervisor._plan()
    assert supervisor._processes[0].plan.ports["health_port"] == kept


async def test_what_cannot_be_stopped_does_not_keep_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stopped: list[str] = []

    async def stop(self: Child) -> None:
        stopped.append(self.plan.name)
        if self.plan.name == "relay":
            raise PermissionError("not ours")

    monkeypatch.setattr(Child, "stop", stop)
    for start in ("_start_services", "_start_processes"):
        monkeypatch.setattr(Supervisor, start, AsyncMock())
    supervisor = _supervisor(tmp_path, frozenset({"postgres", "relay", "revenue"}))
    with pytest.raises(PermissionError):
        async with supervisor.running():
            pass
    assert stopped == ["relay", "revenue", "postgres"]
    assert supervisor.home.read_record().postgres is not None


async def test_a_supervisor_notices_that_its_home_was_deleted_and_is_anothers_by_now(tmp_path: Path) -> None:
    supervisor = _supervisor(tmp_path / "home")
    with sole_supervisor(supervisor.home):
        gone = asyncio.create_task(supervisor.until_needless(0.01))
        await asyncio.sleep(0.05)
        assert not gone.done()
        shutil.rmtree(supervisor.home.root)
        supervisor.home.create()
        with sole_supervisor(supervisor.home):
            await asyncio.wait_for(gone, 5)
