"""Passwords, hashed with Argon2id (RFC 9106) at the strength that OWASP's cheat sheet names: 19 MiB, two passes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, Final

from anyio import CapacityLimiter
from nacl.exceptions import InvalidkeyError
from nacl.pwhash import argon2id

from infra.http.problems import Problem

LENGTH_MIN: Final = 12
LENGTH_MAX: Final = 256
_MEMORY_BYTES: Final = 19 << 20
_PASSES: Final = 2
_AT_ONCE_MAX: Final = 2
WAITING_MAX: Final = 32
"""A person waits about a second behind so many."""
RETRY_AFTER_S: Final = 2
_ABSENT: Final = argon2id.str(b"no account has this password", opslimit=_PASSES, memlimit=_MEMORY_BYTES).decode()
"""Verified where there is no account, so that the answer takes as long."""


def hash_password(password: str) -> str:
    """The hash to keep; it names its own parameters."""
    return argon2id.str(password.encode(), opslimit=_PASSES, memlimit=_MEMORY_BYTES).decode()


def is_password(kept: str | None, password: str) -> bool:
    """Whether a password is the one of this hash. It takes as long without one."""
    try:
        matches = argon2id.verify((kept or _ABSENT).encode(), password.encode()[: LENGTH_MAX * 4])
    except InvalidkeyError:
        return False
    return matches and kept is not None


class PasswordChecks:
    """Checks passwords in threads, a few at once: each takes 19 MiB and tens of milliseconds.

    Both methods raise `Problem` (503) where `WAITING_MAX` wait already.
    """

    def __init__(self, in_thread: Callable[..., Awaitable[Any]] = asyncio.to_thread) -> None:
        self._in_thread = in_thread
        self._slots = CapacityLimiter(_AT_ONCE_MAX)

    async def is_password(self, kept: str | None, password: str) -> bool:
        async with self._slot():
            found: bool = await self._in_thread(is_password, kept, password)
            return found

    async def hash(self, password: str) -> str:
        async with self._slot():
            found: str = await self._in_thread(hash_password, password)
            return found

    @asynccontextmanager
    async def _slot(self) -> AsyncIterator[None]:
        if self._slots.statistics().tasks_waiting >= WAITING_MAX:
            raise Problem("overloaded", retry_after_s=RETRY_AFTER_S)
        async with self._slots:
            yield
