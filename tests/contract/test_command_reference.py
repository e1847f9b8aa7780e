"""`docs/commands.md` is what the commands say of themselves, with every command, option and exit code."""

from __future__ import annotations

import re
from functools import partial

import click

from infra.cli import cli
from infra.command_line.exit_codes import ExitCode
from infra.command_reference import PAGE, commands, reference
from tests.every import every

SECTIONS = dict(re.findall(r"^#{2,3} (yesser [^\n]+)\n(.*?)(?=^#|\Z)", PAGE.read_text(encoding="utf-8"), re.M | re.S))


def test_the_page_is_fresh_and_lists_every_exit_code() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert page == reference(), "run `python -m infra.command_reference`"
    assert re.findall(r"^\| (\d+) \|", page, re.M) == [str(int(code)) for code in ExitCode]


@every(("name", "command"), partial(commands, cli, "yesser"))
def test_every_option_has_a_meaning_and_an_optional_argument_brackets(name: str, command: click.Command) -> None:
    for given in command.params:
        if isinstance(given, click.Argument):
            (written,) = given.get_usage_pieces(click.Context(command))
            assert written.startswith("[") is not given.required, f"{name} {written}"
        elif isinstance(given, click.Option) and not given.hidden and "--lang" not in given.opts:
            row = re.search(rf"^\| `[^`]*{re.escape(given.opts[0])}\b[^`]*` \| (.+) \|$", SECTIONS[name], re.M)
            assert row, f"{name} {given.opts[0]} has no help"
            assert row[1].strip()


def test_every_command_that_answers_has_json() -> None:
    without = {
        name.removeprefix("yesser ")
        for name, command in commands(cli, "yesser")
        if not isinstance(command, click.Group) and not any("--json" in option.opts for option in command.params)
    }
    # Processes, tools of others, and a calendar and a mapping, which are formats already.
    processes = {"run", "outbox run", "witness run", "webhooks listen"}
    formats = {"kafka", "postgres", "teams calendar", "map"}
    assert without == processes | formats, "give a new command `@json_option` of infra.command_line.output"
