"""The plan of each child: its ports, where its readiness is asked, and its environment."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import pytest

from infra.data_dir import DataDir
from infra.embedded.health import Readyz
from infra.embedded.plan import Wanted, child_plans, drawn_ports, named_port
from infra.embedded.processes.managed_process import ChildPlan
from infra.embedded.servers.ports import choose
from infra.errors import StackError
from infra.settings import Settings
from infra.stack_record import BROKERS, StackRecord

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


def test_a_home_has_one_broker_or_three_and_stays_with_three(tmp_path: Path) -> None:
    home = DataDir.at(tmp_path)

    def brokers(wanted: Literal["1", "3"] | None, **settings: Any) -> list[str]:
        chosen = Wanted(frozenset({"kafka"}), brokers=wanted)
        plans, _ = child_plans(home, chosen, Settings(home=tmp_path, **settings), StackRecord(), lambda _: None)
        assert len({port for plan in plans for port in plan.ports.numbers.values()}) == 2 * len(plans)
        return [plan.name for plan in plans]

    assert [brokers(None), brokers("1"), brokers(None, kafka="kafka:9092")] == [["kafka"], ["kafka"], []]
    assert brokers("3") == brokers(None, brokers="3") == [*BROKERS]
    home.brokers.mkdir()
    assert brokers(None) == brokers("3") == [*BROKERS], "the home says how many"
    for wanted, setting in (("1", "3"), (None, "1")):
        with pytest.raises(StackError, match="has three brokers, and each holds copies"):
            brokers(wanted, brokers=setting)  # type: ignore[arg-type]


def test_a_voter_of_three_keeps_its_port(tmp_path: Path) -> None:
    wanted = Wanted(frozenset({"kafka"}), brokers="3")
    plans, _ = child_plans(DataDir.at(tmp_path), wanted, Settings(home=tmp_path), StackRecord(), lambda _: None)
    ports = plans[0].ports
    port, voter = ports["port"], ports["controller_port"]
    with socket.create_server(("127.0.0.1", port)), socket.create_server(("127.0.0.1", voter)):
        ports.renew()
    assert (ports["controller_port"], ports["port"] == port) == (voter, False), "the others would not find it"


async def test_readiness_is_asked_where_the_processes_serve_it(tmp_path: Path) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b'HTTP/1.1 200 OK\r\n\r\n{"ready": true, "halted": "why"}')
        writer.close()

    plan = _plans(Settings(home=tmp_path, health_host="127.0.0.2"))[0]
    async with await asyncio.start_server(answer, "127.0.0.2", plan.ports["health_port"]):
        assert await plan.answer() == Readyz(ready=True, halted="why")
