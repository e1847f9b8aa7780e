"""Kafka's own tools, run from the stack's jars."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner

from infra.embedded.jars import KAFKA_VERSION, TOOLS, lock_text, parse_lock
from infra.embedded.tools import kafka, tool_command


def test_a_tool_gets_its_arguments_as_they_are() -> None:
    jars = [Path("/jars/a.jar"), Path("/jars/b.jar")]
    command = tool_command(Path("/java"), jars, "org.example.Tool", ["--topic", "a b", "--help"])
    assert command[0] == "/java"
    assert command[-6:] == ["-cp", "/jars/a.jar:/jars/b.jar", "org.example.Tool", "--topic", "a b", "--help"]


def test_the_tools_are_those_of_the_broker_that_runs() -> None:
    group, artifact = TOOLS
    assert f"{group}:{artifact}:{KAFKA_VERSION}" in {jar.coordinates for jar in parse_lock(lock_text())}


def test_an_unknown_tool_is_named_with_those_that_are_there() -> None:
    result = CliRunner().invoke(kafka, ["format-disks"])
    assert result.exit_code == 2
    assert "console-producer" in result.output
