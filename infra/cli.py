"""The `yesser` command. Sub-commands are entry points, each imported only when it is called.

Each package registers its commands in `pyproject.toml` (group `yesser.commands`). The exit codes are in
`infra/command_line/exit_codes.py`.
"""

from __future__ import annotations

import errno
import gc
import io
import logging
import os
import select
import sys
import traceback
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final, TextIO

import click

from events.errors import YesserError
from infra.command_line.entry_point_group import EntryPointGroup
from infra.command_line.exit_codes import ExitCode, class_names, exit_code
from infra.command_line.language import language_option
from infra.extras import PLATFORM, has_platform, needs, remedy

GROUP: Final = "yesser.commands"

WITHOUT_PLATFORM: Final = frozenset(
    {
        "activity",
        "anomalies",
        "audit",
        "campaigns",
        "canary",
        "keys",
        "ledger",
        "lint",
        "log",
        "map",
        "plan",
        "projects",
    }
    | {"publish", "refusals", "schema", "services", "witness"}
)
"""The commands of an install without the extra `platform`: of `ledger` and `publish` a part, of others what a gateway
serves. The help names the others apart."""

# The help line of each command: to import all commands for theirs would take a second.
SUMMARIES: Final = {
    "accounts": "Decide who may sign in to the console.",
    "activity": "What each agency sent: accepted and refused.",
    "agencies": "Register, list, rotate, suspend and resume agencies.",
    "anomalies": "Accepted events that contradict what is known.",
    "audit": "Check, mirror, verify, explain and export a log from outside.",
    "backup": "Back up the database, list backups and check them.",
    "campaigns": "The awareness campaigns and their state.",
    "canary": "Measure how long an event takes from a gateway to the figures.",
    "commit": "Publish the hash of every read model now.",
    "decisions": "Decisions on recovered entries that wait for a person.",
    "demo": "Publish the programme's sample history and verify it.",
    "docs": "Write the documentation as static files.",
    "down": "Stop the stack; its data stays.",
    "erase": "Delete a record that must not be kept from an agency's topic.",
    "expectations": "Which events an agency expects of its own systems.",
    "find-person": "Find where a person is named in what agencies wrote.",
    "kafka": "Run one of Kafka's own tools.",
    "keys": "The platform's own keys: list, rotate, export, import.",
    "ledger": "Partnerships, balances, statements and transfers.",
    "lint": "Validate a file as the registrar does; needs no service.",
    "log": "The national log: its size, its entries, finding them.",
    "logs": "The logs of the stack's parts.",
    "map": "Make a mapping for a table from its header.",
    "migrate": "Migrate the database to this version.",
    "outbox": "Send events from a table in an agency's own database.",
    "plan": "The five-year plan at a glance.",
    "postgres": "Run one of PostgreSQL's own tools.",
    "prepare": "Create tables, topics and rights on given services.",
    "projects": "The projects, their phases, and what happened to each.",
    "publish": "Send a file of events, or a table, as an agency.",
    "rebuild": "Rebuild, compare and swap read models.",
    "recover": "Restore log entries that the database lost.",
    "restore": "Restore the database from a backup, at a point in time.",
    "registrar": "Resume the registrar where it needs an operator.",
    "refusals": "Refused records, the reasons and the corrections.",
    "run": "Run one of the platform's processes.",
    "sandbox": "A separate stack to try everything on.",
    "schema": "Whether a schema change is compatible, and why.",
    "services": "The service directory, and what happened to each.",
    "status": "What runs, and whether it is ready.",
    "subscriptions": "What each team gets of campaigns and notices, and how.",
    "teams": "The agencies' teams that get campaign triggers.",
    "tokens": "Create, list, seal and revoke the gateway's bearer tokens.",
    "topics": "List and describe topics; delete one that is made again.",
    "trail": "Who did what: the actions of operators and accounts.",
    "up": "Start Kafka, PostgreSQL and the platform's processes.",
    "wait": "Wait until everything published is applied.",
    "webhooks": "The webhooks of teams, their secrets, attempts and examples.",
    "withheld": "Withhold a free text of an entry, list and check what is withheld.",
    "witness": "Cosign the log's checkpoints, as another organisation.",
}


COLLECT_EVERY: Final = (50_000, 20, 50)
"""Commands make thousands of small objects that are freed together: Python's thresholds would collect in vain."""


class LazyGroup(EntryPointGroup):
    """A group whose commands are entry points: listing them, with their summaries, imports nothing."""

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        command = super().get_command(ctx, cmd_name)
        if command is None:
            return None
        if has_platform():
            from infra.observability.logs import configure_command_logs  # the small install has no structlog

            configure_command_logs()
        if not gc.isenabled():
            gc.freeze()
            gc.set_threshold(*COLLECT_EVERY)
            gc.enable()
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Suggest similar names for a mistyped one."""
        try:
            return super().resolve_command(ctx, args)
        except click.NoSuchCommand as error:
            names = self.list_commands(ctx)
            raise click.NoSuchCommand(error.command_name, possibilities=names, ctx=ctx) from None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        names = self.list_commands(ctx)
        listed = names if has_platform() else [name for name in names if name in WITHOUT_PLATFORM]
        with formatter.section("Commands"):
            formatter.write_dl([(name, SUMMARIES.get(name, "")) for name in listed])
        if others := [name for name in names if name not in listed]:
            with formatter.section(needs(PLATFORM)):
                formatter.write_text(", ".join(others))


@click.group(cls=LazyGroup, entry_points=GROUP, context_settings={"help_option_names": ["-h", "--help"]})
@language_option(envvar="YESSER_LANG", default="both", show_default=True, show_envvar=True)
@click.version_option(version("yesser-events"), prog_name="yesser")
def cli() -> None:
    """Yesser Events: one signed national log of agencies' events, and what is computed from it.

    Settings are environment variables (YESSER_…). See `COMMAND --help`; every command that answers has --json.
    """


def main(arguments: list[str] | None = None, command: click.Command = cli) -> None:
    """Run the command line. A foreseen error is one sentence on stderr; any other is a bug, with its traceback."""
    os.umask(0o077)  # whatever is written here is for its owner alone
    gc.disable()  # until the command is imported: imports make no garbage, and collections take a quarter of their time
    sys.stdout, sys.stderr = encoding_all(with_buffer(sys.stdout)), with_buffer(sys.stderr)
    # Kafka's client logs a lost connection; the command's own sentence reports the same.
    logging.getLogger("aiokafka").addHandler(logging.NullHandler())
    try:
        code = command.main(args=arguments, prog_name="yesser", standalone_mode=False)
    except click.exceptions.Abort:
        sys.exit(ExitCode.INTERRUPTED)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except BaseException as error:
        if isinstance(error, BrokenPipeError) and _reader_is_gone():
            # The reader (`| head`) has closed the pipe. Nothing may be written any more, not even at exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(0)
        named = sys.argv[1:] if arguments is None else arguments
        if (wrong_use := wrong_path(error, named) or wrong_home(error)) is not None:
            click.echo(f"yesser: {wrong_use}", err=True)
            sys.exit(ExitCode.WRONG_USE)
        sentence = foreseen(error)
        if sentence is None:
            if not isinstance(error, Exception):
                raise
            traceback.print_exc()
            sys.exit(ExitCode.BUG)
        click.echo(f"yesser: {sentence}", err=True)
        sys.exit(exit_code(error))
    sys.exit(code if isinstance(code, int) else 0)


def with_buffer(stream: TextIO) -> TextIO:
    """`stream`, with a buffer if it has none (`PYTHONUNBUFFERED`, `python -u`).

    Without one, Python drops what a pipe does not accept in one write, which truncates a long document.
    """
    raw = getattr(stream, "buffer", None)
    if not isinstance(raw, io.RawIOBase):
        return stream
    return io.TextIOWrapper(io.BufferedWriter(raw), stream.encoding, stream.errors, line_buffering=True)


def encoding_all(stream: TextIO) -> TextIO:
    """`stream`, which writes an escape for what its encoding lacks, as standard error does: some have no Arabic."""
    if isinstance(stream, io.TextIOWrapper) and stream.errors == "strict":
        stream.reconfigure(errors="backslashreplace")
    return stream


def _reader_is_gone() -> bool:
    """Whether the reader of standard output is gone. A broken pipe may also be a service's connection."""
    watched = select.poll()
    watched.register(sys.stdout.fileno(), 0)
    return bool(watched.poll(0))


def wrong_path(error: BaseException, arguments: Sequence[str]) -> str | None:
    """What is wrong with a path on the command line that cannot be opened; None for any other error.

    A file that the user did not name, such as one of this package, is missing by a bug or by another's doing.
    """
    if (refused := _refused_path(error)) is None:
        return None
    path_of_error = Path(refused.filename).absolute()
    if "secrets" in path_of_error.parts or any(path_of_error.is_relative_to(folder) for folder in _OWN_FOLDERS):
        return None
    named = [Path(part).absolute() for argument in arguments for part in (argument, argument.partition("=")[2]) if part]
    if not any(_belongs_to(path_of_error, path) for path in named):
        return None
    return f"{refused.filename} cannot be opened ({refused.strerror}): name a path that exists and that you may use."


def wrong_home(error: BaseException) -> str | None:
    """What is wrong with the stack's folder where a file of it cannot be opened; None for any other error."""
    if (refused := _refused_path(error)) is None or refused.errno in _NO_SUCH_PATH:
        return None
    from infra.settings import Settings  # here: `yesser --help` needs none

    try:
        settings = Settings()
    except ValueError:
        return None
    path_of_error = Path(refused.filename).resolve()
    folders = (settings.home, settings.secrets_folder)
    if not any(path_of_error.is_relative_to(folder.expanduser().resolve()) for folder in folders):
        return None
    return (
        f"{refused.filename} cannot be opened ({refused.strerror}): name the stack's folder in YESSER_HOME, and run"
        " this as the stack's user."
    )


def _refused_path(error: BaseException) -> OSError | None:
    """The error, also as the only one of a group, if it is that of a path which cannot be opened."""
    if isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        return _refused_path(error.exceptions[0])
    if isinstance(error, OSError) and error.errno in _WRONG_PATH and isinstance(error.filename, str):
        return error
    return None


def _belongs_to(found: Path, named: Path) -> bool:
    """Whether it is the path that was named, a folder above it, a file below it, or its unfinished copy beside it."""
    is_copy = found.parent == named.parent and found.name.removeprefix(".").startswith(f"{named.name}.")
    return is_copy or named.is_relative_to(found) or found.is_relative_to(named)


def foreseen(error: BaseException) -> str | None:
    """The message of an error that a user can solve; None for a bug."""
    kinds = set(class_names(error))
    if isinstance(error, BaseExceptionGroup):  # of tasks that ran together
        sentences = [foreseen(part) for part in error.exceptions]
        return None if None in sentences else sentences[0]
    if isinstance(error, YesserError):
        return str(error)
    if isinstance(error, ImportError):
        return remedy(error)
    if "pydantic_core.ValidationError" in kinds and getattr(error, "title", "") == "Settings":
        faults: Any = error  # of pydantic, which is not imported for this
        return "A setting is wrong: " + "; ".join(_setting_fault(one) for one in faults.errors()) + "."
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"The disk is full ({_error_text(error)}): free some space, then run the same command again."
    if isinstance(error, OSError) and error.errno == errno.EIO:
        return f"A disk cannot be read or written ({_error_text(error)}): copy what it holds to another disk."
    for kind, sentence in REFUSED.items():
        if kind in kinds:
            # Here Kafka's client has no more to say than its own names for it.
            return f"{sentence}." if kind.startswith("aiokafka.") else f"{sentence} ({_error_text(error)})."
    if service := _lost_service(error):
        while error.__context__ is not None and _lost_service(error.__context__):
            error = error.__context__  # the first error of a chain is the cause
        if "Unable to bootstrap" in str(error):  # what each broker answered is in the client's log alone
            return f"Kafka does not answer: {_IS_IT_UP}"
        return f"{service} does not answer ({_error_text(error)}): {_IS_IT_UP}"
    return None


_IS_IT_UP: Final = "is the stack up? See `yesser status`, `yesser up`; then run the same command again."
_OWN_FOLDERS: Final = [
    Path(__file__).parents[1] / name for name in ("events", "infra", "producers", "consumers", "docs")
]
_NO_SUCH_PATH: Final = frozenset({errno.ENOENT, errno.ENAMETOOLONG})
_WRONG_PATH: Final = _NO_SUCH_PATH | {
    *(errno.EACCES, errno.EPERM, errno.ENOTDIR, errno.EISDIR, errno.EROFS, errno.ELOOP)
}
REFUSED: Final = {
    "infra.RestoredCopy": (
        "The database was restarted or restored, and no text of an event is read before the registrar has compared it"
        " with the log. If `yesser status` shows that the registrar is halted, run `yesser recover`; then run the same"
        " command again"
    ),
    "asyncpg.DiskFullError": "The disk is full at PostgreSQL: free some space, then run the same command again",
    "asyncpg.LockNotAvailableError": "PostgreSQL is busy with other work: run the same command again",
    "asyncpg.ReadOnlySQLTransactionError": (
        "PostgreSQL takes no writes, as a standby that is not promoted: see YESSER_POSTGRES"
    ),
    "asyncpg.InvalidAuthorizationSpecificationError": "PostgreSQL refuses this user or password: see YESSER_POSTGRES",
    "asyncpg.InvalidCatalogNameError": "PostgreSQL has no such database: see YESSER_POSTGRES",
    "asyncpg.InsufficientPrivilegeError": (
        "PostgreSQL does not give this role the right: run `yesser migrate`, which grants all rights again"
    ),
    "asyncpg.UndefinedTableError": "The database is not prepared for this version: run `yesser migrate`",
    "asyncpg.UndefinedColumnError": "The database is not prepared for this version: run `yesser migrate`. While a"
    " consumer rebuilds its rows (`yesser status`), wait until that ends",
    **dict.fromkeys(
        ("aiokafka.ClusterAuthorizationFailedError", "aiokafka.TopicAuthorizationFailedError"),
        "Kafka does not give this user the right: unset YESSER_KAFKA_USER to act as the operator",
    ),
    **dict.fromkeys(
        ("aiokafka.AuthenticationFailedError", "aiokafka.SaslAuthenticationFailed"),
        "Kafka refuses this user or password: see YESSER_KAFKA_USER and YESSER_KAFKA_PASSWORD",
    ),
}
"""Errors that PostgreSQL and Kafka answer with → what to do."""
KAFKA_AWAY: Final = frozenset({"aiokafka.KafkaTimeoutError", "aiokafka.KafkaUnavailableError"})
"""Connection errors that the client does not classify as such."""


def _lost_service(error: BaseException) -> str | None:
    """The service whose connection failed; None for any other error.

    A cancellation here comes from Kafka's client, which cancels itself when a connection breaks.
    """
    kinds = set(class_names(error))
    if "aiokafka.KafkaError" in kinds:
        return "Kafka" if getattr(error, "retriable", False) or kinds & KAFKA_AWAY else None
    if any(kind.startswith("asyncpg.") for kind in kinds):
        from infra.postgres.connection import is_transient

        return "PostgreSQL" if is_transient(error) else None
    if isinstance(error, OSError):
        return None if error.filename is not None else "Kafka or PostgreSQL"
    return "Kafka or PostgreSQL" if "asyncio.CancelledError" in kinds else None


def _setting_fault(fault: Mapping[str, Any]) -> str:
    """`YESSER_GATEWAY_PORT: Input should be a valid integer`; never the value, which may be a password."""
    return f"YESSER_{'_'.join(map(str, fault['loc'])).upper()}: {str(fault['msg']).rstrip('.')}"


def _error_text(error: BaseException) -> str:
    return str(error).partition("\n")[0].rstrip(".") or type(error).__name__


if __name__ == "__main__":
    main()
