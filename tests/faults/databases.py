"""Two PostgreSQL servers, a primary and its standby, set up by the commands of docs/high-availability.md."""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from infra.embedded.servers.ports import HOST, choose
from infra.embedded.servers.postgres import (
    DATABASE,
    SUPERUSER,
    ensure_database,
    installation,
    make_folder,
    prepare,
    run_as,
)
from infra.embedded.servers.system_user import postgres_user
from infra.secret_files import write_private
from tests.faults.cutting import CutLine, cut_line
from tests.scenarios.system import until

TOOL_TIMEOUT_S = 120
READY_S = 60
REPLICATED_S = 60

ROLE = (
    "CREATE ROLE standby LOGIN REPLICATION PASSWORD '{}'",
    "GRANT EXECUTE ON FUNCTION pg_ls_dir(text, boolean, boolean), pg_stat_file(text, boolean),"
    " pg_read_binary_file(text), pg_read_binary_file(text, bigint, bigint, boolean) TO standby",
)
"""The role that a standby receives WAL as; the functions are those that pg_rewind calls."""
IS_IN_SYNC = "SELECT count(*) FROM pg_stat_replication WHERE application_name = '{}' AND sync_state = 'sync'"
WAITING = (
    "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND application_name LIKE 'yesser registrar%'"
)
BATCH_WAITS = (
    "SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid)"
    " WHERE wait_event = 'SyncRep' AND relation = 'log.run'::regclass"
)
"""Transactions with entries that the primary has on its disk, and the standby does not."""
LOG = "SELECT size FROM log.state"
LEASES = "SELECT string_agg(name || ' ' || epoch, ',' ORDER BY name) FROM platform.lease"
END_SESSIONS = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name LIKE 'yesser %'"


@dataclass
class Database:
    """A server of its own, as on a machine of its own. `name` is what it calls itself where it is a standby."""

    name: str
    folder: Path
    port: int
    passwords: Path
    _process: subprocess.Popen[bytes] | None = None
    _said: str = ""

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def address(self, user: str, database: str = "postgres", port: int | None = None, name: str | None = None) -> str:
        """In the words of PostgreSQL's tools."""
        named = f" application_name={name}" if name else ""
        return f"host={HOST} port={port or self.port} user={user} dbname={database}{named}"

    def start(self) -> None:
        """Returns once it answers."""
        with (self.folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                [str(installation() / "bin" / "postgres"), "-D", str(self.folder / "data"), "-p", str(self.port)],
                stdout=log,
                stderr=log,
                cwd="/",
                **run_as(postgres_user()),  # type: ignore[call-overload]
            )
        until(lambda: self._tool("pg_isready", "--dbname", self.address(SUPERUSER)) is not None, READY_S, "not ready")

    def kill(self) -> None:
        """kill -9 of all its processes at once, as by a power cut."""
        assert self._process is not None
        parent = psutil.Process(self._process.pid)
        for process in (parent, *parent.children(recursive=True)):
            with suppress(psutil.NoSuchProcess):
                process.kill()
        self._process.wait(READY_S)

    def end(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait(READY_S)

    def tool(self, name: str, *arguments: str) -> str:
        """What one of PostgreSQL's tools prints."""
        printed = self._tool(name, *arguments)
        assert printed is not None, (name, arguments, self._said)
        return printed

    def sql(self, *statements: str, database: str = "postgres") -> str:
        """What psql prints, as the superuser."""
        commands = [f"--command={statement}" for statement in statements]
        options = ("--no-psqlrc", "--quiet", "--no-align", "--tuples-only", "--set=ON_ERROR_STOP=1")
        return self.tool("psql", "--dbname", self.address(SUPERUSER, database), *options, *commands).strip()

    def set(self, name: str, value: str) -> None:
        self.sql(f"ALTER SYSTEM SET {name} = '{value}'", "SELECT pg_reload_conf()")

    def wait_for(self, standby: Database) -> None:
        """Commit only what this standby has; returns once it is in sync."""
        self.set("synchronous_standby_names", f"1 ({standby.name})")
        until(lambda: self.sql(IS_IN_SYNC.format(standby.name)) == "1", REPLICATED_S, "the standby is not in sync")

    def wait_for_nobody(self) -> None:
        self.set("synchronous_standby_names", "")

    def promote(self) -> None:
        self.tool("pg_ctl", "promote", "--pgdata", str(self.data))

    def copy_from(self, primary: Database, port: int | None = None) -> None:
        """Become its standby, from a base backup over the replication protocol."""
        make_folder(self.folder)
        slot = ("--create-slot", f"--slot={self.name}", "--write-recovery-conf", "--checkpoint=fast")
        address = primary.address("standby", port=port, name=self.name)
        self.tool("pg_basebackup", "--dbname", address, f"--pgdata={self.data}", *slot)

    def rewind_to(self, primary: Database) -> str:
        """Become a standby of the server that replaced it: what that one does not have is taken back."""
        primary.sql(f"SELECT pg_create_physical_replication_slot('{self.name}')")
        address = primary.address("standby", name=self.name)
        target = f"--target-pgdata={self.data}"
        printed = self.tool("pg_rewind", target, f"--source-server={address}", "--write-recovery-conf")
        with (self.data / "postgresql.auto.conf").open("a", encoding="utf-8") as file:
            file.write(f"primary_slot_name = '{self.name}'\nsynchronous_standby_names = ''\n")
        return printed + self._said

    def _tool(self, name: str, *arguments: str) -> str | None:
        done = subprocess.run(
            [str(installation() / "bin" / name), *arguments],
            capture_output=True,
            text=True,
            check=False,
            timeout=TOOL_TIMEOUT_S,
            cwd="/",
            env={"LC_ALL": "C", "PATH": os.defpath, "PGPASSFILE": str(self.passwords), "PGCONNECT_TIMEOUT": "10"},
            **run_as(postgres_user()),  # type: ignore[call-overload]
        )
        self._said = str(done.stderr)
        return None if done.returncode else str(done.stdout)


@dataclass(frozen=True)
class Pair:
    """`first` is the primary, `second` its synchronous standby, which receives WAL over `line`."""

    first: Database
    second: Database
    line: CutLine
    superuser_password: str

    @property
    def address(self) -> str:
        """What YESSER_POSTGRES names."""
        return f"postgresql://{HOST}:{self.first.port},{HOST}:{self.second.port}/{DATABASE}"


@contextmanager
def primary_and_standby(folder: Path) -> Iterator[Pair]:
    """Both for the length of a `with`."""
    user, passwords = postgres_user(), folder / "passwords"
    folder.mkdir()
    password, standby_password = secrets.token_hex(16), secrets.token_hex(16)
    write_private(passwords, f"*:*:*:{SUPERUSER}:{password}\n*:*:*:standby:{standby_password}\n")
    ports = choose([None, None])
    first, second = (
        Database(name, folder / name, port, passwords) for name, port in zip(("db1", "db2"), ports, strict=True)
    )
    prepare(first.folder, first.port, password)
    if user is not None:
        os.chown(passwords, user.pw_uid, user.pw_gid)
        os.chown(folder, user.pw_uid, user.pw_gid)
    with ExitStack() as stack:
        first.start()
        stack.callback(first.end)
        assert asyncio.run(ensure_database(first.port, password))
        first.sql(*(statement.format(standby_password) for statement in ROLE))
        first.set("wal_keep_size", "4GB")  # the base backup takes it over
        line = stack.enter_context(cut_line(first.port))
        second.copy_from(first, line.port)
        second.start()
        stack.callback(second.end)
        first.wait_for(second)
        yield Pair(first, second, line, password)
