"""Fixtures that every test may ask for. A test that takes one of them needs the real services (marker `stack`).

How tests are shared out among several workers is in `tests/workers.py`.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import AsyncIterator, Callable, Generator, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Any, Final, TypeVar

import hypothesis
import pytest

from infra.embedded.processes.signals import usual_parts
from infra.errors import StackError
from infra.postgres.connection import Connection, Pool, connect, create_pool
from infra.process.subprocess_command import subprocess_environment
from infra.settings import Settings
from tests.own_logging import own_logging
from tests.scenarios.demo import Demo, fresh_demo
from tests.scenarios.figures import take
from tests.scenarios.system import System, fresh_system
from tests.shared_systems import DEMO, RUNNING, SHARED_SYSTEMS, SYSTEM, until_its_last_test
from tests.stack import TestStack, corner, folder_in_memory, services

pytest_plugins = ["tests.workers"]

if os.environ.get("CI"):
    # As everywhere else, each run draws other examples; the profile for CI would always draw the same ones. It does
    # not trace a failure to explain it: on a busy machine that outlasts a test's time, and the failure is not seen.
    phases = [phase for phase in hypothesis.Phase if phase is not hypothesis.Phase.explain]
    hypothesis.settings.register_profile("ci", hypothesis.settings.get_profile("ci"), derandomize=False, phases=phases)
    hypothesis.settings.load_profile("ci")
else:
    hypothesis.settings.register_profile("busy", deadline=None)  # a busy machine is no failure
    hypothesis.settings.load_profile("busy")

# Workers are given the width of a terminal, which commands would take for that of a narrow screen.
os.environ.pop("COLUMNS", None)

# Commands keep an auditor's checkpoints here, never in the home of the user who runs the tests.
_STATE: Final = tempfile.TemporaryDirectory(prefix="yesser-state-", ignore_cleanup_errors=True)
os.environ["XDG_STATE_HOME"] = _STATE.name

Running = TypeVar("Running")


_MEMORY: Final = pytest.StashKey[ExitStack]()


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Keep the tests' folders in memory where there is room: each home of a process flushes some forty files."""
    if config.option.basetemp is None and not hasattr(config, "workerinput"):
        config.stash[_MEMORY] = ExitStack()
        config.option.basetemp = config.stash[_MEMORY].enter_context(folder_in_memory()) / "tests"


def pytest_unconfigure(config: pytest.Config) -> None:
    if _MEMORY in config.stash:
        config.stash[_MEMORY].close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Iterator[None]:
    """End a system after its last test: at rest its processes still take a sixth of a core. With the story ends its
    browser, whose library runs an event loop in this thread: the tests after it run theirs."""
    yield
    running = item.config.stash.get(RUNNING, {})
    for name in reversed(SHARED_SYSTEMS):
        if name in _fixtures(item) and name not in _fixtures(nextitem) and name in running:
            running.pop(name).close()


def _fixtures(item: pytest.Item | None) -> Sequence[str]:
    return getattr(item, "fixturenames", ())


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Show what the proofs measured."""
    for figure in dict.fromkeys(take()):
        terminalreporter.write_line(figure)


@pytest.fixture(autouse=True)
def own_logs() -> Iterator[None]:
    """What a command sets up is not for later tests."""
    with own_logging():
        yield


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, Any, Any]:
    """A skipped test is a failure in CI."""
    report = yield
    if report.skipped and os.environ.get("CI"):
        report.outcome, report.longrepr = "failed", f"skipped in CI: {report.longrepr}"
    return report


@pytest.fixture(scope="session")
def stack() -> Iterator[TestStack]:
    """Kafka and PostgreSQL, started once. Where they cannot be had, its tests are skipped."""
    with folder_in_memory() as folder, ExitStack() as running:
        yield _or_skipped(running, services(folder))


@pytest.fixture(scope="session")
def system(request: pytest.FixtureRequest) -> Iterator[System]:
    """Every process, as a user with two cores starts them, once for all quick scenarios; each leaves it at rest and
    working."""
    with until_its_last_test(request, SYSTEM) as running:
        yield _or_skipped(running, fresh_system(only=usual_parts(cores=1), in_memory=True))


@pytest.fixture(scope="session")
def demo(request: pytest.FixtureRequest) -> Iterator[Demo]:
    """The system after `yesser demo`, once for all that read its figures or look at its console."""
    with until_its_last_test(request, DEMO) as running:
        yield _or_skipped(running, fresh_demo())


def _or_skipped(running: ExitStack, start: AbstractContextManager[Running]) -> Running:
    try:
        return running.enter_context(start)
    except StackError as error:
        pytest.skip(str(error))


@pytest.fixture
async def settings(stack: TestStack, tmp_path: Path) -> AsyncIterator[Settings]:
    """Settings of this test alone: a migrated empty database, no topics, a home of its own."""
    async with corner(stack, tmp_path / "home") as found:
        yield found


@pytest.fixture
async def connection(settings: Settings) -> AsyncIterator[Connection]:
    """A connection to this test's database."""
    opened = await connect(settings, "test", batch=True)
    yield opened
    await opened.close()


@pytest.fixture
async def pool(settings: Settings) -> AsyncIterator[Pool]:
    """A pool on this test's database."""
    opened = await create_pool(settings, "test")
    yield opened
    await opened.close()


@pytest.fixture
def environment(settings: Settings) -> Callable[..., dict[str, str]]:
    """Makes the environment of a child process that runs with this test's settings, plus what is given."""
    return lambda **more: subprocess_environment(settings) | more
