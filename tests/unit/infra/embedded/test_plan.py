"""The plan of each child: its ports, where its readiness is asked, and its environment."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from infra.data_dir import DataDir
from infra.embedded.health import Readyz
from infra.embedded.plan import Wanted, child_plans, drawn_ports, named_port
from infra.embedded.processes.managed_process import ChildPlan
from infra.embedded.servers.ports import choose
from infra.settings import Settings
from infra.stack_record import StackRecord

TWO_GATEWAYS = Wanted(frozenset({"gateway", "console"}), {"gateway": 2})


def _plans(settings: Settings) -> Sequence[ChildPlan]:
    return child_plans(DataDir.at(settings.home), TWO_GATEWAYS, settings, StackRecord(), lambda _: None)[1]


def test_a_port_for_clients_is_the_one_that_a_setting_names(tmp_path: Path) -> None:
    named, other = choose([None, None])
    settings = Settings(home=tmp_path, gateway_port=named, console_port=other)
    ports = {plan.name: plan.environment() for plan in _plans(settings)}
    assert ports["gateway"]["YESSER_GATEWAY_PORT"] == str(named)
    assert ports["console"]["YESSER_CONSOLE_PORT"] == str(other)
    assert ports["gateway-2"]["YESSER_GATEWAY_PORT"] not in (str(named), str(other))


def test_a_port_without_a_setting_is_drawn_beside_a_stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert named_port("gateway", Settings(home=tmp_path)) is None
    assert named_port("gateway", Settings(home=tmp_path, gateway_port=0)) is None
    assert named_port("registrar", Settings(home=tmp_path, health_port=9_000)) is None
    for process, number in (("gateway", "8443"), ("console", "8444")):
        monkeypatch.setenv(f"YESSER_{process.upper()}_PORT", number)
    assert named_port("gateway", Settings(home=tmp_path)) == 8443
    for name, number in drawn_ports().items():
        monkeypatch.setenv(name, number)
    assert [named_port(process, Settings(home=tmp_path)) for process in ("gateway", "console")] == [None, None]


async def test_readiness_is_asked_where_the_processes_serve_it(tmp_path: Path) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b'HTTP/1.1 200 OK\r\n\r\n{"ready": true, "halted": "why"}')
        writer.close()

    plan = _plans(Settings(home=tmp_path, health_host="127.0.0.2"))[0]
    async with await asyncio.start_server(answer, "127.0.0.2", plan.ports["health_port"]):
        assert await plan.answer() == Readyz(ready=True, halted="why")
