"""Kafka's own tools, run from the stack's jars."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from infra.embedded.servers.jars import KAFKA_VERSION, TOOLS, lock_text, parse_lock
from infra.embedded.servers.postgres import installation
from infra.embedded.tools import POSTGRES_TOOLS, kafka, login_environment, postgres, tool_command
from infra.errors import StackError
from infra.settings import Settings
from tests.every import every


def test_a_tool_is_that_of_the_broker_that_runs_and_gets_its_arguments_as_they_are() -> None:
    jars = [Path("/jars/a.jar"), Path("/jars/b.jar")]
    command = tool_command(Path("/java"), jars, "org.example.Tool", ["--topic", "a b", "--help"])
    assert command[0] == "/java"
    assert command[-6:] == ["-cp", "/jars/a.jar:/jars/b.jar", "org.example.Tool", "--topic", "a b", "--help"]
    group, artifact = TOOLS
    assert f"{group}:{artifact}:{KAFKA_VERSION}" in {jar.coordinates for jar in parse_lock(lock_text())}


@every(("arguments", "code"), [(["-h"], 0), (["--help"], 0), ([], 2), (["format-disks"], 2)])
def test_help_says_which_tools_there_are_and_an_unknown_one_is_wrong_use(arguments: list[str], code: int) -> None:
    result = CliRunner().invoke(kafka, arguments)
    assert result.exit_code == code
    assert "console-producer" in result.output
    assert code or "Usage: kafka TOOL [ARGUMENTS]..." in result.output


def test_the_tools_of_postgres_are_those_of_the_server_that_runs_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    programs = [installation() / "bin" / name for name in (*POSTGRES_TOOLS, "postgres")]
    assert len({subprocess.check_output([program, "--version"]).split()[-1] for program in programs}) == 1
    monkeypatch.setenv("YESSER_POSTGRES", "postgresql://elsewhere/yesser")
    result = CliRunner().invoke(postgres, ["pg_dump"])
    assert isinstance(result.exception, StackError)
    assert "YESSER_POSTGRES" in str(result.exception)


def test_the_tools_log_in_to_the_primary_of_two_servers_whichever_it_is() -> None:
    two = Settings(postgres="postgresql://u:p@db1.example:5433,db2.example/yesser?sslmode=verify-full")
    found = login_environment(two)
    assert (found["PGHOST"], found["PGPORT"]) == ("db1.example,db2.example", "5433,5432")
    assert (found["PGDATABASE"], found["PGTARGETSESSIONATTRS"]) == ("yesser", "read-write")
    assert "PGTARGETSESSIONATTRS" not in login_environment(Settings(postgres="postgresql://u:p@127.0.0.1/yesser"))
