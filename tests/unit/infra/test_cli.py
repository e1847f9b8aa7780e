"""The command line: one sentence for what a user can mend, quick help, commands found by entry point."""

from __future__ import annotations

import io
import os
import subprocess
import sys

import click
import pytest

from events.errors import YesserError
from infra import cli
from infra.embedded.processes import NAMES
from infra.settings import Settings


def _yesser(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "infra.cli", *arguments], capture_output=True, text=True, check=False)


def test_help_imports_neither_a_command_nor_a_client() -> None:
    script = (
        "import sys, infra.cli as c\ntry: c.main(['--help'])\nexcept SystemExit: pass\nprint('MODULES', *sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    help_text, _, modules = done.stdout.partition("MODULES")
    assert "status" in help_text
    assert not {"aiokafka", "asyncpg", "pydantic", "rich"} & set(modules.split())


def test_every_registered_command_has_a_summary() -> None:
    names = {entry.name for entry in cli._entries()}
    assert names <= set(cli.SUMMARIES)


def test_an_unknown_command_is_wrong_usage() -> None:
    done = _yesser("fly")
    assert done.returncode == 2
    assert "No such command 'fly'" in done.stderr


def test_the_version_is_told() -> None:
    assert _yesser("--version").stdout.startswith("yesser, version ")


def test_what_a_user_can_mend_is_its_own_sentence() -> None:
    assert cli.foreseen(YesserError("Do this.")) == "Do this."


def test_services_that_do_not_answer_are_named_with_the_way_to_start_them() -> None:
    assert "yesser up" in (cli.foreseen(ConnectionRefusedError("refused")) or "")


def test_a_wrong_setting_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("YESSER_LEASE_MS", "soon")
    with pytest.raises(ValueError) as caught:
        Settings()
    assert "lease_ms" in (cli.foreseen(caught.value) or "").lower()


def test_a_bug_is_no_sentence() -> None:
    assert cli.foreseen(KeyError("x")) is None


def test_the_parts_of_the_stack_have_unique_names() -> None:
    assert len(set(NAMES)) == len(NAMES)


class _Sips(io.RawIOBase):
    """A pipe that takes ten bytes at a time."""

    def __init__(self) -> None:
        self.taken = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        part = bytes(data)[:10]  # type: ignore[call-overload]
        self.taken += part
        return len(part)


@pytest.mark.parametrize("document", [b"x" * 1_000, "ع" * 1_000], ids=["bytes", "text"])
def test_a_long_document_is_written_to_its_end_also_without_pythons_own_buffer(document: bytes | str) -> None:
    pipe = _Sips()
    unbuffered = io.TextIOWrapper(pipe, "utf-8", write_through=True)  # type: ignore[type-var]
    click.echo(document, cli.with_buffer(unbuffered), nl=False)
    assert bytes(pipe.taken) == (document.encode() if isinstance(document, str) else document)


BROKEN = """
import infra.cli as c
def broken(**_):
    raise BrokenPipeError("somebody hung up")
c.cli.main = broken
c.main([])
"""


def test_a_reader_that_has_had_enough_is_no_error() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run([sys.executable, "-c", BROKEN], stdout=writer, stderr=subprocess.PIPE, check=False)
    os.close(writer)
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_service_that_hangs_up_is_an_error_with_its_sentence() -> None:
    done = subprocess.run([sys.executable, "-c", BROKEN], capture_output=True, text=True, check=False)
    assert done.returncode == 75
    assert "does not answer (somebody hung up)" in done.stderr
