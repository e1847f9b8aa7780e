"""The exit codes of every `yesser` command, by error class.

The table holds names, so that `yesser --help` imports no client and no package. An error takes the code of the most
specific of its classes that is listed. 78 is also how a consumer ends whose rows are of a newer release
(`consumers.replay.pipeline`): started again, it ends the same way and changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from typing import Final


class ExitCode(IntEnum):
    """How a command ended. Most numbers are those of BSD's sysexits."""

    OK = 0
    ANSWER_IS_NO = 1
    WRONG_USE = 2
    BUG = 70
    TRY_AGAIN = 75
    TAMPERED = 76
    NOT_INSTALLED = 78
    INTERRUPTED = 130


MEANINGS: Final[Mapping[ExitCode, str]] = {
    ExitCode.OK: "Done, or the answer is yes.",
    ExitCode.ANSWER_IS_NO: "The answer is no: something was refused, differs, does not exist or is not ready. "
    "The same command gives the same answer until something changes.",
    ExitCode.WRONG_USE: "Wrong use: a command, an option, a file's format or a setting. Nothing was done.",
    ExitCode.BUG: "A bug, with a traceback on stderr. Please report it.",
    ExitCode.TRY_AGAIN: "The outcome is unknown, or a service does not answer, or the time ran out. "
    "Run the same command again; it is safe to repeat.",
    ExitCode.TAMPERED: "Tampering found: the log, or a copy of it, is not what was signed. "
    "Keep everything as it is and follow the runbook.",
    ExitCode.NOT_INSTALLED: "The command needs a package that is not installed; the message says what to install. "
    "A consumer's process: a newer release wrote its rows; start that release.",
    ExitCode.INTERRUPTED: "Interrupted with ctrl-C.",
}

CODES: Final[Mapping[str, ExitCode]] = {
    "events.YesserError": ExitCode.ANSWER_IS_NO,
    "events.Retry": ExitCode.TRY_AGAIN,
    "events.Tampered": ExitCode.TAMPERED,
    "builtins.ModuleNotFoundError": ExitCode.NOT_INSTALLED,
    "consumers.ExportExists": ExitCode.WRONG_USE,
    "infra.InvalidNote": ExitCode.TAMPERED,
    "infra.NoDatabase": ExitCode.TRY_AGAIN,
    "infra.NoKafka": ExitCode.TRY_AGAIN,
    "infra.NoVerifier": ExitCode.WRONG_USE,
    "infra.NotASandbox": ExitCode.WRONG_USE,
    "infra.NotAnAddress": ExitCode.WRONG_USE,
    "pydantic_core.ValidationError": ExitCode.WRONG_USE,
}
"""Package and class → code. Errors of services (Kafka, PostgreSQL, sockets) are not listed: they are transient."""


def class_names(error: BaseException) -> list[str]:
    """`package.Class` of the error's class and its bases, the most specific first."""
    return [f"{kind.__module__.partition('.')[0]}.{kind.__name__}" for kind in type(error).__mro__]


def exit_code(error: BaseException) -> ExitCode:
    """The code of an error that a user can solve (`infra.cli.foreseen`)."""
    if isinstance(error, BaseExceptionGroup):  # of tasks that ran together
        return exit_code(error.exceptions[0])
    return next((CODES[name] for name in class_names(error) if name in CODES), ExitCode.TRY_AGAIN)
