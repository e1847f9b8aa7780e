"""Commands that a request runs in a process of their own: seconds of processor time and the memory of a whole statement
would delay the gateway's other requests. They run at a low priority, few at once, and never all of them for one holder.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Final

import psutil
import structlog

from events.faults.problems import Bilingual
from infra.command_line.exit_codes import ExitCode
from infra.http.problems import Problem
from infra.http.quotas import Quota
from infra.process.subprocess_command import subprocess_command, subprocess_environment
from infra.settings import Settings

AT_ONCE_MAX: Final = 2
BUSY_RETRY_S: Final = 5
CHANGED_ENTRY: Final = "changed-entry"
"""The code of the error in a problem: an entry that the answer follows from was changed after it was registered."""
_INDEX: Final = re.compile(r"entry ([0-9]+) of the log was changed")
_NICENESS: Final = 10
_AWAY_EXITS: Final = (ExitCode.ANSWER_IS_NO, ExitCode.TRY_AGAIN)
"""Exit codes of errors that an operator can solve, such as a database that does not answer."""

_logger = structlog.get_logger(__name__)


class Slots:
    """The commands of one kind that run now."""

    def __init__(self) -> None:
        self._holders = Quota(AT_ONCE_MAX - 1, retry_after_s=BUSY_RETRY_S)
        self._used = 0

    @contextmanager
    def using(self, holder: str) -> Iterator[None]:
        """One slot while the block runs. Raises `Problem`: 503 if all are in use, 429 if `holder` has its share."""
        if self._used >= AT_ONCE_MAX:
            raise Problem("overloaded", retry_after_s=BUSY_RETRY_S)
        with self._holders.using(holder):
            self._used += 1
            try:
                yield
            finally:
                self._used -= 1


@dataclass(frozen=True, slots=True)
class Finished:
    """A command that ended by itself."""

    command: tuple[str, ...]
    exit_code: int
    output: bytes
    errors: str

    def problem(self) -> Problem:
        """The answer (503, 500) to a request whose command failed. It is logged."""
        _logger.error("a command failed", command=" ".join(self.command), reason=self.errors[-500:])
        if self.exit_code == ExitCode.TAMPERED:
            found = _INDEX.search(self.errors)
            return changed_entry(_changed(found[1] if found else None), int(found[1]) if found else None)
        return Problem("database-away" if self.exit_code in _AWAY_EXITS else "gateway-fault", retry_after_s=1)


def _changed(index: str | None) -> Bilingual:
    """What a caller gets: a command's own words are for its operator, and in the log."""
    if index is None:
        return Bilingual(
            "ما هو مخزَّن يخالف السجل. يُشتبه في عبث، وفي دليل التشغيل ما يلزم.",
            "What is stored differs from the log: suspect tampering, and see the runbook.",
        )
    return Bilingual(
        f"تغيّر القيد {index} بعد تسجيله. يُشتبه في عبث، وفي دليل التشغيل ما يلزم.",
        f"Entry {index} of the log was changed after it was registered: suspect tampering, and see the runbook.",
    )


def changed_entry(reason: str | Bilingual, index: int | None) -> Problem:
    """The answer (500) to a request whose answer would follow from entries that are not what was registered."""
    row = {"code": CHANGED_ENTRY, "detail": reason, **({} if index is None else {"id": str(index)})}
    return Problem("gateway-fault", errors=[row])


async def output_of(settings: Settings, *command: str, answers_no: bool = False) -> bytes:
    """What a `yesser` command prints. `answers_no`: also if its exit code says that the answer is no.

    Raises `Problem` (503, 500).
    """
    done = await finished(settings, *command)
    is_no = answers_no and bool(done.output) and done.exit_code == ExitCode.ANSWER_IS_NO
    if done.exit_code != ExitCode.OK and not is_no:
        raise done.problem()
    return done.output


async def finished(settings: Settings, *command: str) -> Finished:
    """Run a `yesser` command to its end. Raises `Problem` (503) where it takes too long."""
    child = await asyncio.create_subprocess_exec(
        *subprocess_command(*command),
        env=subprocess_environment(settings),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        with suppress(psutil.Error):
            psutil.Process(child.pid).nice(_NICENESS)
        async with asyncio.timeout(settings.gateway_as_of_timeout_s):
            output, errors = await child.communicate()
    except TimeoutError:
        raise Problem("overloaded", retry_after_s=BUSY_RETRY_S) from None
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    assert child.returncode is not None
    return Finished(command, child.returncode, output, errors.decode(errors="replace"))
