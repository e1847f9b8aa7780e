"""Runs a scenario under a schedule: processes over one database, one Kafka and one disk, started again as a supervisor
does, until they are at rest. Then everything is checked.

The database is a real one. What a run writes is deleted again and the base put back, which takes a few milliseconds.
"""

from __future__ import annotations

import asyncio
import contextvars
import gc
import logging
import math
import warnings
from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import MappingProxyType, ModuleType
from typing import Any, Final

import asyncpg
import pytest
import structlog
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from consumers.registrar import session
from consumers.registrar.backlog import Clocks
from consumers.registrar.claims import filter as claims_filter
from consumers.registrar.recovery import recover
from infra.postgres.connection import Connection, connect
from infra.private_keys.key_files import CHECKPOINT_FILE
from infra.process import leader_election
from infra.process.lease import LeaseSpec
from infra.process.reaction import Reaction, reaction_to
from infra.secret_files import write_private
from infra.settings import Settings
from tests.simulate.broker import Broker, Topic
from tests.simulate.disk import Disk
from tests.simulate.points import INSTANCE, Instance, Points
from tests.simulate.schedule import Point, Schedule
from tests.virtual_time import virtual_loop
from tests.world.waits import Process

REST_S: Final = 180.0
"""Virtual seconds after which a system that is not at rest has failed. The longest wait of a client is 15 s."""
STAYS_S: Final = 1.2
"""It must stay at rest for so long once no fault is under way: longer than any interval of the processes."""
SECOND_WORKS_S: Final = 6.0
SUSPENDED_S_MAX: Final = 75.0
"""So long after a command was suspended another call of it has done its work."""
HELD_UP_S_MAX: Final = 10.0
"""For so long may a suspended command hold others up."""
RESTART_S: Final = 0.5
LOOK_S: Final = 0.1
COST_S: Final = 0.000_01
"""What any step is said to cost: the registrar's turns then do not depend on the machine."""
SETTINGS: Final[Mapping[str, Any]] = {
    "clock_difference_max_s": 1e9,
    "lease_ms": 60_000,
    "agencies_poll_ms": 1_000,
    # What a margin would mend is to be found.
    "ship_margin_entries": 0,
}
BASE: Final = "simulate"
"""The schema of the base's rows."""


@dataclass(frozen=True)
class Role:
    """A process by its lease. A command has none: what limits it are PostgreSQL's limits of its sessions."""

    lease: str
    make: Callable[[Settings], Process]
    is_command: bool = False


class Scenario(ABC):
    """What is run, and what must hold afterwards."""

    roles: Sequence[Role]
    settings: Mapping[str, Any] = MappingProxyType({})
    constants: Sequence[tuple[ModuleType, str, object]] = ()
    """Names of modules that have another value here, such as a shorter block than the product's."""

    @abstractmethod
    async def found(self, world: World) -> None:
        """Bring about the base, from which each run starts."""

    @abstractmethod
    async def act(self, world: World) -> None:
        """What the outside does."""

    @abstractmethod
    async def unfinished(self, world: World) -> str | None:
        """What is still to be done; None at rest."""

    @abstractmethod
    async def broken(self, world: World) -> list[str]:
        """A sentence for each invariant that does not hold, at rest."""

    async def broken_by_power(self, world: World) -> list[str]:
        """The same for what a machine finds after it lost its power, before anything starts on it: what is public was
        kept before."""
        path = world.settings.log_folder / CHECKPOINT_FILE
        kept = path.read_text(encoding="utf-8") if path.exists() else ""
        if path.exists() and not kept.endswith("\n"):
            return [f"{CHECKPOINT_FILE} is torn: {kept!r}"]
        public = await world.connection.fetchval("SELECT max(size) FROM log.checkpoint") or 0
        if (size_of(kept) if kept else 0) < public:
            return [f"a checkpoint of size {public} is public, and {CHECKPOINT_FILE} has {kept!r}"]
        return []


def size_of(note: str) -> int:
    """Of a checkpoint."""
    return int(note.split("\n")[1])


@dataclass
class Outcome:
    """What a run met, and what did not hold."""

    schedule: Schedule
    met: list[Point]
    hit: list[Point]
    broken: list[str] = field(default_factory=list)


class SharedConnection:
    """A connection of the harness: one query at a time. Each completes, also when its caller is cancelled."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._asking = asyncio.Lock()

    def __getattr__(self, name: str) -> Any:
        async def ask(*args: Any) -> Any:
            async with self._asking:
                return await getattr(self._connection, name)(*args)

        return lambda *args: asyncio.shield(asyncio.ensure_future(ask(*args)))


class World:
    """The services, and the base of one scenario."""

    def __init__(self, settings: Settings, scenario: Scenario, connection: Connection) -> None:
        self.settings, self.scenario = settings, scenario
        self.connection: Any = SharedConnection(connection)
        self.broker = Broker()
        self.may_halt: Callable[[str], bool] = lambda _: False
        """Whether what halts a process for this reason is no defect."""
        self._reset = ""
        self._topics: dict[str, Topic] = {}
        self._files: dict[str, bytes] = {}
        self._broken: list[str] = []
        self._instances: list[Instance] = []
        self._supervisors: list[asyncio.Task[None]] = []
        self._points: Points
        self._disk: Disk
        self._after_power: dict[str, bytes] | None = None

    async def prepare(self) -> None:
        """Bring about the scenario's base and keep it."""
        settings = self.settings
        own = (settings.log_topic, settings.checkpoints_topic, settings.texts_topic)
        self.broker.create(*own, settings.triggers_topic)
        with self._in_place(Schedule()):
            await self.scenario.found(self)
            if not self._reset:
                await self.keep_rows()
            await self._end()
        self._topics = {name: topic.copy() for name, topic in self.broker.topics.items()}
        self._files = {path.name: path.read_bytes() for path in self.settings.log_folder.iterdir()}

    async def run(self, schedule: Schedule) -> Outcome:
        """One run from the base to its end."""
        await self._restore()
        with self._in_place(schedule) as points:
            self.start(*self.scenario.roles)
            try:
                await self.scenario.act(self)
                await self.rest()
            finally:
                await self._end()
            if not self._broken:
                self._broken += await self.scenario.broken(self)
        return Outcome(schedule, points.met, points.hit, self._broken)

    def disk_is_synced(self) -> None:
        """What an operator has put into the folder is on the disk."""
        self._disk.close()
        self._disk = Disk(self.settings.log_folder)

    def start(self, *roles: Role) -> None:
        """Start a process of each, and start it again whenever it ends."""
        self._supervisors += [
            asyncio.create_task(self._supervise(role), context=contextvars.Context()) for role in roles
        ]

    async def over_http(self, name: str, call: Callable[[], Awaitable[Any]], cut: Callable[[], Exception]) -> Any:
        """A request over HTTP that the running process answers or sends: a point."""
        instance = INSTANCE.get()
        assert instance is not None
        return await self._points.pass_through(instance, f"http.{name}", call, cut)

    async def rest(self, stays_s: float = STAYS_S) -> None:
        """Wait until everything is done, and stays so."""
        loop = virtual_loop()
        until, rests_since = loop.time() + REST_S, None
        while rests_since is None or loop.time() - rests_since < stays_s:
            what = await self.scenario.unfinished(self)
            if what is not None and loop.time() > until:
                self._broken.append(f"after {REST_S:.0f} s: {what}")
                return
            if self._broken:
                return
            if what is not None or self._points.under_way:
                rests_since = None
            elif rests_since is None:
                rests_since = loop.time()
            await asyncio.sleep(LOOK_S)

    @contextmanager
    def _in_place(self, schedule: Schedule) -> Iterator[Points]:
        self._broken, self._instances, self._supervisors = [], [], []
        self._disk = Disk(self._folder())
        points = self._points = Points(schedule, self._take_over, self._lose_power, lambda fd: self._disk.synced(fd))
        self.broker.send = points.on_kafka
        steps = _Steps()
        with pytest.MonkeyPatch.context() as patched, self.broker.serving(), points.watching():
            patched.setattr(session, "CLOCKS", Clocks(steps, steps))
            # 32 MB of zeros for each registrar that starts.
            patched.setattr(claims_filter, "bytearray", _Zeros, raising=False)
            patched.setattr(leader_election, "renewing", renewing)
            patched.setattr(recover, "renewing", renewing)
            patched.setattr(leader_election, "reaction_to", self._reaction_to)
            for constant in self.scenario.constants:
                patched.setattr(*constant)
            try:
                yield points
            finally:
                self._disk.close()

    def _folder(self) -> Any:
        self.settings.log_folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return self.settings.log_folder

    def _reaction_to(self, error: BaseException) -> Reaction:
        """A fault of the outside is waited out: whatever halts or ends a process is a defect."""
        reaction, instance = reaction_to(error), INSTANCE.get()
        if reaction is Reaction.HALT and self.may_halt(str(error)):
            return reaction
        if reaction in (Reaction.HALT, Reaction.BUG, Reaction.RAISE) and instance and not instance.is_dead:
            self._broken.append(f"{instance.role}: {reaction.name.lower()}: {type(error).__name__}: {error}")
        return reaction

    async def _supervise(self, role: Role) -> None:
        while True:
            instance = Instance(role.lease)
            self._instances.append(instance)
            context = contextvars.copy_context()
            context.run(INSTANCE.set, instance)
            instance.task = asyncio.create_task(_life(role.make(self.settings)), context=context)
            try:
                await asyncio.wait([instance.task])
            except asyncio.CancelledError:
                instance.kill()
                await asyncio.wait([instance.task])
                raise
            finally:
                error = None if instance.task.cancelled() or not instance.task.done() else instance.task.exception()
                if error is not None and not instance.is_dead:
                    self._broken.append(f"{role.lease} ended: {error!r}")
                instance.kill()
            if self._after_power is not None:
                files, self._after_power = self._after_power, None
                self._disk.restart(files)
                self._broken += await self.scenario.broken_by_power(self)
            await self._end_sessions(instance.sessions)
            await self._end_lease(role.lease)
            await asyncio.sleep(RESTART_S)

    async def _end_sessions(self, sessions: Sequence[int]) -> None:
        """What was asked in them before is done or undone, and not done later."""
        running = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE pid = ANY ($1)"
        while await self.connection.fetchval(running, sessions):  # noqa: ASYNC110 - the database is waited for
            await asyncio.sleep(0)

    async def _end_lease(self, name: str) -> None:
        """So much time has passed in the database that an owner which does not renew its lease has lost it."""
        await self.connection.execute("UPDATE platform.lease SET expires_at = '-infinity' WHERE name = $1", name)

    async def _take_over(self, first: Instance) -> None:
        first.suspend()
        try:
            role = next(role for role in self.scenario.roles if role.lease == first.role)
            with suppress(TimeoutError):  # one waits for a lock
                async with asyncio.timeout(LOOK_S):
                    await first.answered()
            await self._end_lease(role.lease)
            self.start(role)
            if role.is_command:
                await self._limit(first)
                return
            loop = virtual_loop()
            until = loop.time() + SECOND_WORKS_S
            # While the first holds a lock, the second waits for it.
            while loop.time() < until and await self.scenario.unfinished(self):  # noqa: ASYNC110 - processes are
                await asyncio.sleep(LOOK_S)
        finally:
            first.resume()

    async def _limit(self, command: Instance) -> None:
        """Time passes in the database too: a session of the suspended command ends by the limits that it has set."""
        opened = [connection for connection in command.connections if not connection.is_closed()]
        limits_s: dict[int, float] = {}
        held_up = "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE pg_blocking_pids(pid) && $1)"
        loop = virtual_loop()
        began = free = loop.time()
        while await self.scenario.unfinished(self):
            for connection in opened:
                # One whose last statement waits for a lock can be asked later.
                if (pid := connection.get_server_pid()) not in limits_s:
                    with suppress(asyncpg.InterfaceError):
                        # In a task of its own, where none of the command's functions asks: this is no point.
                        limits_s[pid] = await asyncio.create_task(_limit_s(connection))
            if ended := [pid for pid, limit in limits_s.items() if limit <= loop.time() - began]:
                await self._end_sessions(ended)
            if not await self.connection.fetchval(held_up, command.sessions):
                free = loop.time()
            if loop.time() > min(free + HELD_UP_S_MAX, began + SUSPENDED_S_MAX):
                self._broken.append(f"{command.role}: suspended, it holds others up")
                return
            await asyncio.sleep(RESTART_S)

    def _lose_power(self, instance: Instance, newest_names: bool) -> None:
        self._after_power = self._disk.lost_power(newest_names=newest_names)
        instance.kill()

    async def _end(self) -> None:
        for task in self._supervisors:
            task.cancel()
        await asyncio.gather(*self._supervisors, return_exceptions=True)
        # What they asked last is not done in the next run.
        await self._end_sessions([session for instance in self._instances for session in instance.sessions])

    async def keep_rows(self) -> None:
        """Keep the rows of now as the base's, and write the statements that bring them back.

        `found` calls it where topics and files are to be newer than the database. Every process ends.
        """
        await self._end()
        for role in self.scenario.roles:
            await self._end_lease(role.lease)
        rows = await self.connection.fetch(
            "SELECT c.oid::regclass::text AS name, (SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum)"
            " FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped AND attgenerated = '')"
            " AS columns FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'r'"
            " AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg_toast%'"
        )
        statements = ["SET LOCAL session_replication_role = replica"]
        await self.connection.execute(f"CREATE SCHEMA {BASE}")
        for number, row in enumerate(rows):
            statements.append(f"DELETE FROM {row['name']}")
            if await self.connection.fetchval(f"SELECT EXISTS (SELECT FROM {row['name']})"):
                kept, columns = f"{BASE}.rows_{number}", row["columns"]
                await self.connection.execute(f"CREATE TABLE {kept} AS SELECT {columns} FROM {row['name']}")
                statements.append(
                    f"INSERT INTO {row['name']} ({columns}) OVERRIDING SYSTEM VALUE SELECT {columns} FROM {kept}"
                )
        self._reset = ";".join(["BEGIN", *statements, "COMMIT"])

    async def _restore(self) -> None:
        await self.connection.execute(self._reset)
        self.broker.topics = {name: topic.copy() for name, topic in self._topics.items()}
        folder = self._folder()
        for path in folder.iterdir():
            path.unlink()
        for name, content in self._files.items():
            write_private(folder / name, content.decode())


class _Steps:
    """A clock on which each look costs the same."""

    def __init__(self) -> None:
        self._now_s = 0.0

    def __call__(self) -> float:
        self._now_s += COST_S
        return self._now_s


class _Zeros(defaultdict[int, int]):
    """A `bytearray` of zeros."""

    def __init__(self, _: int) -> None:
        super().__init__(int)


async def _limit_s(connection: Any) -> float:
    """For how long PostgreSQL lets this session ask nothing."""
    limits = ["idle_session_timeout"]
    if connection.is_in_transaction():
        limits = ["transaction_timeout", "idle_in_transaction_session_timeout"]
    # The client library counts a statement of the suspended process as under way, though it is not sent.
    guard = connection._stmt_exclusive_section
    connection._stmt_exclusive_section = type(guard)()
    try:
        found = await connection.fetchval(
            "SELECT min(setting::bigint) FROM pg_settings WHERE name = ANY ($1) AND setting <> '0'", limits
        )
    finally:
        connection._stmt_exclusive_section = guard
    return math.inf if found is None else found / 1000


async def _life(process: Process) -> None:
    try:
        await process.run(asyncio.Event())
    except SystemExit as error:  # it would end the loop
        raise RuntimeError(f"exit code {error.code}") from error


@asynccontextmanager
async def renewing(spec: LeaseSpec, epoch: int, settings: Settings) -> AsyncIterator[asyncio.Future[None]]:
    """`leader_election.renewing` without its thread, whose clock would be the real one."""
    loop = asyncio.get_running_loop()
    renewal = leader_election._Renewal(spec, epoch, settings, loop, loop)

    async def renew() -> None:
        try:
            await renewal._renew_and_release()
        except Exception as error:
            renewal._report(error)

    task = asyncio.create_task(renew())
    try:
        yield renewal.lost
    finally:
        renewal.lost.cancel()
        renewal._end.set()
        await asyncio.wait([task], timeout=leader_election.JOIN_TIMEOUT_S)
        task.cancel()


@asynccontextmanager
async def world(settings: Settings, scenario: Scenario) -> AsyncIterator[World]:
    """A world over a fresh database, at the scenario's base."""
    # Time passes by jumps here, and not in the database. Only what is said to pass ends a lease.
    settings = settings.model_copy(update={**SETTINGS, **scenario.settings})
    connection = await connect(settings, "simulation", batch=True)
    try:
        found = World(settings, scenario, connection)
        await found.prepare()
        yield found
    finally:
        await connection.close()


@contextmanager
def quiet() -> Iterator[None]:
    """Without the logs of the processes, which tell of every fault, and the warnings of clients that they left open."""

    def drop(*_: object) -> Any:
        raise structlog.DropEvent

    before, level = structlog.get_config(), logging.root.manager.disable
    structlog.configure(processors=[drop])
    logging.disable(logging.CRITICAL)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        try:
            yield
        finally:
            gc.collect()
            for left in gc.get_objects():
                if isinstance(left, AIOKafkaConsumer | AIOKafkaProducer):
                    left._closed = True  # a killed process closes nothing, and something may still refer to its clients
            structlog.configure(**before)
            logging.disable(level)


def now() -> datetime:
    return datetime.now(UTC)
