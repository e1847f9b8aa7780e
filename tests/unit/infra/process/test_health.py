"""What /healthz, /readyz and /metrics answer, by positions."""

from __future__ import annotations

import json
from typing import Any

import pytest

from infra.process.health import Progress, Readiness, application, serving
from infra.settings import Settings
from tests.world.processes import Clock


async def get(path: str, readiness: Readiness) -> tuple[int, bytes]:
    """Ask the application directly, without a socket."""
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": path, "headers": [], "query_string": b"", "root_path": ""}
    await application(lambda: readiness)(scope, receive, send)
    return sent[0]["status"], b"".join(m.get("body", b"") for m in sent[1:])


@pytest.mark.parametrize(
    ("ready", "healthy", "readyz", "healthz"),
    [(True, True, 200, 200), (False, True, 503, 200), (False, False, 503, 503)],
)
async def test_the_status_follows_the_readiness(ready: bool, healthy: bool, readyz: int, healthz: int) -> None:
    state = Readiness(ready, {"lag": 5}, healthy)
    status, body = await get("/readyz", state)
    assert (status, json.loads(body)) == (readyz, {"ready": ready, "lag": 5})
    assert (await get("/healthz", state))[0] == healthz


@pytest.mark.parametrize("ready", [True, False])
async def test_the_metrics_say_whether_the_process_is_ready(ready: bool) -> None:
    _, body = await get("/metrics", Readiness(ready))
    assert f"yesser_ready {float(ready)}\n".encode() in body


async def test_nothing_listens_where_no_port_is_named() -> None:
    async with serving(Settings(health_port=0), lambda: Readiness(True)) as port:
        assert port is None


def test_a_process_at_the_end_of_the_log_is_ready_however_long_it_is_idle() -> None:
    clock = Clock(100.0)
    progress = Progress(clock)
    for _ in range(10):
        clock.now += 60
        progress.look(500, 500)
    assert progress.readiness() == Readiness(
        True, {"role": "active", "position": 500, "log_size": 500, "lag": 0, "seconds_since_moved": 0.0}
    )


def test_a_process_that_is_behind_but_moves_is_ready() -> None:
    clock = Clock(100.0)
    progress = Progress(clock)
    for position in range(1, 10):
        clock.now += 20
        progress.look(position, 1_000_000)
    assert progress.readiness().ready


def test_a_process_that_is_behind_and_does_not_move_is_not_ready_then_not_healthy() -> None:
    clock = Clock(100.0)
    progress = Progress(clock)
    progress.look(10, 20)
    clock.now += 31
    progress.look(10, 20)
    assert (progress.readiness().ready, progress.readiness().healthy) == (False, True)
    clock.now += 60
    assert not progress.readiness().healthy


def test_a_standby_is_ready() -> None:
    clock = Clock(100.0)
    progress = Progress(clock, standby=True)
    clock.now += 1000
    assert progress.readiness().ready
    assert progress.readiness().details["role"] == "standby"


def test_a_halted_process_is_not_ready_but_a_restart_would_not_help() -> None:
    progress = Progress(Clock(100.0), halted="leaf 7 differs")
    state = progress.readiness()
    assert (state.ready, state.healthy, state.details["halted"]) == (False, True, "leaf 7 differs")


def test_a_starting_process_is_healthy_but_not_ready() -> None:
    state = Progress(Clock(100.0)).readiness()
    assert (state.ready, state.healthy) == (False, True)


def test_a_process_without_positions_says_when_it_last_worked() -> None:
    clock = Clock(100.0)
    progress = Progress(clock, positions=False)
    clock.now += 20
    assert progress.readiness() == Readiness(True, {"role": "active", "seconds_since_moved": 20.0})
    clock.now += 20
    assert not progress.readiness().ready
    progress.begin()
    assert progress.readiness().ready


def test_an_alarm_outlives_a_halt() -> None:
    progress = Progress(Clock(100.0), halted="the log was cut", alarm="index 2 was refused")
    progress.look(1, 1)
    assert progress.readiness().details["halted"] == "the log was cut"
    progress.halted = None
    assert (progress.readiness().ready, progress.readiness().details["halted"]) == (False, "index 2 was refused")


@pytest.mark.parametrize(
    ("member", "value"),
    [("rebuilding", {"revenue": {"entries": 5, "of": 10}}), ("held_by", {"revenue": "yesser rebuild revenue"})],
)
def test_a_rebuild_and_what_holds_a_consumer_up_are_shown_and_do_not_make_a_process_unready(
    member: str, value: dict[str, Any]
) -> None:
    progress = Progress(Clock(100.0))
    progress.look(10, 90)
    assert member not in progress.readiness().details
    setattr(progress, member, value)
    shown = progress.readiness()
    assert (shown.ready, shown.details[member]) == (True, value)
