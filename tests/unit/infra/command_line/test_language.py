"""`--lang` and YESSER_LANG: every command has the option, and prints the same in Arabic, in English or in both."""

from __future__ import annotations

from collections.abc import Iterator

import click
import pytest
from click.testing import CliRunner

from infra.cli import cli
from infra.command_line.language import language, localized, print_localized, with_language
from tests.every import every

ARABIC, ENGLISH = "سُجّلت الخدمة.", "The service is registered."


@click.group()
def root() -> None:
    pass


@root.command()
def tell() -> None:
    print_localized(ARABIC, ENGLISH)


with_language(root)


def commands(command: click.Command = cli, *path: str) -> Iterator[tuple[str, click.Command]]:
    """Every command and every group, by its words after `yesser`."""
    yield " ".join(path), command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            assert found is not None
            yield from commands(found, *path, name)


def with_options() -> list[tuple[str, click.Command]]:
    """Every command that does something itself, and reads its own options."""
    foreign = ("kafka", "postgres")
    return [row for row in commands() if not isinstance(row[1], click.Group) and row[0] not in foreign]


@every(
    ("arguments", "lines"),
    [
        ([], [ARABIC, ENGLISH]),
        (["--lang", "both"], [ARABIC, ENGLISH]),
        (["--lang", "ar"], [ARABIC]),
        (["--lang", "en"], [ENGLISH]),
    ],
)
def test_a_sentence_is_said_in_the_chosen_language(arguments: list[str], lines: list[str]) -> None:
    for given in ([*arguments, "tell"], ["tell", *arguments]):
        assert CliRunner().invoke(root, given).output.splitlines() == lines


def test_the_option_of_the_command_wins_over_that_before_it() -> None:
    assert CliRunner().invoke(root, ["--lang", "ar", "tell", "--lang", "en"]).output.splitlines() == [ENGLISH]


def test_what_is_the_same_in_both_languages_is_said_once() -> None:
    assert localized("id-1", "id-1") == "id-1"


def test_outside_of_a_command_both_languages_are_said() -> None:
    assert (language(), localized("أ", "a")) == ("both", "أ · a")


@every(("name", "command"), with_options)
def test_every_command_has_the_option_once(name: str, command: click.Command) -> None:
    assert [option for parameter in command.params for option in parameter.opts].count("--lang") == 1


@pytest.mark.parametrize("service", ["kafka", "postgres"])
def test_a_services_own_tools_get_their_arguments_as_they_are(service: str) -> None:
    command = cli.get_command(click.Context(cli), service)
    assert command is not None
    assert "--lang" not in {option for parameter in command.params for option in parameter.opts}


@every(
    ("chosen", "exit_code", "says"),
    [
        ("ar", 0, ["لم يكن شيء يعمل.\n"]),
        ("en", 0, ["Nothing was running.\n"]),
        ("fr", 2, ["YESSER_LANG", "'ar', 'en', 'both'"]),
    ],
)
def test_the_environment_chooses_the_language(chosen: str, exit_code: int, says: list[str]) -> None:
    environment = {"YESSER_LANG": chosen, "YESSER_HOME": "/nonexistent/home"}
    done = CliRunner().invoke(cli, ["down"], env=environment)
    assert done.exit_code == exit_code
    assert done.output == says[0] if exit_code == 0 else all(word in done.output for word in says)


def test_lists_of_commands_show_whole_sentences() -> None:
    groups = [command for _, command in commands() if isinstance(command, click.Group)]
    assert len(groups) > 10
    for group in groups:
        assert "..." not in group.get_help(click.Context(group)).partition("Commands:")[2]
