"""The embedded stack as people use it: started, killed, stopped, started again, several at once."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from msgspec import UNSET

from infra.embedded.plan import Wanted
from infra.embedded.processes.identity import running
from infra.embedded.stack import running_stack, start_stack, stop_stack
from infra.embedded.status import stack_status
from infra.kafka.admin import LOG_TOPIC_CONFIG, admin_client, ensure_topic
from infra.kafka.client_config import client_arguments
from infra.postgres.connection import address
from infra.principals import SUPERUSER
from infra.settings import Settings
from infra.stack_record import Identity, ServiceRecord
from tests.scenarios.system import own_folder, until
from tests.stack import superusers_address

SERVICES = frozenset({"kafka", "postgres"})
BACK_S = 120.0
"""Never reached, also on a busy machine."""

pytestmark = [pytest.mark.stack, pytest.mark.timeout(180)]


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    """The home of services alone, which the tests of this file share. It may have any name."""
    with own_folder(in_memory=True) as folder:
        home = folder / "بيت المنصّة, القديم"
        with running_stack(home, only=SERVICES, prepared=False):
            yield home


@pytest.fixture
def own(home: Path) -> Settings:
    """The services run; a test may leave them stopped."""
    settings = Settings(home=home).acting_as(SUPERUSER)
    _start(settings)
    return settings


@pytest.fixture
def light(tmp_path: Path) -> Iterator[Settings]:
    """A running stack of PostgreSQL alone, which starts ten times quicker; a test ends it."""
    settings = Settings(home=tmp_path).acting_as(SUPERUSER)
    _start(settings, "postgres")
    yield settings
    assert not stop_stack(settings), "it is ended"


def _start(settings: Settings, *services: str) -> None:
    start_stack(settings, Wanted(frozenset(services) or SERVICES, prepared=False, while_pid=os.getpid()))


def until_back(holds: Callable[[], bool]) -> None:
    until(holds, BACK_S, "it did not come back")


def _taken(port: int) -> socket.socket:
    """A listener on `port`, as soon as the last connection of the one before is gone."""
    found: list[socket.socket] = []

    def listening() -> bool:
        with suppress(OSError):
            found.append(socket.create_server(("127.0.0.1", port)))
        return bool(found)

    until(listening, BACK_S, f"port {port} is still taken")
    return found[0]


def _pid(settings: Settings, part: str) -> int | None:
    pid: int | None = stack_status(settings).services[part].pid
    return pid


def _supervisor(settings: Settings) -> Identity:
    supervisor = settings.stack().supervisor
    assert supervisor is not None
    return supervisor


def _service(settings: Settings, part: str) -> ServiceRecord:
    found: ServiceRecord | None = getattr(settings.stack(), part)
    assert found is not None
    return found


def _ports(settings: Settings) -> list[int]:
    kafka = _service(settings, "kafka")
    assert kafka.controller_port is not UNSET
    return [kafka.port, kafka.controller_port]


async def _publish(settings: Settings, topic: str, value: bytes) -> None:
    producer = AIOKafkaProducer(acks="all", enable_idempotence=True, **client_arguments(settings.acting_as(SUPERUSER)))
    try:
        await producer.start()
        await producer.send_and_wait(topic, value)
    finally:
        await producer.stop()


async def _read_all(settings: Settings, topic: str) -> list[bytes]:
    consumer = AIOKafkaConsumer(enable_auto_commit=False, **client_arguments(settings.acting_as(SUPERUSER)))
    partition = TopicPartition(topic, 0)
    try:
        await consumer.start()
        consumer.assign([partition])
        end = (await consumer.end_offsets([partition]))[partition]
        consumer.seek(partition, 0)
        return [(await asyncio.wait_for(consumer.getone(), BACK_S)).value for _ in range(end)]
    finally:
        await consumer.stop()


async def _sql(settings: Settings, statement: str) -> Any:
    connection = await asyncpg.connect(superusers_address(settings))
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


async def test_what_was_acknowledged_survives_kill_9_of_both_services(own: Settings) -> None:
    async with admin_client(own) as admin:
        await ensure_topic(admin, "yesser.kept", LOG_TOPIC_CONFIG)
    await _publish(own, "yesser.kept", b"first")
    await _sql(own, "CREATE TABLE kept AS SELECT 1 AS n")
    before = {part: _pid(own, part) for part in SERVICES}
    for pid in before.values():
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
    until_back(lambda: stack_status(own).ready and all(_pid(own, p) not in (None, before[p]) for p in SERVICES))
    await _publish(own, "yesser.kept", b"second")
    assert await _read_all(own, "yesser.kept") == [b"first", b"second"]
    assert await _sql(own, "SELECT n FROM kept") == 1


async def test_data_and_ports_outlive_a_restart_but_for_ports_that_were_taken(own: Settings) -> None:
    async with admin_client(own) as admin:
        await ensure_topic(admin, "yesser.moved", LOG_TOPIC_CONFIG)
    await _publish(own, "yesser.moved", b"kept")
    await _sql(own, "CREATE TABLE lasting AS SELECT 2 AS n")
    before, of_postgres = _ports(own), _service(own, "postgres").port
    assert stop_stack(own)
    assert not stack_status(own).running
    with ExitStack() as taken:
        for port in before:
            taken.enter_context(_taken(port))
        _start(own)
    assert _service(own, "postgres").port == of_postgres
    assert not {*_ports(own)} & {*before}
    assert await _read_all(own, "yesser.moved") == [b"kept"]
    assert await _sql(own, "SELECT n FROM lasting") == 2


def test_a_service_whose_port_was_taken_meanwhile_comes_back_on_another_one(light: Settings) -> None:
    before, port = light.stack().identities()["postgres"], _service(light, "postgres").port
    supervisor = _supervisor(light).pid
    os.kill(supervisor, signal.SIGSTOP)
    os.kill(before.pid, signal.SIGKILL)
    until_back(lambda: running(before) is None)
    with _taken(port):
        os.kill(supervisor, signal.SIGCONT)
        until_back(lambda: _pid(light, "postgres") not in (None, before.pid) and stack_status(light).ready)
        assert _service(light, "postgres").port != port
    assert stop_stack(light)


def test_a_killed_supervisor_is_replaced_on_the_same_port_and_what_it_left_is_ended(light: Settings) -> None:
    for is_started_again in (True, False):
        orphan, port = _pid(light, "postgres"), _service(light, "postgres").port
        os.kill(_supervisor(light).pid, signal.SIGKILL)
        until_back(lambda: not stack_status(light).running)
        assert stack_status(light).postgres.state == "orphan"
        if is_started_again:
            _start(light, "postgres")
            assert _pid(light, "postgres") not in (None, orphan)
            assert _service(light, "postgres").port == port
    assert stop_stack(light)
    assert _pid(light, "postgres") is None


async def test_two_stacks_run_side_by_side_and_one_ends_with_its_home(own: Settings, tmp_path: Path) -> None:
    other = Settings(home=tmp_path / "home").acting_as(SUPERUSER)
    _start(other, "postgres")
    assert address(other) != address(own)
    assert [await _sql(settings, "SELECT 1") for settings in (own, other)] == [1, 1]
    ran = [_supervisor(other), *other.stack().identities().values()]
    shutil.rmtree(other.home)
    until_back(lambda: not any(map(running, ran)))
    assert stack_status(own).ready


def test_a_stack_ends_with_the_process_that_it_was_started_for(tmp_path: Path) -> None:
    script = (
        "import os, sys; from pathlib import Path; from infra.embedded.stack import running_stack\n"
        "with running_stack(Path(sys.argv[1]), only={'postgres'}, prepared=False): os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=False)
    until_back(lambda: not stack_status(Settings(home=tmp_path)).running)
    assert _pid(Settings(home=tmp_path), "postgres") is None


def test_no_password_is_on_a_command_line_or_in_a_log(own: Settings) -> None:
    secrets = [path.read_text("ascii") for path in (own.home / "secrets").glob("*/*")]
    said = own.home.joinpath("stack.json").read_text("utf-8")
    said += "".join(path.read_text("utf-8", "replace") for path in (own.home / "logs").iterdir())
    for part in SERVICES:
        process = running(own.stack().identities()[part])
        assert process is not None
        said += " ".join(process.cmdline())
    assert secrets
    assert not [secret for secret in secrets if secret in said]


async def test_the_database_is_durable_and_checks_its_pages(own: Settings) -> None:
    for setting in ("fsync", "full_page_writes", "synchronous_commit", "data_checksums"):
        assert await _sql(own, f"SHOW {setting}") == "on"
    assert await _sql(own, "SELECT 'é' > 'z'")  # by code point, on every machine


def test_given_services_are_not_started(own: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("YESSER_KAFKA", f"127.0.0.1:{_service(own, 'kafka').port}")
    monkeypatch.setenv("YESSER_KAFKA_USER", "admin")
    monkeypatch.setenv("YESSER_KAFKA_PASSWORD", own.secret("kafka", SUPERUSER) or "")
    monkeypatch.setenv("YESSER_POSTGRES", address(own))
    monkeypatch.setenv("YESSER_SECRETS", str(own.secrets_folder))
    with running_stack(tmp_path, only=SERVICES, prepared=False) as settings:
        status = stack_status(settings)
        assert (status.ready, status.kafka.state, status.postgres.state) == (True, "given", "given")
        assert not (tmp_path / "kafka" / "data").exists()
    assert stack_status(own).ready


def test_down_ends_a_stack_whose_supervisor_hangs(light: Settings) -> None:
    os.kill(_supervisor(light).pid, signal.SIGSTOP)
    assert stop_stack(light, deadline_s=1.0)
    assert not stack_status(light).running
    assert _pid(light, "postgres") is None
