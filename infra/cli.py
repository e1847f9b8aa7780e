"""The `yesser` command: finds its sub-commands by entry point and imports one only when it is called.

Each room registers its own commands in `pyproject.toml` (group `yesser.commands`). The exit codes are in
`infra/command_line/exit_codes.py`.
"""

from __future__ import annotations

import errno
import io
import logging
import os
import select
import sys
import traceback
from importlib.metadata import EntryPoint, entry_points, version
from typing import Final, TextIO

import click

from events.errors import YesserError
from infra.command_line.exit_codes import ExitCode, class_names, exit_code
from infra.command_line.language import language_option, with_language

GROUP: Final = "yesser.commands"

# What `yesser --help` says of each command: importing all of them for their own words would take a second.
SUMMARIES: Final = {
    "activity": "What each agency sent: accepted and refused.",
    "agencies": "Register, list, rotate, suspend and resume agencies.",
    "anomalies": "What was accepted and does not fit what is known.",
    "audit": "Mirror the log as static files; print its verifier key.",
    "campaigns": "The awareness campaigns and their state.",
    "commit": "Publish the hash of every read model now.",
    "demo": "Tell the programme's real story from end to end.",
    "docs": "The documentation as files that need no server.",
    "down": "Stop the stack; its data stays.",
    "kafka": "Run one of Kafka's own tools.",
    "ledger": "Partnerships, balances, statements and transfers.",
    "lint": "What the registrar would say of a file; needs no service.",
    "log": "The national log: its size, its entries, finding them.",
    "logs": "What the parts of the stack say.",
    "migrate": "Bring the database to this version's form.",
    "outbox": "Send events from a table in an agency's own database.",
    "plan": "The five-year plan at a glance.",
    "prepare": "Make tables, topics and rights on given services.",
    "projects": "The projects, their phases, and what happened to each.",
    "publish": "Send a file of events, or a table, as an agency.",
    "rebuild": "Build the read models again, compare, swap.",
    "recover": "Bring the log back after the database lost its tail.",
    "registrar": "Let the registrar go on where it waits for a person.",
    "refusals": "What was refused, why, and what corrected it.",
    "run": "Run one of the platform's processes.",
    "sandbox": "A stack of its own to try everything on.",
    "schema": "Whether a schema change is compatible, in words.",
    "services": "The service directory, and what happened to each.",
    "status": "What runs, and whether it is ready.",
    "tokens": "Make, list and revoke the gateway's bearer tokens.",
    "up": "Start Kafka, PostgreSQL and the platform's processes.",
    "wait": "Wait until everything published has been applied.",
}


class LazyGroup(click.Group):
    """A group whose commands are entry points: listing them imports nothing."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({entry.name for entry in _entries()})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        entry = next((entry for entry in _entries() if entry.name == cmd_name), None)
        if entry is None:
            return None
        return with_language(entry.load())

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """A mistyped name is answered with those that resemble it."""
        try:
            return super().resolve_command(ctx, args)
        except click.NoSuchCommand as error:
            names = self.list_commands(ctx)
            raise click.NoSuchCommand(error.command_name, possibilities=names, ctx=ctx) from None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, SUMMARIES.get(name, "")) for name in self.list_commands(ctx)])


def _entries() -> list[EntryPoint]:
    return list(entry_points(group=GROUP))


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@language_option(envvar="YESSER_LANG", default="both", show_default=True, show_envvar=True)
@click.version_option(version("yesser-events"), prog_name="yesser")
def cli() -> None:
    """Yesser Events: one signed national log of what agencies say, and what follows from it.

    Settings come from the environment (YESSER_…). `COMMAND --help` tells more; every command has --json.
    """


def main(arguments: list[str] | None = None) -> None:
    """Run the command line. A foreseen error is one sentence on stderr; anything else is a bug's traceback."""
    sys.stdout, sys.stderr = with_buffer(sys.stdout), with_buffer(sys.stderr)
    # Its words on a lost connection are for logs; a command that keeps none says the same in its own sentence.
    logging.getLogger("aiokafka").addHandler(logging.NullHandler())
    try:
        code = cli.main(args=arguments, prog_name="yesser", standalone_mode=False)
    except click.exceptions.Abort:
        sys.exit(ExitCode.INTERRUPTED)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except BaseException as error:
        if isinstance(error, BrokenPipeError) and _nobody_reads():
            # The reader (`| head`) has had enough. Nothing more may be written, not even at the interpreter's end.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(0)
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
    """`stream`, with a buffer before it if it has none (`PYTHONUNBUFFERED`, `python -u`).

    Without one, Python drops what a pipe does not take in the first go: a long document would end in the middle.
    """
    raw = getattr(stream, "buffer", None)
    if not isinstance(raw, io.RawIOBase):
        return stream
    return io.TextIOWrapper(io.BufferedWriter(raw), stream.encoding, stream.errors, line_buffering=True)


def _nobody_reads() -> bool:
    """Whether the reader of standard output has gone; a broken pipe may as well be a service's connection."""
    watched = select.poll()
    watched.register(sys.stdout.fileno(), 0)
    return bool(watched.poll(0))


def foreseen(error: BaseException) -> str | None:
    """The sentence for an error that a user can do something about, or None for a bug."""
    kinds = set(class_names(error))
    if isinstance(error, BaseExceptionGroup):  # of tasks that ran together
        sentences = [foreseen(part) for part in error.exceptions]
        return None if None in sentences else sentences[0]
    if isinstance(error, YesserError):
        return str(error)
    if "pydantic_core.ValidationError" in kinds and getattr(error, "title", "") == "Settings":
        return "A setting is wrong: " + " ".join(str(error).split("\n", 1)[1].split())
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"The disk is full ({_told(error)}): free some space, then run the same command again."
    for kind, sentence in REFUSED.items():
        if kind in kinds:
            return f"{sentence} ({_told(error)})."
    if service := _lost(error):
        while error.__context__ is not None and _lost(error.__context__):
            error = error.__context__  # the first of several says what happened, the later ones what could not be done
        return (
            f"{service} does not answer ({_told(error)}): is the stack up? See `yesser status`, `yesser up`; "
            "then run the same command again."
        )
    return None


REFUSED: Final = {
    "asyncpg.InvalidAuthorizationSpecificationError": "PostgreSQL refuses this user or password: see YESSER_POSTGRES",
    "asyncpg.InvalidCatalogNameError": "PostgreSQL has no such database: see YESSER_POSTGRES",
    "asyncpg.UndefinedTableError": "The database is not prepared for this version: run `yesser migrate`",
    "aiokafka.AuthenticationFailedError": "Kafka refuses this user or password: see YESSER_KAFKA_USER",
    "aiokafka.SaslAuthenticationFailed": "Kafka refuses this user or password: see YESSER_KAFKA_USER",
}
"""What a service answers where the settings are wrong, and what to do."""
KAFKA_AWAY: Final = frozenset({"aiokafka.KafkaTimeoutError", "aiokafka.KafkaUnavailableError"})
"""Errors of a lost connection that its client does not mark as such."""


def _lost(error: BaseException) -> str | None:
    """The service to which the connection was lost or could not be made; None for any other error.

    A cancellation that arrives here was asked for by nobody: Kafka's client lets its own out when a connection breaks.
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


def _told(error: BaseException) -> str:
    """The error's own words, on one line."""
    return str(error).partition("\n")[0].rstrip(".") or type(error).__name__


if __name__ == "__main__":
    main()
