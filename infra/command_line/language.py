"""The language of printed text: Arabic, English, or both, by `--lang` or YESSER_LANG.

`with_language` gives every command the option; `localized` chooses the text. Help, error sentences and --json do not
change: programs read them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Literal, TypeVar, cast

import click

from events.values.bilingual import InTwoLanguages
from events.values.reading_order import text_of

Language = Literal["ar", "en", "both"]
LANGUAGES: Final[tuple[Language, ...]] = ("ar", "en", "both")
_KEY: Final = "yesser.language"
_HELP: Final = "Language of the text."
_SENTENCE_MAX: Final = 1_000
"""Characters of a first sentence, which click would otherwise cut to a line."""
_Decorated = TypeVar("_Decorated", bound=Callable[..., Any])


def language() -> Language:
    """The chosen language; both by default and outside of a command."""
    context = click.get_current_context(silent=True)
    return cast(Language, context.meta.get(_KEY, "both")) if context else "both"


def localized(text: InTwoLanguages, between: str = " · ") -> str:
    """The text in the chosen language; for both, Arabic first."""
    chosen = language()
    if chosen == "both" and text.ar != text.en:
        return f"{text_of(text, 'ar')}{between}{text.en}"
    return text_of(text, "en" if chosen == "en" else "ar")


def print_localized(*sentences: InTwoLanguages, err: bool = False) -> None:
    """Print sentences; for both languages, each on a line of its own."""
    for sentence in sentences:
        click.echo(localized(sentence, "\n"), err=err)


def language_option(**settings: Any) -> Callable[[_Decorated], _Decorated]:
    """The option `--lang`; `settings` are passed to `click.option`."""
    return click.option(
        "--lang", type=click.Choice(LANGUAGES), expose_value=False, callback=_choose, help=_HELP, **settings
    )


def with_language(command: click.Command) -> click.Command:
    """Add `--lang` to a command and its sub-commands where it is missing, and let lists show its first sentence whole.

    A command that passes all its arguments on (`yesser kafka`, `yesser postgres`) gets no option.
    """
    command.short_help = command.get_short_help_str(limit=_SENTENCE_MAX)
    if isinstance(command, click.Group):
        for below in command.commands.values():
            with_language(below)
    hands_on = command.context_settings.get("ignore_unknown_options", False)
    if not hands_on and not any("--lang" in parameter.opts for parameter in command.params):
        language_option()(command)
    return command


def _choose(context: click.Context, option: click.Parameter, value: Language | None) -> None:
    if value is not None:
        context.meta[_KEY] = value
