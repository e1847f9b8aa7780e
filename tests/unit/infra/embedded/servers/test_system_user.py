"""PostgreSQL's system user reaches its files, and no other user does."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from threading import Barrier

import pytest

from infra.embedded.servers.system_user import allow_traversal, found_or_added
from infra.errors import StackError

UID, OTHER_UID = 54_321, 54_322


def closed(folder: Path) -> Path:
    """A file below two folders that only their owner may enter."""
    inner = folder / "project" / "venv"
    inner.mkdir(parents=True)
    found = inner / "program"
    found.write_text("x")
    found.chmod(0o644)
    for path in (inner, inner.parent):
        path.chmod(0o700)
    return found


def readable_to(uid: int, path: Path) -> bool:
    return subprocess.run(["cat", path], user=uid, group=uid, extra_groups=[], capture_output=True).returncode == 0


def test_the_folders_above_are_opened_to_one_user_and_not_to_others(tmp_path: Path) -> None:
    path = closed(tmp_path)
    changed = allow_traversal(path, UID)
    assert {path.parent, path.parent.parent} <= set(changed)
    assert not any(folder.stat().st_mode & stat.S_IRWXO for folder in (path.parent, path.parent.parent))
    assert allow_traversal(path, UID) == [], "again: nothing to change"
    if os.geteuid() == 0:  # only root starts a process as another user
        assert (readable_to(UID, path), readable_to(OTHER_UID, path)) == (True, False)
        assert not subprocess.run(["ls", path.parent], user=UID, capture_output=True).stdout, "traverse, not read"


def test_stacks_that_start_at_once_add_the_user_once(tmp_path: Path) -> None:
    """With a second `useradd` the user has another number than the files of the first stack."""
    numbers: list[int] = []
    looks, all_looked = count(), Barrier(3)

    def find() -> int | None:
        if next(looks) < 3:
            all_looked.wait()
        return numbers[-1] if numbers else None

    with ThreadPoolExecutor(3) as stacks:
        starts = [stacks.submit(found_or_added, find, lambda: numbers.append(len(numbers)), tmp_path) for _ in range(3)]
    assert [start.result() for start in starts] == [0] * 3
    assert len(numbers) == 1


def test_without_access_control_lists_nothing_is_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = closed(tmp_path)

    def unsupported(*_: object) -> None:
        raise OSError(errno.EOPNOTSUPP, "Operation not supported")

    monkeypatch.setattr(os, "setxattr", unsupported)
    with pytest.raises(StackError, match="no access control lists"):
        allow_traversal(path, UID)
    assert path.parent.stat().st_mode & 0o777 == 0o700
