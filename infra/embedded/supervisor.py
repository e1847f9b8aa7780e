"""The supervisor of a stack: starts Kafka and PostgreSQL, prepares both, starts the processes, restarts what dies.

In: settings, the wanted parts. Out: `stack.json` at every change, and each part's log. A killed supervisor leaves its
children running; the next one ends them first, by pid and start time, and takes over their ports and data.

Both services are prepared before any process starts: roles and users, secrets, tables, topics, rights. Repeatable.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import structlog
from msgspec import UNSET
from msgspec.structs import asdict

from infra.data_dir import DataDir
from infra.embedded.plan import PROCESS_ENDING, Wanted, child_plans
from infra.embedded.processes.identity import end_all, identity_of, mark, marked_children, running
from infra.embedded.processes.managed_process import Child, ChildPlan
from infra.embedded.processes.signals import SERVICES
from infra.embedded.servers.kafka import DATA
from infra.embedded.servers.ports import reachable
from infra.embedded.servers.postgres import database_address
from infra.embedded.services import KAFKA_ENDING, POSTGRES_ENDING
from infra.errors import StackError
from infra.observability.logs import LogOnce, first_line
from infra.principals import PRINCIPALS, SUPERUSER
from infra.process.subprocess_command import subprocess_command
from infra.secret_files import ACCOUNTS_KEY, CONSOLE_KEY, ENDPOINT_KEY, TEAMS_KEY, password
from infra.settings import Settings
from infra.stack_record import BROKERS, ProcessRecord, ServiceRecord, StackRecord

READY_S: Final = 600.0
"""The first start of a machine may download Kafka, and a busy one starts late. What keeps dying is given up earlier."""
WRITE_AGAIN_S: Final = 1.0
LOOK_EVERY_S: Final = 1.0

logger = structlog.get_logger("supervisor")


@contextlib.contextmanager
def sole_supervisor(home: DataDir) -> Iterator[None]:
    """Hold the home's lock, which the system frees when the process ends."""
    with home.lock.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StackError(
                f"A stack already runs in {home.root}: see `yesser status`, stop it with `yesser down`, "
                "or set another folder in YESSER_HOME."
            ) from None
        yield


def is_supervised(home: DataDir) -> bool:
    """Whether a supervisor holds the home's lock now."""
    try:
        with sole_supervisor(home):
            return False
    except (StackError, FileNotFoundError):
        return home.lock.exists()


def _is_there(path: Path, file: os.stat_result) -> bool:
    """Whether the path still leads to this file. A disk that cannot be read says nothing about it."""
    try:
        return os.path.samestat(path.stat(), file)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True


def end_orphans(home: DataDir, time_share: float = 1.0) -> int:
    """End the children of a killed supervisor, processes before services; returns how many.

    `time_share` is the share of its usual time that each may take before it is killed.
    """
    recorded = home.read_record().identities()
    unrecorded = [
        (name, i) for name, i in marked_children(home.root) if i.pid not in {r.pid for r in recorded.values()}
    ]
    found = [*recorded.items(), *unrecorded]
    endings = {**dict.fromkeys(BROKERS, KAFKA_ENDING), "postgres": POSTGRES_ENDING}
    ended = end_all((i, PROCESS_ENDING.within(time_share)) for name, i in found if name not in endings)
    return ended + end_all((i, endings[name].within(time_share)) for name, i in found if name in endings)


class Supervisor:
    """One run of a stack. `progress` receives messages for people."""

    def __init__(self, settings: Settings, wanted: Wanted, progress: Callable[[str], None]) -> None:
        self.home = DataDir.at(settings.home)
        self.settings = settings.model_copy(update={"home": self.home.root})
        self.wanted = wanted
        self.progress = progress
        self.record = StackRecord(str(self.home.root), identity_of(os.getpid()), tls=wanted.tls)
        self._services: list[Child] = []
        self._processes: list[Child] = []
        self._complete = False
        self._unwritten = LogOnce("stack.json cannot be written", "stack.json is written again")
        self._write_again: asyncio.TimerHandle | None = None

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """The stack, ready for use; on exit everything is stopped in order."""
        self.home.create()
        with sole_supervisor(self.home):
            if ended := await asyncio.to_thread(end_orphans, self.home):
                logger.warning("ended processes of an earlier supervisor", processes=ended)
            if self.wanted.tls:
                await asyncio.to_thread(make_certificates, self.home)
            self._plan()
            try:
                await self._start_services()
                await self._start_processes()
                self._complete = True
                self._write()
                yield
            finally:
                await self._stop()

    async def until_needless(self, look_every_s: float = LOOK_EVERY_S) -> None:
        """Wait until the process for which the stack was started has ended, or the home is deleted, also where another
        folder has its name by then: such a stack serves nobody, and nobody could stop it."""
        pid = self.wanted.while_pid
        user = None if pid is None else identity_of(pid)
        try:
            lock = self.home.lock.stat()
        except FileNotFoundError:
            return
        while _is_there(self.home.lock, lock):
            if pid is not None and (user is None or running(user) is None):
                return
            await asyncio.sleep(look_every_s)

    def _plan(self) -> None:
        """Plan every child, and write the first record."""
        last = self.home.read_record()
        self.record.ports = last.known_ports()
        plans = child_plans(self.home, self.wanted, self.settings, last, self.progress)
        self._services, self._processes = ([self._child(plan) for plan in group] for group in plans)
        self._write_first()

    def _child(self, plan: ChildPlan) -> Child:
        marked = replace(plan, environment=lambda: {**plan.environment(), **mark(self.home.root, plan.name)})
        return Child(marked, ProcessRecord(plan.name), self._write)

    async def _start_services(self) -> None:
        """Start the services; each is prepared as soon as it is ready."""
        if self._services:
            self.progress("Starting " + ", ".join(child.plan.name for child in self._services))
        brokers = [child for child in self._services if child.plan.name in BROKERS]
        children = {"kafka": brokers, "postgres": [child for child in self._services if child not in brokers]}
        prepare = {"postgres": prepare_database, "kafka": prepare_kafka} if self.wanted.prepared else {}
        await _all_or_none(
            [self._start_service(children[name], prepare.get(name)) for name in SERVICES if name in self.wanted.only]
        )

    async def _start_service(
        self, children: Sequence[Child], prepare: Callable[[Settings], Awaitable[None]] | None
    ) -> None:
        """An external service, which has no children, is only prepared."""
        if len(children) > 1:
            await self._start_brokers(children)
        elif children:
            children[0].start()
            await children[0].until_ready(READY_S)
        if prepare is not None:
            await prepare(self.settings)

    async def _start_brokers(self, children: Sequence[Child]) -> None:
        """Those without storage come last: they get it from the others. One of three may fail."""
        if not self.home.brokers.exists():
            await asyncio.to_thread(children[0].plan.prepare)
        errors: list[BaseException] = []
        stored = [child for child in children if self.home.broker(child.plan.name).joinpath(DATA).exists()]
        if len(stored) < len(children) - 1:
            raise StackError("Two of three brokers have lost their storage: see docs/high-availability.md.")
        for group in (stored, [child for child in children if child not in stored]):
            for child in group:
                child.start()
            ended = await asyncio.gather(*(child.until_ready(READY_S) for child in group), return_exceptions=True)
            errors += [error for error in ended if error is not None]
            if len(errors) > 1:
                raise errors[0]
        for error in errors:
            logger.error("a broker did not start, and the others go on without it", error=first_line(error))

    async def _start_processes(self) -> None:
        if self._processes:
            self.progress("Starting " + ", ".join(child.plan.name for child in self._processes))
        for child in self._processes:
            child.start()
        works = [child.until_ready(READY_S) for child in self._processes]
        if self.wanted.prepared and self.wanted.only.issuperset(SERVICES):
            works.append(register_first_agencies(self.settings))
        await _all_or_none(works)

    async def _stop(self) -> None:
        """Stop the processes, then the services; an error of one does not keep the rest running."""
        self._complete = False
        errors: list[BaseException] = []
        for children in (self._processes, self._services):
            ended = await asyncio.gather(*(child.stop() for child in children), return_exceptions=True)
            errors += [error for error in ended if error is not None]
        self.record.supervisor = None
        self._write()
        if errors:
            raise errors[0]

    def _assemble(self) -> None:
        """Update the record. A stack is ready if every part is."""
        for child in self._services:
            entry, ports = child.record, child.plan.ports.numbers
            service = ServiceRecord(
                address=database_address(ports["port"]) if entry.name == "postgres" else UNSET,
                **ports,
                state=entry.state,
                pid=entry.pid,
                started=entry.started,
                restarts=entry.restarts,
            )
            self.record.note_service(entry.name, service)
        for child in self._processes:
            child.record.health_host = reachable(self.settings.health_host)
            child.record.health_port = child.plan.ports["health_port"]
            child.record.port = child.plan.ports.numbers.get("port")
        self.record.processes = [child.record for child in self._processes]
        children = (*self._services, *self._processes)
        self.record.ports |= {child.plan.name: dict(child.plan.ports.numbers) for child in children}
        parts = [child.record for child in (*self._processes, *self._services)]
        self.record.ready = self._complete and all(part.state == "ready" for part in parts)

    def _write_first(self) -> None:
        """Write the first record; without one no other process could find the stack, so it is not started."""
        self._assemble()
        try:
            self.home.write_record(self.record)
        except OSError as error:
            raise StackError(f"{self.home.record} cannot be written ({error.strerror}): free some space.") from error

    def _write(self) -> None:
        """Write `stack.json`. While it cannot be written (a full disk) it is retried, and the stack runs on."""
        if self._write_again is not None:
            self._write_again.cancel()
        self._assemble()
        try:
            self.home.write_record(self.record)
            self._unwritten.ends()
        except OSError as error:
            self._unwritten.begins(error)
            self._write_again = asyncio.get_running_loop().call_later(WRITE_AGAIN_S, self._write)


def make_certificates(home: DataDir) -> None:
    """Create or renew the private authority, and the certificates of the servers and of the console as the gateway's
    client. Raises `CertificateUnusable`."""
    # Imported here: without TLS no stack needs it.
    from infra.http.callers import CONSOLE_CERTIFICATE
    from infra.tls.authority import SERVERS, authority

    own = authority(home.tls, datetime.now(UTC))
    for name in SERVERS:
        own.server(name)
    own.client(CONSOLE_CERTIFICATE, home.tls / "console.pem")


async def _all_or_none(works: Sequence[Coroutine[Any, Any, None]]) -> None:
    """Run all at once; the first error cancels the others and is raised."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


COMMAND_TIMEOUT_S: Final = 300.0


async def prepare_database(settings: Settings) -> None:
    """Create the roles where the superuser's password is here, and the tables with `yesser migrate`, which knows those
    of every package. On a given PostgreSQL its superuser has run the SQL of `yesser migrate --print-roles`."""
    if settings.secret("postgres", SUPERUSER) is not None:
        # Imported here: reading a stack's state needs no database driver.
        from infra.postgres.connection import connected, database_name
        from infra.postgres.roles import create_roles

        password(settings.secrets_folder / "delivery", ENDPOINT_KEY)
        for file, folder in (CONSOLE_KEY, ACCOUNTS_KEY, TEAMS_KEY):
            password(settings.secrets_folder / folder, file)
        passwords = {name: password(settings.secrets_folder / name, "postgres") for name in PRINCIPALS}
        async with connected(settings.acting_as(SUPERUSER), "roles", batch=True) as connection:
            await create_roles(connection, database_name(settings), passwords)
    # Indexes of large tables take their time. An interrupted build begins again, so nothing interrupts it.
    await _run(settings, "The database could not be migrated", "migrate", "--json", timeout_s=None)
    # A restored copy lacks what was revoked since; no process has answered anybody yet.
    from infra.keys.access_changes import reapply_at_start

    if (reapplied := await reapply_at_start(settings)) is not None and reapplied.applied:
        logger.warning("the database is an older copy: access that was taken since is taken again", **asdict(reapplied))


async def register_first_agencies(settings: Settings) -> None:
    """Run `yesser agencies genesis`: the log's first two entries and the office's access to Kafka."""
    await _run(settings, "The platform and the programme office could not be registered", "agencies", "genesis")


async def _run(settings: Settings, failure: str, *arguments: str, timeout_s: float | None = COMMAND_TIMEOUT_S) -> None:
    """Run a `yesser` command. Raises StackError with the last line of its output."""
    process = await asyncio.create_subprocess_exec(
        *subprocess_command(*arguments),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=os.environ | {"YESSER_HOME": str(settings.home)},
    )
    try:
        async with asyncio.timeout(timeout_s):
            _, output = await process.communicate()
    except (asyncio.CancelledError, TimeoutError):
        process.kill()
        await process.wait()
        raise
    if process.returncode:
        lines = output.decode("utf-8", "replace").strip().splitlines()
        words = lines[-1].removeprefix("yesser: ") if lines else f"exit code {process.returncode}"
        raise StackError(f"{failure}: {words}")


async def prepare_kafka(settings: Settings) -> None:
    """Create the platform's topics, users and rights."""
    # Imported here: reading a stack's state needs no Kafka client.
    from infra.kafka.admin import prepare_cluster

    await prepare_cluster(settings)
