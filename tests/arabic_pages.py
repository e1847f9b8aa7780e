"""The Arabic pages of `docs/` beside the English ones, block by block."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import zip_longest
from typing import Final

from markdown_it.token import Token

from infra.http.prose import PARSER
from producers.docs_pages.writer import FOLDER, prose_pages

TRANSLATED: Final = sorted(prose_pages())


@dataclass(frozen=True, slots=True)
class Block:
    """`kind`, `codes` and `links` are the same in both languages; `text` is what stands beside the codes."""

    kind: str
    codes: tuple[str, ...]
    links: tuple[str, ...]
    text: str

    def __str__(self) -> str:
        parts = [self.kind, repr(self.text[:60]) if self.text else "", *(f"`{code}`" for code in self.codes)]
        return " ".join(part for part in (*parts, *(f"({link})" for link in self.links)) if part)


def page_pair(page: str) -> tuple[list[Block], list[Block]]:
    """The blocks of the English page and of the Arabic one."""
    english, arabic = (folder / page for folder in (FOLDER, FOLDER / "ar"))
    return blocks_of(english.read_text(encoding="utf-8")), blocks_of(arabic.read_text(encoding="utf-8"))


def blocks_of(markdown: str) -> list[Block]:
    return [_block(token, token.children or []) for token in PARSER.parse(markdown)]


def _block(token: Token, inner: list[Token]) -> Block:
    if token.type != "inline":
        code = (f"{token.info}\n{token.content}",) if token.content else ()
        return Block(f"{token.type} {token.tag}".strip(), code, (), "")
    codes = sorted(child.content for child in inner if child.type == "code_inline")
    links = sorted(str(child.attrGet("href")) for child in inner if child.type == "link_open")
    words = "".join(child.content if child.type == "text" else " " for child in inner)
    return Block("text", tuple(codes), tuple(links), words)


def arabic_link(english: str) -> str:
    """How a link of the English page is written in the Arabic one, which lies a folder deeper."""
    file = english.partition("#")[0]
    stays = not file or "://" in file or file in prose_pages()
    return english if stays else f"../{english}"


def difference(page: str, english: list[Block], arabic: list[Block]) -> str | None:
    """Where the pages first differ in structure, as a sentence."""
    heading = ""
    for place, (one, other) in enumerate(zip_longest(english, arabic)):
        if one is None or other is None:
            return f"docs/{'ar/' if one else ''}{page} lacks a block under “{heading}”: {one or other}"
        links = tuple(sorted(map(arabic_link, one.links)))
        if (one.kind, one.codes, links) != (other.kind, other.codes, other.links):
            return f"docs/ar/{page} differs from docs/{page} under “{heading}”: {one} | {other}"
        if one.kind.startswith("heading_open") and place + 1 < len(english):
            heading = english[place + 1].text
    return None
