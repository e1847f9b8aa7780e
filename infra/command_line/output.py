"""The two forms of every command's result: one JSON document for programs, or text for people."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import click

from events.values.bilingual import Bilingual, InTwoLanguages
from infra.command_line.language import print_localized
from infra.json_documents import to_json

NOTHING_DONE: Final = Bilingual("لم يُفعل شيء: أضف --yes.", "Nothing was done: add --yes.")
json_option: Final = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")


def print_json(document: Any, *, indented: bool = False) -> None:
    click.echo(to_json(document, indented=indented))


def print_result(document: Any, as_json: bool, print_text: Callable[[], None], *, indented: bool = False) -> None:
    """Print the document if `as_json`, else what `print_text` prints."""
    if as_json:
        print_json(document, indented=indented)
    else:
        print_text()


def print_confirmation(document: Any, as_json: bool, text: InTwoLanguages) -> None:
    """Print the document if `as_json`, else the sentence in the chosen language."""
    print_result(document, as_json, lambda: print_localized(text))
