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


def test_the_page_is_fresh() -> None:
    assert PAGE.read_text(encoding="utf-8") == reference(), "run `python -m infra.command_reference`"


def test_every_command_has_a_section() -> None:
    assert list(SECTIONS) == [name for name, _ in commands(cli, "yesser")]


@every(("name", "command"), partial(commands, cli, "yesser"))
def test_every_option_is_listed_with_its_meaning(name: str, command: click.Command) -> None:
    for option in command.params:
        if isinstance(option, click.Option) and not option.hidden and "--lang" not in option.opts:
            row = re.search(rf"^\| `[^`]*{re.escape(option.opts[0])}\b[^`]*` \| (.+) \|$", SECTIONS[name], re.M)
            assert row, f"{name} {option.opts[0]} has no help"
            assert row[1].strip()


@every(("name", "command"), partial(commands, cli, "yesser"))
def test_an_argument_that_may_be_left_out_stands_in_brackets(name: str, command: click.Command) -> None:
    for argument in command.params:
        if isinstance(argument, click.Argument):
            (written,) = argument.get_usage_pieces(click.Context(command))
            assert written.startswith("[") is not argument.required, f"{name} {written}"


def test_every_command_that_answers_has_json() -> None:
    without = {
        name.removeprefix("yesser ")
        for name, command in commands(cli, "yesser")
        if not isinstance(command, click.Group) and not any("--json" in option.opts for option in command.params)
    }
    # Processes, tools of others, and a calendar, which is a format already.
    assert without == {"run", "outbox run", "witness run", "kafka", "postgres", "teams calendar"}


def test_the_outboxs_relay_names_both_ways_to_send() -> None:
    for setting in ("YESSER_KAFKA_PASSWORD", "YESSER_OUTBOX_GATEWAY", "YESSER_OUTBOX_TOKEN"):
        assert setting in SECTIONS["yesser outbox run"]


def test_every_exit_code_is_listed() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert re.findall(r"^\| (\d+) \|", text, re.M) == [str(int(code)) for code in ExitCode]
