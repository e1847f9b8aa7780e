"""Checks that run beside: their progress, their result, and how many at once."""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime
from typing import Any

from consumers.console.checks.jobs import Checks
from consumers.documents.log.commitments import CheckResult
from infra.settings import Settings
from tests.every import every
from tests.world.waits import until

NOW = datetime(2026, 11, 1, tzinfo=UTC)
SAYS = """
import sys
for line in ('{"done": 3, "total": 9}', '{"result": {"ok": true}}'):
    print(line, flush=True)
"""
WAITS = 'import sys; print(\'{"done": 1, "total": 2}\', flush=True); sys.stdin.read(); import time; time.sleep(600)'


def checks(program: str) -> Checks:
    return Checks(Settings(), lambda: NOW, lambda kind: [sys.executable, "-c", program])


def tasks() -> list[asyncio.Task[Any]]:
    return [task for task in asyncio.all_tasks() if task.get_name().startswith("check ")]


async def test_a_check_says_how_far_it_is_and_what_it_found() -> None:
    running = checks(SAYS)
    assert running.start("log", "auditor")
    job = running.latest["log"]
    await asyncio.gather(*tasks())
    assert (job.done, job.total, job.result, job.ended) == (3, 9, CheckResult(ok=True), NOW)
    assert running.start("log", "auditor"), "again, once it has ended"
    await asyncio.gather(*tasks())


async def test_one_check_of_a_kind_and_of_an_account_runs_at_once() -> None:
    running = checks(WAITS)
    assert running.start("log", "auditor")
    assert not running.start("log", "office"), "the same check"
    assert not running.start("models", "auditor"), "the same account"
    assert running.start("models", "office")
    await until(lambda: all(job.done == 1 for job in running.latest.values()), "both have begun", 60)
    cancelled = tasks()
    for task in cancelled:
        task.cancel()
    await asyncio.gather(*cancelled, return_exceptions=True)
    assert all(job.result == CheckResult(ok=None) for job in running.latest.values())


@every("program", ["raise SystemExit(1)", "print('nonsense')"])
async def test_a_process_that_fails_or_talks_nonsense_is_a_check_that_was_not_finished(program: str) -> None:
    running = checks(program)
    assert running.start("models", "auditor")
    await asyncio.gather(*tasks())
    assert running.latest["models"].result == CheckResult(ok=None)
