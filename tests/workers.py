"""Tests on several workers (`pytest -n auto --dist loadgroup`): what stays together, and what runs by itself.

Every worker has services of its own. The tests on the shared system are one group, so that one worker alone starts it;
the tests of each file are one group, so that what they share is made once and each worker asks rarely for more. The
groups that take longest come first. The tests marked `alone` measure time: they come last, on one worker, and while one
of them runs no other test does.
"""

from __future__ import annotations

import fcntl
import gc
import json
import os
import tempfile
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import pytest
from xdist.scheduler import LoadScopeScheduling

from tests.scenarios.figures import take, tell
from tests.shared_systems import DEMO, SHARED_SYSTEMS, STORY

NEED_STACK: Final = frozenset({"stack", "settings", "connection", "pool", "environment", *SHARED_SYSTEMS})
WORKERS: Final = 4
"""Twice the two cores that every machine has: tests on services spend most of their time waiting."""
ALONE: Final = "alone"
OWN_SYSTEMS: Final = ("scenarios", "embedded")
"""Folders whose files start systems of their own: the longest first."""
TOGETHER: Final = ("tests/unit/consumers/console/", "tests/contract/")
"""Folders whose tests without services share what takes seconds to make: the console's fonts, the product's syntax."""
GROUPS: Final = "groups.json"
SHARED: Final = pytest.StashKey[tempfile.TemporaryDirectory[str]]()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int | None:
    """How many workers `-n auto` means. Services that the environment names are for one test at a time."""
    if "PYTEST_XDIST_AUTO_NUM_WORKERS" in os.environ:
        return None
    return 0 if "YESSER_KAFKA" in os.environ else WORKERS


def group(item: pytest.Item) -> str:
    """The tests of one group run on one worker, in their order."""
    if item.get_closest_marker(ALONE):
        return ALONE
    if (given := item.get_closest_marker("xdist_group")) is not None:
        return str(given.args[0])
    for name in SHARED_SYSTEMS:
        if name in getattr(item, "fixturenames", ()):
            return name  # what looks at the demo's system in a browser is in the demo's group
    if item.get_closest_marker("stack") is None:
        return next((folder for folder in TOGETHER if folder in item.path.as_posix()), str(item.path))
    return str(item.path)


def place(item: pytest.Item) -> int:
    """The order of the groups: those with a system of their own take minutes, those without services seconds. The
    demo's, with all pages in a browser, takes longest. Its figures are read first: the browser adds to its log."""
    name = group(item)
    if name in (*SHARED_SYSTEMS, ALONE):
        return 9 if name == ALONE else int(name != DEMO or STORY in getattr(item, "fixturenames", ()))
    if item.get_closest_marker("stack") is None:
        return 7 if name in TOGETHER else 8
    return next((n for n, folder in enumerate(OWN_SYSTEMS, 2) if folder in item.path.parts), 6)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs the services, so that `-m "not stack"` runs without any. Order the tests as the workers take
    them, the longest group first."""
    for item in items:
        if NEED_STACK & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.stack)
    items.sort(key=place)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Give all workers one folder."""
    if SHARED not in node.config.stash:
        node.config.stash[SHARED] = tempfile.TemporaryDirectory(prefix="yesser-workers-")
    node.workerinput["shared"] = node.config.stash[SHARED].name


def pytest_unconfigure(config: pytest.Config) -> None:
    if SHARED in config.stash:
        config.stash[SHARED].cleanup()


def shared(config: pytest.Config) -> Path | None:
    """The folder of all workers; None where there are none."""
    given = getattr(config, "workerinput", None)
    return None if given is None else Path(given["shared"])


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection() -> Generator[None, object, object]:
    """Imports make no garbage, and the thousands of tests stay until the end: no collection looks at them."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_finish(session: pytest.Session) -> None:
    """Tell who schedules, which knows the tests by their names alone, the groups."""
    folder = shared(session.config)
    if folder is not None and os.environ["PYTEST_XDIST_WORKER"] == "gw0":
        groups = {item.nodeid: group(item) for item in session.items}
        (folder / GROUPS).write_text(json.dumps(groups), encoding="utf-8")


class GroupScheduling(LoadScopeScheduling):  # type: ignore[misc]
    """Each group is one unit of work. (With pytest 9.2 xdist's own `loadgroup` groups nothing.)"""

    @cached_property
    def groups(self) -> dict[str, str]:
        groups: dict[str, str] = json.loads(Path(self.config.stash[SHARED].name, GROUPS).read_text(encoding="utf-8"))
        return groups

    def _split_scope(self, nodeid: str) -> str:
        return self.groups[nodeid]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> GroupScheduling | None:
    return GroupScheduling(config, log) if config.getoption("dist") == "loadgroup" else None


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Wait for the turn outside the test's own time limit."""
    folder = shared(item.config)
    if folder is None:
        return (yield)
    with turn(folder, alone=group(item) == ALONE):
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
