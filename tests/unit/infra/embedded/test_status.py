"""The status believes the record only as far as a process and its port bear it out."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import Any

import orjson
import pytest

from infra.data_dir import DataDir
from infra.embedded.health import Readyz
from infra.embedded.processes.identity import identity_of
from infra.embedded.servers.ports import HOST, choose
from infra.embedded.status import Lease, StackStatus, stack_status
from infra.json_documents import to_json
from infra.kafka.client_config import bootstrap, client_arguments
from infra.principals import CONSUMERS
from infra.process.health import measure
from infra.settings import Settings
from infra.stack_record import BROKERS, Identity, ProcessRecord, ServiceRecord, StackRecord

GONE = Identity(os.getpid(), 1.0)
"""A pid that is another process' by now."""
ME = identity_of(os.getpid()) or GONE
LEASES = [
    *(Lease(name, f"{name} of a machine", held=True) for name in ("registrar", "relay", "delivery")),
    *(Lease(f"consumer.{name}", "c", held=True, lag=3) for name in CONSUMERS if name != "revenue"),
]


@pytest.fixture
def open_port() -> Iterator[int]:
    """The port of a broker that answers."""

    def answer(connection: socket.socket) -> None:
        with connection:
            connection.sendall(connection.recv(64))

    def serve() -> None:
        with suppress(OSError):
            while True:
                answer(listener.accept()[0])

    with socket.create_server((HOST, 0)) as listener:
        serving = Thread(target=serve)
        serving.start()
        yield int(listener.getsockname()[1])
        listener.shutdown(socket.SHUT_RDWR)
    serving.join()


def status_of(home: Path, kafka: Identity, of_kafka: int, supervisor: Identity = ME, **relay: Any) -> StackStatus:
    service = ServiceRecord(port=of_kafka, state="ready", pid=kafka.pid, started=kafka.started)
    changes: dict[str, Any] = {"state": "ready", "health_port": of_kafka} | relay
    process = ProcessRecord("relay", pid=ME.pid, started=ME.started, **changes)
    record = StackRecord(str(home), supervisor, ready=True, kafka=service, processes=[process])
    DataDir.at(home).write_record(record)
    return stack_status(Settings(home=home))


def given(home: Path) -> StackStatus:
    return stack_status(Settings(home=home, kafka="kafka:9092", postgres="postgresql://postgres/yesser"))


def test_a_part_is_what_its_process_and_its_port_say_whatever_the_record_says(tmp_path: Path, open_port: int) -> None:
    status = status_of(tmp_path, ME, open_port)
    assert (status.ready, status.is_unknown) == (True, False)
    assert not given(tmp_path).is_unknown, "the record of what was started here counts"
    ended = status_of(tmp_path, GONE, open_port)
    assert (ended.ready, ended.kafka.state, ended.kafka.pid) == (False, "ended", None)
    closed = status_of(tmp_path, ME, choose([None])[0])
    assert (closed.ready, closed.kafka.state, closed.processes[0].state) == (False, *["unreachable"] * 2)
    orphan = status_of(tmp_path, ME, open_port, GONE)
    assert (orphan.running, orphan.ready, orphan.kafka.state) == (False, False, "orphan")
    restarting = status_of(tmp_path, ME, open_port, state="restarting")
    assert (restarting.ready, restarting.processes[0].state) == (False, "restarting")
    failed = status_of(tmp_path, ME, open_port, GONE, state="failed")
    assert (failed.running, failed.processes[0].state) == (False, "failed")
    with socket.create_server(("127.0.0.2", 0)) as listener:
        place = {"health_host": "127.0.0.2", "health_port": listener.getsockname()[1]}
        status = status_of(tmp_path, ME, open_port, **place)
    assert (status.ready, status.processes[0].state) == (True, "ready"), "asked where it serves its health"


def test_what_the_processes_answer_is_shown_and_a_silent_one_is_not_ready(tmp_path: Path, open_port: int) -> None:
    paused = {"agency.health.events": {"until": "2030-01-01", "en": "noise", "ar": "ضجيج"}}
    status = status_of(tmp_path, ME, open_port, port=8_000)
    answered = status.with_answers({"relay": Readyz(lag=93, role="active", paused=paused)})
    service = {"port": open_port, "restarts": 0, "pid": ME.pid, "state": "ready", "log": f"{tmp_path}/logs/kafka.log"}
    relay = {"name": "relay", "pid": ME.pid, "state": "ready", "restarts": 0, "health_host": HOST}
    more = {"health_port": open_port, "log": f"{tmp_path}/logs/relay.log", "port": 8_000, "lag": 93, "role": "active"}
    expected = {
        "home": str(tmp_path),
        "running": True,
        "ready": True,
        "kafka": service,
        "postgres": {"port": None, "pid": None, "state": "absent", "restarts": 0},
        "processes": [relay | more],
        "paused": paused,
        "alarms": {},
        "elsewhere": False,
        "second_person": None,
        "brokers": {},
    }
    assert to_json(answered) == orjson.dumps(expected), "with the members in this order"
    silent = status.with_answers({"relay": None})
    assert (silent.ready, silent.processes[0].state) == (False, "silent")


def test_each_of_three_brokers_is_listed_and_one_that_hangs_is_not_ready(tmp_path: Path, open_port: int) -> None:
    settings = Settings(home=tmp_path, kafka_user="operator", kafka_password="")
    with socket.create_server((HOST, 0)) as hanging:
        parts = {name: ServiceRecord(port=open_port, state="ready", pid=ME.pid, started=ME.started) for name in BROKERS}
        parts["kafka-3"].port = hanging.getsockname()[1]
        record = StackRecord(str(tmp_path), ME, ready=True, kafka=parts.pop("kafka"), brokers=parts)
        DataDir.at(tmp_path).write_record(record)
        status = stack_status(settings)
        reachable = {labels["service"]: value for _, value, labels in measure(settings) if "service" in labels}
        first = client_arguments(settings)["bootstrap_servers"]
    states = {name: service.state for name, service in status.services.items()}
    assert states == {"kafka": "ready", "kafka-2": "ready", "kafka-3": "silent", "postgres": "absent"}
    assert not status.ready
    assert reachable == {"kafka": True, "kafka-2": True, "kafka-3": False}, "the alert names the broker"
    ports = settings.stack().kafka_ports().values()
    assert first == f"{HOST}:{open_port},{HOST}:{open_port}", "a new client does not wait for the one that hangs"
    assert bootstrap(settings) == ",".join(f"{HOST}:{port}" for port in ports), "any of them may be asked"
    assert settings.topic_copies == 3
    assert Settings(home=tmp_path, kafka_replication_factor=2).topic_copies == 2


def test_where_others_start_the_processes_they_are_known_by_their_leases(tmp_path: Path) -> None:
    found = given(tmp_path)
    assert found.is_unknown
    assert not stack_status(Settings(home=tmp_path / "other")).is_unknown, "no service is given: nothing can be asked"
    status = found.with_leases([*LEASES, Lease("consumer.revenue", "c", held=True, lag=3)])
    assert (status.elsewhere, status.running, status.ready) == (True, False, True)
    unknown = {"pid": None, "restarts": None, "health_port": None, "log": None}
    registrar = {"name": "registrar", **unknown, "state": "active", "owner": "registrar of a machine"}
    revenue = {"name": "revenue", **unknown, "state": "active", "lag": 3, "owner": "c"}
    rows = {process.name: to_json(process) for process in status.processes}
    assert (rows["registrar"], rows["revenue"]) == (orjson.dumps(registrar), orjson.dumps(revenue))
    assert status.targets() == [], "their ports are not known here"
    alarmed = found.with_leases(LEASES, {"signing": "the entries from 5 on have had no checkpoint"})
    assert (alarmed.ready, list(alarmed.alarms)) == (False, ["signing"])


def test_a_process_that_does_not_work_is_not_ready(tmp_path: Path) -> None:
    halted = Lease("consumer.revenue", "c", held=False, halted_reason="the log was changed")
    for leases, state in (
        ([Lease("consumer.revenue", "c", held=False)], "absent"),
        ([halted], "halted"),
        ([], "absent"),
    ):
        status = given(tmp_path).with_leases([*LEASES, *leases])
        (revenue,) = (process for process in status.processes if process.name == "revenue")
        assert (status.ready, revenue.state, bool(revenue.owner)) == (False, state, False)
