"""Every text is in both languages, beside each other, and what is put into an Arabic one cannot turn it round."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from itertools import pairwise
from string import Formatter

from tests.contract.product_texts import BILINGUAL, name_of, nodes, pairs, text_of

ARABIC = re.compile("[\u0620-\u064a]")
SENTENCE = re.compile(r"[A-Za-z]{2,}[^\w]+[a-z]{2,}")
PLACE = re.compile(r"\{[^}]*\}")
WORD = re.compile(r"[a-z]{2,}")
PRINTERS = {"echo", "print", "secho"}
# Errors are in English, and begin so; the rest is copied into a shell.
NOT_SPOKEN = ("yesser: ", " Run the same", "export ", "curl ", "\neval ", "\n…")
NO_TEXTS = {"say", "replace", "maketrans", "removesuffix", "NewAgency"}
"""`say` is how a template makes a text in both languages; the others take data."""


def printed() -> Iterator[tuple[str, str]]:
    """Every literal text that is handed to `click.echo` or a console's `print`."""
    for where, node in nodes():
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in PRINTERS:
            texts = (text_of(inner) for part in node.args for inner in ast.walk(part))
            yield from ((where, text) for text in texts if text)


def is_isolated(text: ast.JoinedStr, place: int) -> bool:
    before, after = (text_of(text.values[at % len(text.values)]) or "" for at in (place - 1, place + 1))
    return before.endswith("\u2068") and after.startswith("\u2069")


def test_no_sentence_is_printed_in_one_language_alone() -> None:
    found = [
        (where, text)
        for where, text in printed()
        if SENTENCE.search(text) and not ARABIC.search(text) and not text.startswith(NOT_SPOKEN)
        if "/child.py:" not in where
    ]
    assert not found, "print it by `infra.command_line.language.print_localized(Bilingual(…))`:\n" + "\n".join(
        map(str, found)
    )


def test_the_pairs_are_found() -> None:
    assert len(list(pairs())) > 1_000


def test_no_text_is_in_english_alone() -> None:
    found = [
        (where, english)
        for where, arabic, english in pairs()
        if arabic != english
        if ARABIC.search(english) or (WORD.search(PLACE.sub("", english)) and not ARABIC.search(arabic))
    ]
    assert not found, f"write the Arabic text first, then the English one: {found}"


def test_an_arabic_text_names_no_value_that_its_english_one_lacks() -> None:
    def names(text: str) -> set[str]:
        return {name for _, name, _, _ in Formatter().parse(text) if name is not None}

    found = [where for where, arabic, english in pairs() if "{" in arabic and not names(arabic) <= names(english)]
    assert not found


def test_no_value_is_put_into_an_arabic_text_without_isolation() -> None:
    found = [
        where
        for where, node in nodes()
        if isinstance(node, ast.JoinedStr) and ARABIC.search(text_of(node) or "")
        for place, part in enumerate(node.values)
        if isinstance(part, ast.FormattedValue) and not is_isolated(node, place)
    ]
    found += [
        where
        for where, node in nodes()
        if isinstance(node, ast.Call) and name_of(node) in BILINGUAL and node.args
        if isinstance(node.args[0], ast.JoinedStr)
    ]
    assert not found, f"put the value in by `Bilingual(…).format(…)`: {found}"


def test_two_texts_are_never_passed_one_by_one() -> None:
    found = []
    for where, node in nodes():
        match node:
            case ast.Call(args=parts) if name_of(node) not in BILINGUAL | NO_TEXTS:
                neighbours = pairwise(parts)
            case ast.Tuple(elts=[one, other]):
                neighbours = pairwise([one, other])
            case _:
                continue
        for one, other in neighbours:
            arabic, english = text_of(one) or "", text_of(other) or ""
            if ARABIC.search(arabic) and WORD.search(english) and not ARABIC.search(english):
                found.append(where)
    assert not found, f"make each pair a `Bilingual`: {found}"
