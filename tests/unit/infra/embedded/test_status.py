"""The status believes the record only as far as a process and its port bear it out."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.embedded.processes import record as stack_record
from infra.embedded.processes.identity import Identity, identity_of
from infra.embedded.processes.record import ProcessRecord, StackRecord
from infra.embedded.servers.ports import HOST, choose
from infra.embedded.status import StackStatus, stack_status
from infra.settings import Settings
from tests.every import every

GONE = Identity(os.getpid(), 1.0)
"""A pid that is another process' by now."""


@pytest.fixture
def open_port() -> Iterator[int]:
    with socket.create_server((HOST, 0)) as listener:
        yield int(listener.getsockname()[1])


def _me() -> Identity:
    me = identity_of(os.getpid())
    assert me is not None
    return me


def _status(home: Path, kafka: Identity, port: int, supervisor: Identity | None = None) -> StackStatus:
    me = _me()
    service = {"state": "ready", "pid": kafka.pid, "started": kafka.started, "restarts": 0, "port": port}
    process = ProcessRecord("relay", state="ready", pid=me.pid, started=me.started, health_port=port)
    record = StackRecord(str(home), supervisor or me, ready=True, kafka=service, processes=[process])
    stack_record.write(home / "stack.json", record)
    return stack_status(Settings(home=home))


def test_a_part_is_what_its_process_and_its_port_say_whatever_the_record_says(tmp_path: Path, open_port: int) -> None:
    status = _status(tmp_path, _me(), open_port)
    assert (status.ready, status.kafka["state"], status.is_unknown) == (True, "ready", False)
    assert status.kafka["log"] == str(tmp_path / "logs" / "kafka.log")
    assert not _given(tmp_path).is_unknown, "the record of what was started here counts"
    ended = _status(tmp_path, GONE, open_port)
    assert (ended.ready, ended.kafka["state"], ended.kafka["pid"]) == (False, "ended", None)
    closed = _status(tmp_path, _me(), choose([None])[0])
    assert (closed.ready, closed.kafka["state"], closed.processes[0]["state"]) == (False, *["unreachable"] * 2)
    orphan = _status(tmp_path, _me(), open_port, supervisor=GONE)
    assert (orphan.running, orphan.ready, orphan.kafka["state"]) == (False, False, "orphan")


def test_a_process_is_asked_at_the_address_on_which_it_serves_its_health(tmp_path: Path) -> None:
    me = _me()
    with socket.create_server(("127.0.0.2", 0)) as listener:
        place = {"health_host": "127.0.0.2", "health_port": listener.getsockname()[1]}
        process = ProcessRecord("relay", "ready", pid=me.pid, started=me.started, **place)
        stack_record.write(tmp_path / "stack.json", StackRecord(str(tmp_path), me, ready=True, processes=[process]))
        status = stack_status(Settings(home=tmp_path))
    assert (status.ready, status.processes[0]["state"]) == (True, "ready")
    assert status.processes[0]["health_host"] == "127.0.0.2"


def test_what_the_processes_say_is_told_with_the_rest_and_one_that_says_nothing_is_not_ready(
    tmp_path: Path, open_port: int
) -> None:
    paused = {"agency.health.events": {"until": "2030-01-01", "en": "noise", "ar": "ضجيج"}}
    status = _status(tmp_path, _me(), open_port)
    told = status.with_answers({"relay": {"lag": 93, "paused": paused}})
    assert (told.ready, told.processes[0]["lag"], told.paused) == (True, 93, paused)
    silent = status.with_answers({"relay": None})
    assert (silent.ready, silent.processes[0]["state"]) == (False, "silent")


def _given(home: Path) -> StackStatus:
    return stack_status(Settings(home=home, kafka="kafka:9092", postgres="postgresql://postgres/yesser"))


def _lease(name: str, *, held: bool = True, lag: int | None = None, halted: str | None = None) -> dict[str, object]:
    return {"name": name, "owner": f"{name} of a machine", "held": held, "lag": lag, "halted_reason": halted}


CONSUMERS = tuple(f"consumer.{name}" for name in ("projections", "campaigns", "revenue", "event-index"))


def test_where_others_start_the_processes_they_are_known_by_their_leases(tmp_path: Path) -> None:
    given = _given(tmp_path)
    assert given.is_unknown
    assert not stack_status(Settings(home=tmp_path / "other")).is_unknown, "no service is given: nothing can be asked"
    rows = [*map(_lease, ("registrar", "relay", "delivery")), *(_lease(name, lag=3) for name in CONSUMERS)]
    status = given.with_leases(rows)
    assert (status.elsewhere, status.running, status.ready) == (True, False, True)
    states = {process["name"]: (process["state"], process.get("lag")) for process in status.processes}
    assert states["registrar"] == ("active", None)
    assert states["revenue"] == ("active", 3)
    assert status.targets() == [], "their ports are not known here"
    status = given.with_leases(rows, {"signing": "the entries from 5 on have had no checkpoint"})
    assert (status.ready, list(status.alarms)) == (False, ["signing"])


@every(
    ("row", "state"),
    [
        (_lease("consumer.revenue", held=False), "absent"),
        (_lease("consumer.revenue", held=False, halted="the log was changed"), "halted"),
        (None, "absent"),
    ],
)
def test_a_process_that_does_not_work_is_not_ready(row: dict[str, object] | None, state: str, tmp_path: Path) -> None:
    others = ["registrar", "relay", "delivery", *CONSUMERS]
    others.remove("consumer.revenue")
    status = _given(tmp_path).with_leases([*map(_lease, others), *([] if row is None else [row])])
    (revenue,) = (process for process in status.processes if process["name"] == "revenue")
    assert (status.ready, revenue["state"], "owner" in revenue) == (False, state, False)
