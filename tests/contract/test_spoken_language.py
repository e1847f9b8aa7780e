"""What a command prints is said in both languages: no sentence of the command line is in one of them alone."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.contract.product_texts import ARABIC, files, text_of
from tests.paths import ROOT, syntax_of

SENTENCE = re.compile(r"[A-Za-z]{2,}[^\w]+[a-z]{2,}")
PRINTERS = {"echo", "print", "secho"}
# Errors are in English, and begin so; the rest is copied into a shell.
NOT_SPOKEN = ("yesser: ", " Run the same", "export ", "curl ", "\neval ", "\n…")


def printed(path: Path) -> Iterator[tuple[str, str]]:
    """Every literal text that is handed to `click.echo` or a console's `print`."""
    for node in ast.walk(syntax_of(path)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in PRINTERS:
            for part in node.args:
                for inner in ast.walk(part):
                    if text := text_of(inner):
                        yield f"{path.relative_to(ROOT)}:{inner.lineno}", text  # type: ignore[attr-defined]


def test_no_sentence_is_printed_in_one_language_alone() -> None:
    found = [
        (where, text)
        for path in files("py")
        if path.name != "child.py"
        for where, text in printed(path)
        if SENTENCE.search(text) and not ARABIC.search(text) and not text.startswith(NOT_SPOKEN)
    ]
    assert not found, "print it by `infra.command_line.language.print_localized(arabic, english)`:\n" + "\n".join(
        map(str, found)
    )
