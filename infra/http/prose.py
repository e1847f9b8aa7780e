"""Pages as HTML: Markdown of `docs/` whose raw HTML is escaped, and Arabic text in which codes, dates and ranges are
drawn in the order in which they are typed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import takewhile
from typing import Final

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

from events.values.bilingual import Language, isolated
from events.values.reading_order import ARABIC, RUN, ordered_run

PARSER: Final = MarkdownIt("commonmark", {"html": False}).enable("table")

_TEXT: Final = r"<bdi[^>]*>[^<\u0600-\u06ff]*</bdi>|<[^>]*>|&[#\w]+;|" + RUN
_LINE: Final = re.compile(_TEXT, re.ASCII)
_PAGE: Final = re.compile(
    rf"<!--.*?-->|<(script|style|textarea|code)\b.*?</\1>|<(title|option|text)\b.*?</\2>"
    rf"|(<pre\b[^>]*>(?:<code[^>]*>)?)(.*?)(?=(?:</code>)?</pre>)|{_TEXT}",
    re.ASCII | re.DOTALL,
)
"""What is no text of a page or has an order of its own, and each run of a text."""
_GAP: Final = re.compile("(  +)")
_UNBROKEN_MAX: Final = 20
"""Characters that a heading has room for in a window of 360 pixels."""


def in_reading_order_html(page: str) -> str:
    """The HTML of an Arabic page with a `<bdi>` around each run that would be drawn in another order.

    A title, an option and a text of a drawing hold no such element, and take isolates. Of an example, the lines in
    Arabic are texts.
    """
    return _PAGE.sub(_ordered, page)


def _ordered(found: re.Match[str]) -> str:
    if found[2]:
        return _LINE.sub(_in_isolates, found[0]) if ARABIC.search(found[0]) else found[0]
    if found[3]:
        return found[3] + "\n".join(
            _example_line(line) if ARABIC.search(line) else line for line in found[4].split("\n")
        )
    return _in_bdi(found)


def _example_line(line: str) -> str:
    """A sentence, or a row of a table, whose cells keep their places."""
    cells = [_LINE.sub(_in_bdi, cell) for cell in _GAP.split(line)]
    is_row = len([*filter(str.strip, cells)]) > 1 and "<bdi>" not in line
    return "".join(f"<bdi>{cell}</bdi>" if is_row and ARABIC.search(cell) else cell for cell in cells)


def _in_bdi(found: re.Match[str]) -> str:
    text = found[0]
    if text.startswith("<bdi>"):
        own = text.removeprefix("<bdi>").removesuffix("</bdi>")
        return _bdi(own) if "-" in own and _is_short(own) else text
    return text if text.startswith(("<", "&")) else ordered_run(text, _bdi, _whole)


def _bdi(run: str) -> str:
    unbroken = ' class="nowrap"' if _is_short(run) else ""
    return f"<bdi{unbroken}>{run}</bdi>"


def _whole(run: str) -> str:
    """What keeps its order, such as `PPP-110-001/1426-09`."""
    return _bdi(run) if "-" in run and _is_short(run) else run


def _is_short(run: str) -> bool:
    """A browser breaks a line at the hyphens of `2026-11-25`: what is short stays whole."""
    return len(run) <= _UNBROKEN_MAX and " " not in run


def _in_isolates(found: re.Match[str]) -> str:
    return found[0] if found[0].startswith(("<", "&")) else ordered_run(found[0], isolated)


def heading_anchor(heading: str) -> str:
    """The id of a heading, as GitHub makes it from its text."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def html_of(tokens: Sequence[Token], language: Language) -> Markup:
    """The HTML of parsed Markdown of a page in this language."""
    for token in tokens:
        if language == "ar":
            _mark_english(token.children or ())
    return Markup(PARSER.renderer.render(tokens, PARSER.options, {}))  # noqa: S704 - the renderer has escaped all text


def _mark_english(tokens: Sequence[Token]) -> None:
    """An emphasis without Arabic is what a program prints in English."""
    for place, token in enumerate(tokens):
        if token.type == "em_open":
            inside = takewhile(lambda one: one.type != "em_close", tokens[place:])
            if not ARABIC.search("".join(one.content for one in inside)):
                token.attrs |= {"lang": "en", "dir": "ltr"}
