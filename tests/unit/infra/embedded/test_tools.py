"""Kafka's own tools, run from the stack's jars."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from infra.embedded.servers.jars import KAFKA_VERSION, TOOLS, lock_text, parse_lock
from infra.embedded.servers.postgres import installation
from infra.embedded.tools import POSTGRES_TOOLS, kafka, postgres, tool_command
from infra.errors import StackError


def test_a_tool_gets_its_arguments_as_they_are() -> None:
    jars = [Path("/jars/a.jar"), Path("/jars/b.jar")]
    command = tool_command(Path("/java"), jars, "org.example.Tool", ["--topic", "a b", "--help"])
    assert command[0] == "/java"
    assert command[-6:] == ["-cp", "/jars/a.jar:/jars/b.jar", "org.example.Tool", "--topic", "a b", "--help"]


def test_the_tools_are_those_of_the_broker_that_runs() -> None:
    group, artifact = TOOLS
    assert f"{group}:{artifact}:{KAFKA_VERSION}" in {jar.coordinates for jar in parse_lock(lock_text())}


@pytest.mark.parametrize("option", ["-h", "--help"])
def test_help_says_how_a_tool_is_run_and_which_there_are(option: str) -> None:
    result = CliRunner().invoke(kafka, [option])
    assert result.exit_code == 0
    assert "Usage: kafka TOOL [ARGUMENTS]..." in result.output
    assert "console-producer" in result.output


def test_no_tool_is_wrong_use_and_an_unknown_one_is_named_with_those_that_are_there() -> None:
    assert CliRunner().invoke(kafka, []).exit_code == 2
    result = CliRunner().invoke(kafka, ["format-disks"])
    assert result.exit_code == 2
    assert "console-producer" in result.output


def test_the_tools_of_postgres_are_those_of_the_server_that_runs() -> None:
    programs = [installation() / "bin" / name for name in (*POSTGRES_TOOLS, "postgres")]
    assert len({subprocess.check_output([program, "--version"]).split()[-1] for program in programs}) == 1


def test_a_postgres_of_ones_own_has_its_own_tools(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("YESSER_POSTGRES", "postgresql://elsewhere/yesser")
    result = CliRunner().invoke(postgres, ["pg_dump"])
    assert isinstance(result.exception, StackError)
    assert "YESSER_POSTGRES" in str(result.exception)
