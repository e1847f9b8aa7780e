"""`--lang` and YESSER_LANG: every command has the option, and prints the same in Arabic, in English or in both."""

from __future__ import annotations

import click
from click.testing import CliRunner, Result

from events.values.bilingual import Bilingual
from infra.cli import cli
from infra.command_line.language import language, localized, print_localized, with_language
from infra.command_reference import commands
from tests.every import every

SENTENCE = Bilingual("سُجّلت الخدمة.", "The service is registered.")
ARABIC, ENGLISH = SENTENCE.ar, SENTENCE.en


@click.group()
def root() -> None:
    pass


@root.command()
def tell() -> None:
    print_localized(SENTENCE)


with_language(root)


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


def test_the_option_of_the_command_wins_and_what_is_the_same_in_both_languages_is_said_once() -> None:
    assert CliRunner().invoke(root, ["--lang", "ar", "tell", "--lang", "en"]).output.splitlines() == [ENGLISH]
    assert localized(Bilingual("id-1", "id-1")) == "id-1"
    assert (language(), localized(Bilingual("أ", "a"))) == ("both", "أ · a"), "outside of a command"


@every(("name", "command"), lambda: [("yesser", cli), *commands(cli, "yesser")])
def test_every_command_but_a_services_own_tools_has_the_option_once(name: str, command: click.Command) -> None:
    given = [option for parameter in command.params for option in parameter.opts]
    if isinstance(command, click.Group):
        assert "..." not in command.get_help(click.Context(command)).partition("Commands:")[2], "whole sentences"
    else:
        assert given.count("--lang") == (name not in ("yesser kafka", "yesser postgres"))


def test_the_environment_chooses_the_language() -> None:
    def down(chosen: str) -> Result:
        return CliRunner().invoke(cli, ["down"], env={"YESSER_LANG": chosen, "YESSER_HOME": "/nonexistent/home"})

    assert (down("ar").exit_code, down("ar").output) == (0, "لم يكن شيء يعمل.\n")
    assert (down("en").exit_code, down("en").output) == (0, "Nothing was running.\n")
    wrong = down("fr")
    assert wrong.exit_code == 2
    assert all(word in wrong.output for word in ("YESSER_LANG", "'ar', 'en', 'both'"))
