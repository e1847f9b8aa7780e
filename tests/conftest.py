"""Fixtures that every test may ask for. A test that takes one of them needs the real services (marker `stack`)."""

from __future__ import annotations

import asyncio
import logging
import os
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
import structlog

from infra.embedded.errors import StackError
from infra.own_command import own_environment
from infra.postgres import Connection, Pool, connect, create_pool
from infra.settings import Settings
from tests.scenarios.figures import take
from tests.scenarios.system import System, fresh_system
from tests.stack import TestStack, corner, drop_template, services

NEED_STACK = frozenset({"stack", "settings", "connection", "pool", "environment", "system"})


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs the services, so that `-m "not stack"` runs without any."""
    for item in items:
        if NEED_STACK & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.stack)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Show what the proofs measured."""
    for figure in take():
        terminalreporter.write_line(figure)


@pytest.fixture(autouse=True)
def own_logs() -> Iterator[None]:
    """A command that a test calls in this process sets up logging for a process of its own: not for later tests."""
    root, before = logging.getLogger(), structlog.get_config()
    handlers, level = list(root.handlers), root.level
    yield
    structlog.configure(**before)
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture(scope="session")
def stack() -> Iterator[TestStack]:
    """Kafka and PostgreSQL, started once. Where they cannot be had: skipped on a laptop, failed in CI.

    Its folder is not one of pytest's: those of the sessions before are cleared away, and a session may still run.
    """
    with tempfile.TemporaryDirectory(prefix="yesser-tests-", ignore_cleanup_errors=True) as folder:
        yield from _running_stack(Path(folder))


def _running_stack(home: Path) -> Iterator[TestStack]:
    running = services(home)
    try:
        found = running.__enter__()
    except StackError as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(error))
    try:
        yield found
    finally:
        asyncio.run(drop_template(found))
        running.__exit__(None, None, None)


@pytest.fixture(scope="session")
def system() -> Iterator[System]:
    """Every process, as a user starts them, once for all quick scenarios; each leaves it at rest and working."""
    try:
        with fresh_system() as running:
            yield running
    except StackError as error:
        if os.environ.get("CI"):
            raise
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
    return lambda **more: own_environment(settings) | more
