"""Every await on PostgreSQL, Kafka and the disk of the code under test, in one place, numbered as they come.

PostgreSQL: the protocol object of each `asyncpg` connection, and connecting. Kafka: the requests on the library's
connections (`tests.simulate.broker`). Disk: syncs, renames and links. What the harness asks itself is no point.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from pathlib import Path
from types import FrameType
from typing import Any, Final

import asyncpg
import asyncpg.connect_utils
import pytest

from tests.simulate.broker import Line
from tests.simulate.schedule import Fault, Point, Schedule
from tests.virtual_time import VirtualLoop, virtual_loop, virtual_runner

LATE_S: Final = 3.0
_ROOT: Final = Path(__file__).parents[2]
_OURS: Final = tuple(f"{_ROOT / name}{os.sep}" for name in ("consumers", "infra", "producers"))
_PLUMBING: Final = ("connection",)
_CODECS: Final = ("connection", "prepare")
"""A part of connecting."""
_ASKED: Final = {"bind_execute", "bind_execute_many", "bind", "execute", "query", "copy_in", "copy_out"}
_ANSWERED: Final = {"prepare", "close", "close_statement", "close_portal"}
_NAMED: Final = ("BEGIN", "COMMIT", "ROLLBACK")
_FILES: Final = ("fsync", "replace", "rename", "link")


class Instance:
    """A process from its start to its end. It is killed, or suspended, as a whole."""

    def __init__(self, role: str) -> None:
        self.role = role
        self.is_dead = False
        self.was_suspended = False
        self.connections: list[asyncpg.Connection[Any]] = []
        self.sessions: list[int] = []
        """The process ids of their backends."""
        self.lines: list[Line] = []
        self.task: asyncio.Task[None] | None = None
        self._runs = asyncio.Event()
        self._runs.set()
        self._asked = 0
        self._answered = asyncio.Event()
        self._answered.set()

    def suspend(self) -> None:
        self.was_suspended = True
        self._runs.clear()

    def resume(self) -> None:
        self._runs.set()

    @contextmanager
    def asking(self) -> Iterator[None]:
        """It waits for PostgreSQL in the block."""
        self._asked += 1
        self._answered.clear()
        try:
            yield
        finally:
            self._asked -= 1
            if not self._asked:
                self._answered.set()

    async def answered(self) -> None:
        """Wait until PostgreSQL has answered everything: the answers are waiting for it."""
        await self._answered.wait()

    async def gate(self) -> None:
        """Wait while it is suspended. What is dead does nothing more."""
        await self._runs.wait()
        if self.is_dead:
            raise ConnectionAbortedError("this process was killed")

    def kill(self) -> None:
        """Nothing that it still does has an effect."""
        self.is_dead = True
        for connection in self.connections:
            connection.terminate()
        for line in self.lines:
            line.close()
        self._runs.set()
        if self.task is not None:
            self.task.cancel()


INSTANCE: Final[ContextVar[Instance | None]] = ContextVar("INSTANCE", default=None)
"""The process to which the running code belongs."""


class Points:
    """Counts the points of a run, and lets its schedule happen. `take_over` works while an instance is suspended, and
    `lose_power` takes its machine away; `new_names`: see `Disk.lost_power`."""

    def __init__(
        self,
        schedule: Schedule,
        take_over: Callable[[Instance], Awaitable[None]],
        lose_power: Callable[[Instance, bool], None],
        synced: Callable[[int], None],
    ) -> None:
        self.met: list[Point] = []
        self.hit: list[Point] = []
        self.under_way = 0
        """Faults that are not over: what is late, and what is suspended."""
        self._due = dict(schedule.faults)
        self._times: Counter[str] = Counter()
        self._take_over, self._lose_power, self._synced = take_over, lose_power, synced

    @contextmanager
    def watching(self) -> Iterator[None]:
        """In this block the points are met."""
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(asyncpg, "connect", self._connecting(asyncpg.connect))
            for name in _FILES:
                patched.setattr(os, name, self._file(name, getattr(os, name)))
            yield

    def _meet(self, place: str) -> Fault | None:
        self._times[place] += 1
        point = Point(place, self._times[place])
        self.met.append(point)
        fault = self._due.pop(point, None)
        if fault is not None:
            self.hit.append(point)
        return fault

    async def pass_through(
        self, instance: Instance, place: str, call: Callable[[], Awaitable[Any]], cut: Callable[[], Exception]
    ) -> Any:
        """Run the request with this point's fault. `cut` closes the connection, and its error is raised."""
        await instance.gate()
        fault = self._meet(place)
        match fault:
            case Fault.CUT:
                raise cut()
            case Fault.POWER_OLD | Fault.POWER_NEW:
                self._lose_power(instance, fault is Fault.POWER_NEW)
                raise asyncio.CancelledError
            case Fault.LATE:
                with self._lasting():
                    await asyncio.sleep(LATE_S)
                await instance.gate()
            case Fault.SECOND:
                with self._lasting():
                    await self._take_over(instance)
                await instance.gate()
        result = await call()
        await instance.gate()
        match fault:
            case Fault.LOST:
                raise cut()
            case Fault.KILLED:
                instance.kill()
                raise asyncio.CancelledError
            case Fault.CANCELLED:
                task = asyncio.current_task()
                assert task is not None
                task.cancel()
                await asyncio.sleep(0)
        return result

    @contextmanager
    def _lasting(self) -> Iterator[None]:
        self.under_way += 1
        try:
            yield
        finally:
            self.under_way -= 1

    async def on_kafka(self, line: Line, name: str, topics: list[str], call: Callable[[], Awaitable[Any]]) -> Any:
        """A request on a connection to Kafka, for `Broker.send`."""
        instance = INSTANCE.get()
        if instance is None:
            return await call()
        if name == "connect":
            instance.lines.append(line)
        place = ".".join(["kafka", name, *(_where() or ()), *(_short(topic) for topic in topics[:1])])
        return await self.pass_through(instance, place, call, line.cut)

    def _connecting(self, connect: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def connecting(*args: Any, **kwargs: Any) -> Any:
            instance = INSTANCE.get()
            opened: list[Any] = []

            async def call() -> Any:
                connection = await connect(*args, **kwargs)
                if instance is not None:
                    connection._protocol = _Protocol(self, instance, connection)
                opened.append(connection)
                return connection

            def cut() -> Exception:
                for connection in opened:
                    connection.terminate()
                return ConnectionRefusedError("simulated")

            if instance is None:
                return await call()
            place = ".".join(["pg.connect", *(_where() or ())])
            connection = await self.pass_through(instance, place, call, cut)
            instance.connections.append(connection)
            instance.sessions.append(connection.get_server_pid())
            return connection

        return connecting

    def _file(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def done(*args: Any, **kwargs: Any) -> Any:
            instance, where = INSTANCE.get(), _where()
            if instance is None or where is None:
                return call(*args, **kwargs)
            if instance.is_dead:
                raise OSError("this process was killed")
            fault = self._meet(".".join(["file", name, *where]))
            if fault in (Fault.POWER_OLD, Fault.POWER_NEW):
                self._lose_power(instance, fault is Fault.POWER_NEW)
                raise asyncio.CancelledError
            result = call(*args, **kwargs)
            if name == "fsync":
                self._synced(args[0])
            return result

        return done


class _Answering:
    """Stands before a connection's protocol object, whose methods are the round trips: the clock waits for them."""

    def __init__(self, connection: Any) -> None:
        self._real, self._pid = connection._protocol, connection.get_server_pid()

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._real, name)
        return _answered(real, self._pid) if name in _ASKED | _ANSWERED else real


class _Protocol:
    """The same for a connection of a process: round trips are points."""

    def __init__(self, points: Points, instance: Instance, connection: Any) -> None:
        self._points, self._instance, self._connection = points, instance, connection
        self._real = connection._protocol

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._real, name)
        if name not in _ASKED:
            return call

        async def asking(*args: Any, **kwargs: Any) -> Any:
            async def ask() -> Any:
                with self._instance.asking():
                    return await call(*args, **kwargs)

            if not (where := _where()):
                return await ask()
            return await self._points.pass_through(
                self._instance, ".".join(["pg", _said(name, args), *where]), ask, self._cut
            )

        return asking

    def _cut(self) -> Exception:
        self._connection.terminate()
        return asyncpg.ConnectionDoesNotExistError("connection was closed in the middle of operation (simulated)")


def _answered(call: Callable[..., Awaitable[Any]], pid: int | None = None) -> Callable[..., Awaitable[Any]]:
    async def answered(*args: Any, **kwargs: Any) -> Any:
        with virtual_loop().answering(pid):
            return await call(*args, **kwargs)

    return answered


@contextmanager
def simulation() -> Iterator[asyncio.Runner]:
    """Runs coroutines on a virtual loop whose clock waits for PostgreSQL."""

    async def connecting(*args: Any, **kwargs: Any) -> Any:
        if not isinstance(asyncio.get_running_loop(), VirtualLoop):  # the thread that makes the next test's database
            return await connect(*args, **kwargs)
        with virtual_loop().answering():
            connection = await connect(*args, **kwargs)
        connection._protocol = _Answering(connection)
        return connection

    connect, cancel = asyncpg.connect, asyncpg.connect_utils._cancel  # type: ignore[attr-defined]
    with virtual_runner() as runner, pytest.MonkeyPatch.context() as patched:
        patched.setattr(asyncpg, "connect", connecting)
        # Asked on a connection of its own.
        patched.setattr(asyncpg.connect_utils, "_cancel", _answered(cancel))
        yield runner


def _said(name: str, args: tuple[Any, ...]) -> str:
    """How a transaction begins or ends; else the kind of round trip."""
    if name == "query":
        with suppress(IndexError):
            word = args[0].split(maxsplit=1)[0].rstrip(";").upper()
            return word if word in _NAMED else "query"
    return "execute" if name == "bind_execute" else name


def _where() -> tuple[str, ...] | None:
    """The place in our code that waits, innermost first: a function, and its caller in another file. None: nobody does,
    it is a task of a library."""
    found: list[str] = []
    files: set[str] = set()
    frame: FrameType | None = sys._getframe(2)
    while frame is not None and len(found) < 2:
        code = frame.f_code
        if code.co_filename.startswith(_OURS) and code.co_filename not in files:
            files.add(code.co_filename)
            stem = Path(code.co_filename).stem
            if (stem, code.co_name) == _CODECS:
                return None
            if stem not in _PLUMBING:
                found.append(f"{stem}.{code.co_name.strip('<>_')}")
        frame = frame.f_back
    return tuple(found) or None


def _short(topic: str) -> str:
    """A topic's name without what makes it a test's own."""
    return topic.rpartition(".")[2] if topic.startswith("yesser.") else topic.removesuffix(".events")
