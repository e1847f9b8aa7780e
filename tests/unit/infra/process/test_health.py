"""What /healthz, /readyz and /metrics answer, by positions."""

from __future__ import annotations

from typing import Any

import httpx

from infra.process.health import Progress, Readiness, application
from tests.every import every
from tests.world.processes import Clock


async def get(path: str, readiness: Readiness) -> httpx.Response:
    """Ask the application directly, without a socket."""
    transport = httpx.ASGITransport(application(lambda: readiness))
    async with httpx.AsyncClient(transport=transport, base_url="http://process") as client:
        return await client.get(path)


@every(
    ("ready", "healthy", "readyz", "healthz"),
    [(True, True, 200, 200), (False, True, 503, 200), (False, False, 503, 503)],
)
async def test_the_status_follows_the_readiness(ready: bool, healthy: bool, readyz: int, healthz: int) -> None:
    state = Readiness(ready, {"lag": 5}, healthy)
    answer = await get("/readyz", state)
    assert (answer.status_code, answer.json()) == (readyz, {"ready": ready, "lag": 5})
    assert (await get("/healthz", state)).status_code == healthz
    assert f"yesser_ready {float(ready)}\n" in (await get("/metrics", state)).text


def test_a_process_is_ready_at_the_end_of_the_log_or_while_it_moves_then_not_then_not_healthy() -> None:
    clock = Clock(100.0)
    progress = Progress(clock)
    assert (progress.readiness().ready, progress.readiness().healthy) == (False, True), "it starts"
    for _ in range(10):
        clock.now += 60
        progress.look(500, 500)
    assert progress.readiness() == Readiness(
        True, {"role": "active", "position": 500, "log_size": 500, "lag": 0, "seconds_since_moved": 0.0}
    )
    for position in range(501, 510):
        clock.now += 20
        progress.look(position, 1_000_000)
    assert progress.readiness().ready, "it is behind but moves"
    clock.now += 31
    progress.look(509, 1_000_000)
    assert (progress.readiness().ready, progress.readiness().healthy) == (False, True)
    clock.now += 60
    assert not progress.readiness().healthy


def test_a_halted_process_is_not_ready_but_a_restart_would_not_help_and_an_alarm_outlives_it() -> None:
    progress = Progress(Clock(100.0), halted="the log was cut", alarm="index 2 was refused")
    progress.look(1, 1)
    state = progress.readiness()
    assert (state.ready, state.healthy, state.details["halted"]) == (False, True, "the log was cut")
    progress.halted = None
    assert (progress.readiness().ready, progress.readiness().details["halted"]) == (False, "index 2 was refused")


def test_a_process_without_positions_says_when_it_last_worked_and_a_standby_is_ready() -> None:
    clock = Clock(100.0)
    progress, standby = Progress(clock, positions=False), Progress(clock, standby=True)
    clock.now += 20
    assert progress.readiness() == Readiness(True, {"role": "active", "seconds_since_moved": 20.0})
    clock.now += 20
    assert not progress.readiness().ready
    progress.begin()
    assert progress.readiness().ready
    clock.now += 1000
    assert (standby.readiness().ready, standby.readiness().details["role"]) == (True, "standby")


@every(
    ("member", "value"),
    [("rebuilding", {"revenue": {"entries": 5, "of": 10}}), ("held_by", {"revenue": "yesser rebuild revenue"})],
)
def test_a_rebuild_and_what_holds_a_consumer_up_are_shown_as_ready(member: str, value: dict[str, Any]) -> None:
    progress = Progress(Clock(100.0))
    progress.look(10, 90)
    assert member not in progress.readiness().details
    setattr(progress, member, value)
    shown = progress.readiness()
    assert (shown.ready, shown.details[member]) == (True, value)
