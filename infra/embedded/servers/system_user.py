"""PostgreSQL refuses to run as root: there it runs as a system user, which needs access to its files.

An ordinary user runs it as itself; then nothing here has an effect.
"""

from __future__ import annotations

import errno
import fcntl
import os
import pwd
import shutil
import stat
import struct
import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final, TypeVar

from infra.errors import StackError

Found = TypeVar("Found")

NAME: Final = "yesser-postgres"
_NAME_TAKEN: Final = 9  # exit code of useradd

# Linux keeps an access control list in this attribute: a version, then tag, permissions and id of each entry.
_ACL: Final = "system.posix_acl_access"
_ACL_VERSION: Final = 2
_OWNER, _USER, _GROUP, _MASK, _OTHER = 0x01, 0x02, 0x04, 0x10, 0x20
_NO_ID: Final = 0xFFFFFFFF
_EXECUTE: Final = 1


def postgres_user() -> pwd.struct_passwd | None:
    """The system user that PostgreSQL runs as, created at first need; None if it runs as the caller."""
    if os.geteuid() != 0:
        return None
    return found_or_added(_known_user, _add_user)


def found_or_added(find: Callable[[], Found | None], add: Callable[[], None], locked: Path = Path("/etc")) -> Found:
    """What `find` finds, if need be after `add`, which one process of the machine does at a time.

    `useradd` itself does not notice that another one has just added the same user: it gives the user another number,
    and the files of a database that was made meanwhile belong to nobody.
    """
    if (known := find()) is not None:
        return known
    folder = os.open(locked, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        if find() is None:
            add()
    finally:
        os.close(folder)
    user = find()
    assert user is not None
    return user


def _known_user() -> pwd.struct_passwd | None:
    with suppress(KeyError):
        return pwd.getpwnam(NAME)
    return None


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


def allow_traversal(path: Path, uid: int) -> list[Path]:
    """Allow this user, and no other, to traverse (not read) the folders above `path`; returns those that were changed.

    Raises `StackError` where a file system has no access control lists: no folder is opened to everyone.
    """
    changed = []
    for folder in path.parents:
        status = folder.stat()
        if status.st_mode & stat.S_IXOTH or (status.st_uid == uid and status.st_mode & stat.S_IXUSR):
            continue
        try:
            if _allow(folder, uid, status.st_mode):
                changed.append(folder)
        except OSError as error:
            if error.errno not in (errno.EOPNOTSUPP, errno.ENOSYS):
                raise
            raise StackError(
                f"PostgreSQL's user {NAME} may not traverse {folder}, and its file system has no access control lists:"
                " run this as an ordinary user, move what is below, or allow it yourself (chmod o+x)."
            ) from error
    return changed


def _allow(folder: Path, uid: int, mode: int) -> bool:
    """Add the user with `x` to the folder's access control list (acl(5)); whether that changed it."""
    try:
        acl = struct.iter_unpack("<HHI", os.getxattr(folder, _ACL)[4:])
        entries = {(tag, id_): permissions for tag, permissions, id_ in acl}
    except OSError as error:
        if error.errno != errno.ENODATA:
            raise
        entries = {(_OWNER, _NO_ID): mode >> 6 & 7, (_GROUP, _NO_ID): mode >> 3 & 7, (_OTHER, _NO_ID): mode & 7}
    mask = entries.get((_MASK, _NO_ID), entries[_GROUP, _NO_ID])
    wanted = entries | {(_USER, uid): entries.get((_USER, uid), 0) | _EXECUTE, (_MASK, _NO_ID): mask | _EXECUTE}
    if wanted == entries:
        return False
    rows = b"".join(struct.pack("<HHI", tag, bits, id_) for (tag, id_), bits in sorted(wanted.items()))
    os.setxattr(folder, _ACL, struct.pack("<I", _ACL_VERSION) + rows)
    return True


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
