"""Random passwords, one file each, readable by its owner only, never on a command line.

Each principal has a folder (0700) for its own: a process reads no other.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import get_ident
from typing import BinaryIO, Final

ENDPOINT_KEY: Final = "endpoint-key"
"""The delivery process's key, for which the secrets of webhooks are sealed."""
CONSOLE_KEY: Final = ("key", "console-tokens")
"""Signs what the console sends to the gateway for the people who use it. File and folder; both processes have them."""
ACCOUNTS_KEY: Final = ("key", "accounts")
"""Seals accounts and sessions of the console. File and folder; the console and `yesser accounts` have them."""
TEAMS_KEY: Final = ("key", "teams")
"""Seals what teams manage. File and folder; the gateway, the delivery process and `yesser teams` have them."""
OIDC_KEY: Final = "oidc-secret"
"""What the console shows its identity provider, where that wants a secret of it."""


def password(folder: Path, name: str) -> str:
    """The stored password of `name`, created at its first use. It is URL-safe."""
    path = folder / name
    try:
        return path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        pass
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    made = secrets.token_urlsafe(32)
    write_private(path, made)
    return made


def next_file(path: Path) -> Path:
    """Where the password or key that will replace the one in `path` is prepared."""
    return path.with_name(f"{path.name}.next")


def next_password(path: Path) -> str:
    """The password that will replace the one in `path`: that of an interrupted rotation, else a new one."""
    successor = password(path.parent, next_file(path).name)
    sync_folder(path.parent)
    return successor


def use_next_password(path: Path) -> None:
    """Replace the password in `path` by the next one, which its server has."""
    next_file(path).replace(path)
    sync_folder(path.parent)


def write_private(path: Path, text: str) -> None:
    """Write a file atomically, readable by its owner only. A file with this text is left unchanged, so a full disk does
    not matter."""
    if path.is_file() and not path.stat().st_mode & 0o077 and path.read_text(encoding="utf-8") == text:
        return
    with private_file(path) as file:
        file.write(text.encode())


@contextmanager
def private_file(path: Path, mode: int = 0o600) -> Iterator[BinaryIO]:
    """A file to write, readable by its owner only unless `mode` says otherwise, that replaces `path` at the end of the
    block, or not at all."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.{get_ident()}")  # threads of a process write too
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise


def sync_folder(folder: Path) -> None:
    """Sync the names of a folder's files: without this, a machine that loses power may forget that of a new file."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
