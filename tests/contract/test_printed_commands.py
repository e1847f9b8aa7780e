"""Every command that a document, a page or a sentence of the product prints is taken by the real parser."""

from __future__ import annotations

import ast
import re
import shlex
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import click
import pytest

from infra.cli import cli
from infra.embedded.servers.postgres import installation
from infra.embedded.tools import POSTGRES_TOOLS, kafka, postgres
from tests.contract.product_texts import files, text_of
from tests.every import every
from tests.paths import ROOT

QUOTED = re.compile(r"`(yesser [a-z][^`]*)`")
BLOCKS = re.compile(r"^```(?:sh|text)\n(.*?)^```|<pre[^>]*>(.*?)</pre>", re.MULTILINE | re.DOTALL)
AFTER = re.compile(r"\s(?:#|&&|\|\||[|;>&])\s.*|\s*<<.*", re.DOTALL)
PLACEHOLDER = re.compile(r"[A-Z][A-Z0-9_/-]*|.*[…${}<>].*")
INVISIBLE = re.compile("[\u200e\u200f\u2066-\u2069]")


def commands_in(path: Path) -> Iterator[str]:
    text = path.read_text(encoding="utf-8")
    if "yesser " not in text:
        return
    if path.suffix == ".py":
        for said in filter(None, map(text_of, ast.walk(ast.parse(text)))):
            yield from QUOTED.findall(said)
        return
    text = re.sub(r"\{%.*?%\}", "", re.sub(r"\{\{.*?\}\}", "…", text))
    for block in map("".join, BLOCKS.findall(text)):
        yield from (line for line in block.replace("\\\n", " ").splitlines() if line.startswith("yesser "))
    yield from QUOTED.findall(text)


def commands() -> list[tuple[str, str]]:
    """Each with the file that prints it. A line with brackets or bars is a usage, which `--help` has."""
    found = {
        (path.relative_to(ROOT).as_posix(), AFTER.sub("", INVISIBLE.sub("", line)).strip())
        for path in files("py", "html", "md", "js", "sql", "toml")
        for line in commands_in(path)
    }
    return sorted((path, line) for path, line in found if not re.search(r"\[|\||\n\n", line))


def fault_of(line: str) -> str | None:
    """What the parser says against a command; what stands for a value, such as FILE, is none."""
    command: click.Command = cli
    context, words = click.Context(cli), shlex.split(line)[1:]
    while isinstance(command, click.Group) and words and words[0] != "…":
        found = command.get_command(context, words[0])
        if found is None:
            return f"there is no {words[0]}"
        command, words = found, words[1:]
        context = click.Context(command, parent=context)
    if command in (kafka, postgres):
        options = options_of_tool(words[0]) if words and words[0] in POSTGRES_TOOLS else set(words)
        return next((f"there is no {word}" for word in words if word.startswith("--") and word not in options), None)
    is_part = words[-1:] == ["…"] and not "".join(words[-2:-1]).startswith("-")
    words = words[:-1] if is_part else words
    if not any(not word.startswith("-") for word in words):  # it names the command and an option, and gives no value
        known = {name for parameter in command.params for name in parameter.opts} | {"--help", "-h"}
        return next((f"there is no {word}" for word in words if word not in known), None)
    try:
        values, rest, _ = command.make_parser(context).parse_args(list(words))
        for parameter in command.params:
            require_value(parameter, values.get(parameter.name or ""), context, is_part=is_part)
    except click.UsageError as error:
        return error.format_message()
    return f"too many arguments: {rest}" if rest else None


def require_value(parameter: click.Parameter, value: object, context: click.Context, *, is_part: bool) -> None:
    """Raise `UsageError` for a value of another type, and for one that is missing and has no variable."""
    if value is None or parameter.value_is_missing(value):
        if parameter.required and not is_part and not parameter.envvar:
            raise click.UsageError(f"{parameter.name} is missing")
        return
    if not isinstance(parameter.type, click.Path | click.File):
        for one in value if isinstance(value, list | tuple) else [value]:
            if isinstance(one, str) and not PLACEHOLDER.fullmatch(one):
                parameter.type.convert(one, parameter, context)


@cache
def options_of_tool(name: str) -> frozenset[str]:
    """The long options of one of PostgreSQL's own tools."""
    text = subprocess.check_output([installation() / "bin" / name, "--help"], text=True)
    return frozenset(re.findall(r"--[a-z-]+", text))


@every(("place", "line"), commands)
def test_each_printed_command_is_one_that_works(place: str, line: str) -> None:
    fault = fault_of(line)
    assert fault is None, f"{place} prints `{line}`: {fault}"


@pytest.mark.parametrize(
    "line",
    [
        "yesser audit export FOLDER --from https://gateway.example/log/0/ --vkey VKEY",
        "yesser audit export FOLDER --vkey VKEY",
        "yesser audit prove FOLDER 1042 7",
        "yesser audit prove FOLDER first",
        "yesser audit notarise",
        "yesser plan --yesterday",
        "yesser agencies certificate CODE",
        "yesser postgres pg_dump --all-of-it",
    ],
)
def test_a_command_that_cannot_work_is_found(line: str) -> None:
    assert fault_of(line) is not None
