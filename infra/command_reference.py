"""Writes `docs/commands.md`, the command reference: `python -m infra.command_reference`.

With `--check` nothing is written, and the exit code is 1 if the file is stale.
"""

from __future__ import annotations

import argparse
import inspect
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import click

from infra.cli import cli
from infra.command_line.exit_codes import MEANINGS

PAGE: Final = Path(__file__).parents[1] / "docs" / "commands.md"

_END_OF_INTRODUCTION: Final = "| code | meaning |\n|---|---|\n"


def reference() -> str:
    """The page: what is written there by hand, up to the table of exit codes, and what is made from the commands."""
    introduction, end, _ = PAGE.read_text(encoding="utf-8").partition(_END_OF_INTRODUCTION)
    codes = "\n".join(f"| {code.value} | {meaning} |" for code, meaning in MEANINGS.items())
    sections = (_section(name, command) for name, command in commands(cli, "yesser"))
    return "\n\n".join([introduction + end + codes, *sections]) + "\n"


def commands(command: click.Command, name: str) -> Iterator[tuple[str, click.Command]]:
    """Every visible command with its full name."""
    if command.hidden:
        return
    if name != "yesser":
        yield name, command
    if isinstance(command, click.Group):
        context = click.Context(command, info_name=name)
        for below in command.list_commands(context):
            subcommand = command.get_command(context, below)
            assert subcommand is not None
            yield from commands(subcommand, f"{name} {below}")


def _section(name: str, command: click.Command) -> str:
    context = click.Context(command, info_name=name)
    parts = [f"{'##' if name.count(' ') == 1 else '###'} {name}", inspect.cleandoc(command.help or "")]
    if not isinstance(command, click.Group):
        parts.append(f"`{' '.join([name, *command.collect_usage_pieces(context)])}`")
    options = [row for row in map(_option, command.params) if row]
    if options:
        parts.append("\n".join(["| option | meaning |", "|---|---|", *options]))
    return "\n\n".join(part for part in parts if part)


def _option(parameter: click.Parameter) -> str | None:
    """A row of the table; None for arguments, hidden options, and options that every command has."""
    if not isinstance(parameter, click.Option) or parameter.hidden or "--lang" in parameter.opts:
        return None
    record = parameter.get_help_record(click.Context(click.Command("x")))
    if record is None:
        return None
    names, meaning = (" ".join(part.split()).replace("|", "\\|") for part in record)
    return f"| `{names}` | {meaning} |"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m infra.command_reference", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail if the page is stale")
    is_stale = PAGE.read_text(encoding="utf-8") != reference()
    if parser.parse_args().check:
        if is_stale:
            sys.stderr.write("docs/commands.md is stale: run `python -m infra.command_reference`\n")
        return 1 if is_stale else 0
    PAGE.write_text(reference(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
