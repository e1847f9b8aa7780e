"""Runs PostgreSQL's own tools for backups, as the system user that PostgreSQL runs as."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, TypeAlias

from infra.backup.catalogue import BackupUnusable
from infra.embedded.servers.one_time_tool import RunAs
from infra.embedded.servers.postgres import installation, run_as
from infra.embedded.servers.system_user import postgres_user

Progress: TypeAlias = Callable[[str], None]
_FULL_DISK: Final = "No space left on device"


class ToolFailed(BackupUnusable):
    """A tool ended with an error; `output` has all its messages."""

    def __init__(self, message: str, output: str) -> None:
        super().__init__(message)
        self.output = output


def tool(name: str) -> str:
    return str(installation() / "bin" / name)


def start(command: Sequence[str], environment: Mapping[str, str]) -> subprocess.Popen[str]:
    """Start a tool as PostgreSQL's user, in a folder that this user may enter."""
    where: RunAs = {"cwd": Path("/"), **run_as(postgres_user())}
    return subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        env={"LC_ALL": "C", "TZ": "UTC", "PATH": os.defpath, "PGAPPNAME": "yesser backup", **environment},
        **where,
    )


def run(
    command: Sequence[str],
    failure: str,
    environment: Mapping[str, str] | None = None,
    progress: Progress = lambda _: None,
    stdin: str = "",
) -> str:
    """Run a tool, pass on each line of its messages, and return them. Raises `ToolFailed` with the last error."""
    lines: list[str] = []
    with start(command, environment or {}) as process:
        assert process.stdin is not None
        assert process.stderr is not None
        process.stdin.write(stdin)
        process.stdin.close()
        for line in process.stderr:
            if line.strip():
                lines.append(line.strip())
                progress(lines[-1])
    text = "\n".join(lines)
    if process.returncode or "ERROR:" in text:
        remedy = ": free some space" if _FULL_DISK in text else ""
        faults = [line for line in lines if "error:" in line or "FATAL:" in line or "ERROR:" in line]
        last = (faults or lines or [f"exit code {process.returncode}"])[-1]
        raise ToolFailed(f"{failure} ({last}){remedy}.", text)
    return text


def installed_version() -> int:
    """The major version of the tools."""
    text = subprocess.check_output([tool("pg_basebackup"), "--version"], text=True)
    return int(text.split()[-1].partition(".")[0])


def size_of(folder: Path) -> int:
    """Bytes of a folder's files."""
    return sum(path.lstat().st_size for path in folder.rglob("*") if not path.is_dir())
