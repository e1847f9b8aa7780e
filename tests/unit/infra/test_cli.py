"""The command line: one sentence for what a user can mend, quick help, commands found by entry point."""

from __future__ import annotations

import asyncio
import errno
import io
import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import asyncpg
import click
import pytest
from aiokafka.errors import InvalidTopicError, KafkaConnectionError, KafkaTimeoutError, NodeNotReadyError

from events.errors import Tampered, YesserError
from infra import cli
from infra.embedded.processes.signals import NAMES
from tests.every import every
from tests.paths import ROOT
from tests.world.processes import exit_of


def doing(work: Callable[..., object]) -> click.Command:
    anything = {"ignore_unknown_options": True, "allow_extra_args": True}
    return click.Command("work", context_settings=anything, callback=work)


def test_help_imports_neither_a_command_nor_a_client() -> None:
    script = (
        "import sys, infra.cli as c\ntry: c.main(['--help'])\nexcept SystemExit: pass\nprint('MODULES', *sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    help_text, _, modules = done.stdout.partition("MODULES")
    assert "status" in help_text
    assert not {"aiokafka", "asyncpg", "pydantic", "rich"} & set(modules.split())


def test_every_registered_command_has_a_summary_and_the_parts_of_the_stack_unique_names() -> None:
    registered = set(cli.cli.list_commands(click.Context(cli.cli)))
    missing = registered - set(cli.SUMMARIES)
    assert not missing, f"say in one line what {missing} do, in SUMMARIES of infra/cli.py"
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["entry-points"]
    for group, entries in declared.items():
        installed = {entry.name: entry.value for entry in entry_points(group=group)}
        assert installed == entries, f"{group} of pyproject.toml is not what is installed: run `make setup`"
    gone = set(cli.SUMMARIES) - registered
    assert not gone, f"SUMMARIES of infra/cli.py describes {gone}, which pyproject.toml does not have"
    assert len(set(NAMES)) == len(NAMES)


@every(
    ("mistyped", "answer"),
    [
        (["fly"], "No such command 'fly'"),
        (["pubish"], "Did you mean 'publish'?"),
        (["log", "finde"], "Did you mean 'find'?"),
        (["log", "find", "--typ"], "Did you mean '--type'?"),
    ],
)
def test_an_unknown_name_is_wrong_usage_and_a_mistyped_one_is_answered_with_the_one_that_was_meant(
    capsys: pytest.CaptureFixture[str], mistyped: list[str], answer: str
) -> None:
    assert exit_of(*mistyped) == 2
    assert answer in capsys.readouterr().err


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_of("--version") == 0
    assert capsys.readouterr().out.startswith("yesser, version ")


@every(
    ("error", "code", "says"),
    [
        (YesserError("Because."), 1, "yesser: Because.\n"),
        (Tampered("Changed."), 76, "yesser: Changed.\n"),
        (ConnectionRefusedError("refused"), 75, "does not answer"),
        (BrokenPipeError("somebody hung up"), 75, "does not answer (somebody hung up)"),
        (KeyError("x"), 70, "Traceback"),
        (click.UsageError("so"), 2, "so"),
        (click.exceptions.Abort(), 130, ""),
    ],
)
def test_the_command_line_ends_with_the_code_of_the_error(
    capfd: pytest.CaptureFixture[str], error: Exception, code: int, says: str
) -> None:
    assert exit_of(command=doing(Mock(side_effect=error))) == code
    written = capfd.readouterr().err
    assert says in written
    assert ("Traceback" in written) == (code == 70)


@every(
    ("command", "changes", "code", "says"),
    [
        ("wait --timeout 0.3", {"POSTGRES": "postgresql://yesser@127.0.0.1:9/x", "KAFKA": "127.0.0.1:9"}, 75, "0.3 s"),
        ("plan", {}, 75, "yesser up"),
        ("wait --timeout 1", {}, 75, "yesser up"),
        ("log size", {"LEASE_MS": "soon"}, 2, "yesser_lease_ms: input should be a valid integer"),
    ],
)
def test_where_nothing_runs_a_command_may_be_repeated_and_a_wrong_setting_is_wrong_use(
    capsys: pytest.CaptureFixture[str], command: str, changes: dict[str, str], code: int, says: str
) -> None:
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("YESSER_HOME", "/nonexistent")
        for name, value in changes.items():
            environment.setenv(f"YESSER_{name}", value)
        assert exit_of(*command.split()) == code
    written = capsys.readouterr().err.lower()
    assert says in written
    assert not [word for word in ("traceback", "pydantic", "input_value") if word in written]


def test_what_a_command_logs_is_one_line_on_standard_error_without_the_values_that_were_at_hand() -> None:
    script = """
import click, structlog
from infra import cli

class Entry:
    def load(self):
        @click.command()
        def plan():
            password = "hunter2"
            try:
                raise ValueError("no")
            except ValueError:
                structlog.get_logger().info("looked at")
                structlog.get_logger().error("a secret stays as it is", exc_info=True)
            click.echo("{}")
        return plan

cli.cli._entries = {"plan": Entry()}
cli.main(["plan"])
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "{}\n"
    line = json.loads(done.stderr)
    assert (line["event"], line["level"], line["error"]) == ("a secret stays as it is", "error", "no")
    assert "hunter2" not in done.stderr


@every(
    ("error", "service"),
    [
        (asyncpg.ConnectionDoesNotExistError("connection was closed in the middle of operation"), "PostgreSQL"),
        (asyncpg.InterfaceError("connection is closed"), "PostgreSQL"),
        (asyncpg.InternalClientError("got result for unknown protocol state 3"), "PostgreSQL"),
        (asyncpg.AdminShutdownError("terminating connection due to administrator command"), "PostgreSQL"),
        (KafkaConnectionError("Connection at 127.0.0.1:9092 closed"), "Kafka"),
        (NodeNotReadyError("Attempt to send a request to node which is not ready"), "Kafka"),
        (KafkaTimeoutError(), "Kafka"),
        (OSError("Multiple exceptions: [Errno 111] Connect call failed"), "Kafka or PostgreSQL"),
        (TimeoutError(), "Kafka or PostgreSQL"),
        (asyncio.CancelledError(), "Kafka or PostgreSQL"),
        (ExceptionGroup("of several", [ConnectionResetError("reset"), TimeoutError()]), "Kafka or PostgreSQL"),
    ],
)
def test_a_connection_that_is_lost_is_a_sentence_with_a_remedy(error: BaseException, service: str) -> None:
    sentence = cli.foreseen(error) or ""
    assert sentence.startswith(f"{service} does not answer ("), sentence
    assert "`yesser status`, `yesser up`" in sentence
    assert "\n" not in sentence


def test_a_kafka_that_no_connection_reaches_is_named_without_the_words_of_its_client() -> None:
    error = KafkaConnectionError("Unable to bootstrap from [('127.0.0.1', 9, <AddressFamily.AF_INET: 2>)]")
    sentence = cli.foreseen(error) or ""
    assert sentence.startswith("Kafka does not answer: is the stack up?")


@every(
    ("error", "remedy"),
    [
        (asyncpg.InvalidPasswordError("password authentication failed"), "YESSER_POSTGRES"),
        (asyncpg.InsufficientPrivilegeError("permission denied for table entry"), "yesser migrate"),
        (asyncpg.UndefinedTableError('relation "log.entry" does not exist'), "yesser migrate"),
        (asyncpg.UndefinedColumnError('column "folds_from" does not exist'), "yesser migrate"),
        (OSError(28, "No space left on device"), "The disk is full"),
        (asyncpg.DiskFullError("could not extend file: No space left on device"), "The disk is full"),
        (asyncpg.ReadOnlySQLTransactionError("cannot execute INSERT in a read-only transaction"), "YESSER_POSTGRES"),
        (asyncpg.LockNotAvailableError("canceling statement due to lock timeout"), "is busy"),
        (OSError(errno.EIO, "Input/output error"), "A disk cannot be read"),
    ],
)
def test_what_settings_or_disk_do_not_allow_is_told_with_its_remedy(error: BaseException, remedy: str) -> None:
    sentence = cli.foreseen(error) or ""
    assert remedy in sentence
    assert "is the stack up?" not in sentence


@every(
    "error",
    [
        KeyError("x"),
        asyncpg.DataError("invalid input for query argument $1"),
        asyncpg.UniqueViolationError("duplicate key"),
        InvalidTopicError("a b"),
        FileNotFoundError(2, "No such file or directory", "queries.sql"),
        ExceptionGroup("of several", [ConnectionResetError("reset"), KeyError("x")]),
    ],
)
def test_a_bug_stays_a_bug_beside_a_lost_connection_too(error: Exception) -> None:
    assert cli.foreseen(error) is None


@every(
    ("file", "reason"),
    [
        ("missing/a.csv", "No such file or directory"),
        ("--csv=missing/a.csv", "No such file or directory"),
        (".", "Is a directory"),
        ("plain/a.csv", "Not a directory"),
        ("loop", "Too many levels of symbolic links"),
        ("x" * 300, "File name too long"),
    ],
)
def test_a_file_that_cannot_be_written_is_wrong_use(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, file: str, reason: str
) -> None:
    (tmp_path / "plain").touch()
    (tmp_path / "loop").unlink(missing_ok=True)
    (tmp_path / "loop").symlink_to("loop")
    path = file.removeprefix("--csv=")
    with pytest.MonkeyPatch.context() as folder:
        folder.chdir(tmp_path)
        assert exit_of(file, command=doing(lambda: Path(path).write_text(""))) == 2
    remedy = "name a path that exists and that you may use"
    assert capsys.readouterr().err == f"yesser: {path} cannot be opened ({reason}): {remedy}.\n"


def test_a_folder_above_and_an_unfinished_file_belong_to_the_path_that_was_named() -> None:
    for found in ("out", "out/a.csv", "out/.a.csv.77", "out/a.csv.new", "out/a.csv/0001"):
        error = PermissionError(errno.EACCES, "Permission denied", found)
        assert cli.wrong_path(error, ["export", "out/a.csv"]), found
        assert cli.wrong_path(ExceptionGroup("of one", [error]), ["export", "out/a.csv"]), found


@every(
    ("error", "words"),
    [
        (FileNotFoundError(errno.ENOENT, "No such file or directory", "/usr/lib/queries.sql"), ["export", "out/a.csv"]),
        (FileNotFoundError(errno.ENOENT, "No such file or directory"), ["export", "out/a.csv"]),
        (OSError(errno.ENOSPC, "No space left on device", "out/a.csv"), ["export", "out/a.csv"]),
        (KeyError("out/a.csv"), ["export", "out/a.csv"]),
        *[
            (PermissionError(errno.EACCES, "Permission denied", of_ours), ["docs", "var", "consumers"])
            for of_ours in ("docs/ar/x.md", "consumers/read.sql", "var/secrets/reader/postgres")
        ],
    ],
)
def test_a_file_that_was_not_named_or_is_of_the_package_is_no_wrong_use(
    monkeypatch: pytest.MonkeyPatch, error: Exception, words: list[str]
) -> None:
    monkeypatch.chdir(Path(cli.__file__).parents[1])
    assert cli.wrong_path(error, words) is None


@every("name", ["stack.json", "supervisor.lock", "secrets/reader/postgres", "log/checkpoint"])
def test_a_file_of_another_users_stack_is_wrong_use(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("YESSER_HOME", "mine")
    file = f"mine/{name}"
    error = PermissionError(errno.EACCES, "Permission denied", file)
    sentence = f"{file} cannot be opened (Permission denied): name the stack's folder in YESSER_HOME, and run this as"
    assert (cli.wrong_home(error) or "").startswith(sentence)
    assert cli.wrong_home(ExceptionGroup("of one", [error]))
    for other in (
        PermissionError(errno.EACCES, "Permission denied", "theirs/stack.json"),
        FileNotFoundError(errno.ENOENT, "No such file or directory", file),
        PermissionError(errno.EACCES, "Permission denied"),
        KeyError(file),
    ):
        assert cli.wrong_home(other) is None


@every("command", ["status", "down", "plan"])
def test_a_home_that_is_a_file_is_wrong_use(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, command: str
) -> None:
    home = tmp_path / "home"
    home.touch()
    monkeypatch.setenv("YESSER_HOME", str(home))
    assert exit_of(command) == 2
    written = capsys.readouterr().err
    assert written.startswith(f"yesser: {home}/")
    assert "(Not a directory): name the stack's folder in YESSER_HOME" in written


class _Sips(io.RawIOBase):
    """A pipe that takes ten bytes at a time."""

    taken = b""

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        part = bytes(data)[:10]  # type: ignore[call-overload]
        self.taken += part
        return len(part)


@every("document", [b"x" * 1_000, "ع" * 1_000])
def test_a_long_document_is_written_to_its_end_also_without_pythons_own_buffer(document: bytes | str) -> None:
    pipe = _Sips()
    unbuffered = io.TextIOWrapper(pipe, "utf-8", write_through=True)  # type: ignore[type-var]
    click.echo(document, cli.with_buffer(unbuffered), nl=False)
    assert pipe.taken == (document.encode() if isinstance(document, str) else document)


def ended(work: str, **how: Any) -> subprocess.CompletedProcess[str]:
    """A process whose only command does this; it has ended."""
    script = f"import click, infra.cli as c\ndef work():\n  {work}\nc.main([], click.Command('work', callback=work))"
    streams: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.run([sys.executable, "-c", script], check=False, **{**streams, **how})


def test_arabic_is_no_bug_where_the_encoding_has_none() -> None:
    done = ended("click.echo('سليم: all is well')", env={**os.environ, "PYTHONIOENCODING": "latin-1"})
    word = "سليم".encode("ascii", "backslashreplace").decode()
    assert (done.returncode, done.stdout) == (0, f"{word}: all is well\n"), done.stderr


def test_a_reader_that_has_had_enough_is_no_error() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = ended("raise BrokenPipeError('somebody hung up')", stdout=writer)
    os.close(writer)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_service_that_is_away_is_told_in_one_line() -> None:
    settings = "Settings(kafka='127.0.0.1:1', kafka_security='PLAINTEXT')"
    imports = "import asyncio; from infra.kafka.admin import admin_client; from infra.settings import Settings"
    (line,) = ended(f"{imports}; asyncio.run(admin_client({settings}).__aenter__())").stderr.splitlines()
    assert line.startswith("yesser: Kafka does not answer")


def test_what_a_command_writes_is_for_its_owner_alone(tmp_path: Path) -> None:
    made = tmp_path / "schema.json"
    assert exit_of(command=doing(lambda: made.touch())) == 0
    assert made.stat().st_mode & 0o777 == 0o600
