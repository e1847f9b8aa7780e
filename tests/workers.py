"""Tests on several workers (`pytest -n auto --dist loadgroup`): what stays together, and what runs by itself.

Every worker has services of its own. The tests on the shared system are one group, so that one worker alone starts it;
the tests of a file on the services are one group, so that what they share is made once; each other test goes to
whichever worker is free. The tests marked `alone` measure time: they come last, on one worker, and while one of them
runs no other test does.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pytest

from tests.scenarios.figures import take, tell

NEED_STACK: Final = frozenset({"stack", "settings", "connection", "pool", "environment", "system"})
WORKERS: Final = 2
SYSTEM: Final = "system"
ALONE: Final = "alone"
TURNS: Final = pytest.StashKey[tempfile.TemporaryDirectory[str]]()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int | None:
    """How many workers `-n auto` means. Services that the environment names are for one test at a time."""
    if "PYTEST_XDIST_AUTO_NUM_WORKERS" in os.environ:
        return None
    return 0 if "YESSER_KAFKA" in os.environ else WORKERS


def group(item: pytest.Item) -> str | None:
    """The tests of one group run on one worker, in their order; None: on any."""
    if item.get_closest_marker(ALONE):
        return ALONE
    if SYSTEM in getattr(item, "fixturenames", ()):
        return SYSTEM
    return item.path.stem if item.get_closest_marker("stack") else None


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs the services, so that `-m "not stack"` runs without any. Order the tests as the workers take
    them, the longest group first, and name the groups."""
    for item in items:
        if NEED_STACK & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.stack)
    places = {SYSTEM: 0, None: 2, ALONE: 3}
    items.sort(key=lambda item: places.get(group(item), 1))
    for item in items:
        if (name := group(item)) is not None:
            item.add_marker(pytest.mark.xdist_group(name))


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell each worker the folder in which the workers take turns."""
    if TURNS not in node.config.stash:
        node.config.stash[TURNS] = tempfile.TemporaryDirectory(prefix="yesser-turns-")
    node.workerinput["turns"] = node.config.stash[TURNS].name


def pytest_unconfigure(config: pytest.Config) -> None:
    if TURNS in config.stash:
        config.stash[TURNS].cleanup()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Wait for the turn outside the test's own time limit."""
    given = getattr(item.config, "workerinput", None)
    if given is None:
        return (yield)
    with turn(Path(given["turns"]), alone=group(item) == ALONE):
        return (yield)


@contextmanager
def turn(folder: Path, *, alone: bool) -> Iterator[None]:
    """One turn alone, or one beside others. Who waits to be alone holds the gate, so that the others wait as well."""
    with (folder / "gate").open("w") as gate, (folder / "room").open("w") as room:
        fcntl.flock(gate, fcntl.LOCK_EX)
        fcntl.flock(room, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        fcntl.flock(gate, fcntl.LOCK_UN)
        yield


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A worker hands over what its tests measured."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["figures"] = take()


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    for figure in getattr(node, "workeroutput", {}).get("figures", ()):
        tell(figure)
