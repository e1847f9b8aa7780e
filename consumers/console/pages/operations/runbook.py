"""The runbook's entry for the reason of a halt: found by the exact words that the runbook quotes.

A quoted message has placeholders: a single capital letter, a word in capitals, or `…`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from markupsafe import Markup

from events.values.bilingual import Language
from infra.http.prose import PARSER, html_of

_DOCS: Final = Path(__file__).parents[4] / "docs"
FILES: Final[dict[Language, Path]] = {"en": _DOCS / "runbook.md", "ar": _DOCS / "ar" / "runbook.md"}
_SECTIONS: Final = {
    "registrar": "The registrar is halted",
    "topic": "An agency's topic is halted",
    "paused": "An agency's topic is paused",
    "consumer": "A consumer is halted",
    "process": "A process keeps restarting",
}
QUOTED: Final = re.compile(r"\*([^*]+)\*")
PLACEHOLDER: Final = re.compile(r"…|\b[A-Z]{1,8}\b|\bi?N\b")


@dataclass(frozen=True, slots=True)
class RunbookEntry:
    """The section, and its paragraphs or the row of its table that are about the reason, as HTML."""

    title: str
    html: Markup


def runbook_entry(kind: str, reason: str, language: Language) -> RunbookEntry:
    """The entry for a halt of this kind; the whole section where no quoted message is that of the reason."""
    title, text = _sections(language)[_SECTIONS.get(kind, _SECTIONS["process"])]
    matches = ((_match(quoted, reason), about) for quoted, about in _messages(text))
    found = max(((letters, about) for letters, about in matches if letters is not None), default=None)
    return RunbookEntry(title, _html(text if found is None else found[1], language))


def _messages(text: str) -> Iterator[tuple[str, str]]:
    """(quoted message, what is said about it): rows of tables, and paragraphs that begin with a message."""
    header = ""
    parts = re.split(r"\n(?=\*[^*]+\*)", text)
    for part in parts:
        if part.startswith("*") and not part.lstrip().startswith("|"):
            quoted = QUOTED.match(part)
            if quoted:
                yield quoted[1], part
    lines = text.splitlines()
    for number, line in enumerate(lines):
        if line.startswith("|---"):
            header = f"{lines[number - 1]}\n{line}"
        elif line.startswith("|") and header and not lines[min(number + 1, len(lines) - 1)].startswith("|---"):
            first = line.strip("|").split(" | ")[0]
            for quoted in QUOTED.finditer(first):
                yield quoted[1], f"{header}\n{line}"


def _match(quoted: str, reason: str) -> int | None:
    """How many letters of the message are in the reason in its order; None where they are not."""
    literals = [re.escape(part.strip(" .")) for part in PLACEHOLDER.split(quoted.replace("`", ""))]
    literals = [part for part in literals if part]
    if not literals or re.search(".*?".join(literals), reason, re.IGNORECASE | re.DOTALL) is None:
        return None
    return sum(map(len, literals))


@cache
def _sections(language: Language) -> dict[str, tuple[str, str]]:
    """English title → title and text, of the sections of the second level: both pages have the same ones."""
    pages = {
        one: re.split(r"^## ", file.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:] for one, file in FILES.items()
    }
    parts = [section.partition("\n") for section in pages[language]]
    english = [section.partition("\n")[0].strip() for section in pages["en"]]
    return {name: (part[0].strip(), part[2].strip()) for name, part in zip(english, parts, strict=True)}


def _html(text: str, language: Language) -> Markup:
    """Markdown as HTML; links, which lead to files of the repository, become their text."""
    tokens = PARSER.parse(text)
    for token in tokens:
        if token.children:
            token.children = [child for child in token.children if child.type not in ("link_open", "link_close")]
    return html_of(tokens, language)
