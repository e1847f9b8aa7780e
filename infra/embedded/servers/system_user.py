"""PostgreSQL refuses to run as root: there it runs as a system user, which needs access to its files.

An ordinary user runs it as itself; then nothing here has an effect.
"""

from __future__ import annotations

import os
import pwd
import shutil
import stat
import subprocess
from pathlib import Path
from typing import Final

from infra.errors import StackError

NAME: Final = "yesser-postgres"
_NAME_TAKEN: Final = 9  # exit code of useradd


def postgres_user() -> pwd.struct_passwd | None:
    """The system user that PostgreSQL runs as, created at first need; None if it runs as the caller."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam(NAME)
    except KeyError:
        _add_user()
    return pwd.getpwnam(NAME)


def _add_user() -> None:
    useradd = shutil.which("useradd") or "/usr/sbin/useradd"
    command = [useradd, "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", NAME]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        failure = "" if done.returncode in (0, _NAME_TAKEN) else done.stderr.strip()
    except OSError as error:
        failure = str(error)
    if failure:
        raise StackError(
            f"PostgreSQL does not run as root, and its system user {NAME} could not be created ({failure}): "
            "run this as an ordinary user, or set a database in YESSER_POSTGRES."
        )


def allow_traversal(path: Path) -> list[Path]:
    """Allow other users to traverse (not read) the folders above `path`; returns those that were changed."""
    changed = []
    for folder in path.parents:
        mode = folder.stat().st_mode
        if not mode & stat.S_IXOTH:
            folder.chmod(mode | stat.S_IXOTH)
            changed.append(folder)
    return changed


def allow_reading(folder: Path) -> None:
    """Allow other users to read and run files that were installed with a strict umask."""
    if folder.stat().st_mode & stat.S_IROTH and (folder / "bin" / "postgres").stat().st_mode & stat.S_IXOTH:
        return
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            mode = path.stat().st_mode
            path.chmod(mode | stat.S_IROTH | (stat.S_IXOTH if mode & stat.S_IXUSR else 0))


def hand_over(folder: Path, user: pwd.struct_passwd) -> None:
    """Make the user the owner of the folder and its contents."""
    for path in (folder, *folder.rglob("*")):
        os.chown(path, user.pw_uid, user.pw_gid, follow_symlinks=False)
