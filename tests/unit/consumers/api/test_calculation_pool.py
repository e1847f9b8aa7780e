"""Calculations in processes: their results and errors are typed, and one that takes too long is killed."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import psutil
import pytest

from consumers.api.calculation_pool import calculated
from events.errors import Tampered, YesserError
from infra.http.problems import Problem, changed_entry, problem_document
from infra.log.reader import ChangedEntry
from infra.settings import Settings
from tests.every import every
from tests.world.plan import PLAN, plan_of
from tests.world.waits import until


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path, gateway_as_of_timeout_s=30)


async def priority(settings: Settings, added: int) -> tuple[int, int]:
    return os.getpid(), psutil.Process().nice() + added


async def far(settings: Settings) -> object:
    return plan_of(awareness=PLAN["awareness"] | {"reach": 18455751272964290559})


async def test_a_process_of_the_pool_works_at_a_low_priority_and_is_used_again(settings: Settings) -> None:
    pids = set()
    for added in (1, 2):
        pid, niceness = await calculated(settings, priority, added)
        assert niceness == 10 + added
        pids.add(pid)
    assert len(pids) == 1
    assert os.getpid() not in pids
    assert await calculated(settings, far) == await far(settings)


async def test_a_process_that_was_killed_while_it_waited_is_replaced(settings: Settings) -> None:
    pid, _ = await calculated(settings, priority, 0)
    os.kill(pid, 9)
    again, _ = await calculated(settings, priority, 0)
    assert again != pid


async def fails(settings: Settings, kind: str) -> None:
    if kind == "kill -9":
        os.kill(os.getpid(), 9)
    raise {
        "changed": ChangedEntry(7, "a word of the database"),
        "tampered": Tampered("no proof"),
        "operator": YesserError("start it"),
        "away": ConnectionRefusedError("a word of the database"),
        "bug": KeyError("a word of the code"),
    }[kind]


@every(
    ("kind", "code", "named"),
    [
        ("changed", "gateway-fault", [("changed-entry", "7")]),
        ("tampered", "gateway-fault", [("changed-entry", None)]),
        ("operator", "database-away", []),
        ("away", "database-away", []),
        ("bug", "gateway-fault", []),
        ("kill -9", "gateway-fault", []),
    ],
)
async def test_an_error_is_a_problem_without_its_own_words(
    settings: Settings, kind: str, code: str, named: list[tuple[str, str | None]]
) -> None:
    with pytest.raises(Problem) as caught:
        await calculated(settings, fails, kind)
    assert (caught.value.code, [(row["code"], row.get("id")) for row in caught.value.errors]) == (code, named)
    assert "a word" not in str(problem_document(caught.value, "en"))


async def never(settings: Settings, file: Path) -> None:
    await asyncio.to_thread(file.write_text, str(os.getpid()))
    await asyncio.sleep(600)


async def ended(file: Path) -> bool:
    pid = int(await asyncio.to_thread(file.read_text))
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


async def test_what_takes_too_long_is_killed(settings: Settings, tmp_path: Path) -> None:
    await calculated(settings, priority, 0)  # a process is ready
    file = tmp_path / "pid"
    with pytest.raises(Problem) as caught:
        await calculated(settings.model_copy(update={"gateway_as_of_timeout_s": 2.0}), never, file)
    assert (caught.value.code, caught.value.headers) == ("overloaded", {"Retry-After": "5"})
    assert await ended(file)


async def test_a_cancelled_request_ends_its_calculation(settings: Settings, tmp_path: Path) -> None:
    file = tmp_path / "pid"
    task = asyncio.create_task(calculated(settings, never, file))
    await until(lambda: file.exists() and file.read_text() != "", "the calculation has begun")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await ended(file)


def test_a_changed_entry_is_named_in_the_callers_language() -> None:
    english, arabic = (problem_document(changed_entry(7), language)["errors"][0]["detail"] for language in ("en", "ar"))
    assert english.startswith("Entry 7 of the log was changed after it was registered")
    assert "القيد 7" in arabic
