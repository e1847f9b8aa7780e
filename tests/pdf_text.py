"""The text of a PDF of ours as a reader's search finds it: by lines, in the order in which it is read.

A run of text is drawn at its place. What is marked `ReversedChars` is drawn from right to left; on a line such runs,
and what stands between them, follow from right to left. A wide gap within a run is a space to a search.
"""

from __future__ import annotations

import re
import zlib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Final

Glyphs = Mapping[int, str]
_OBJECT: Final = re.compile(rb"(\d+) 0 obj(.*?)endobj", re.DOTALL)
_STREAM: Final = re.compile(rb"stream\r?\n(.*)endstream", re.DOTALL)
_STRING_OF: Final = rb"\((?:\\.|[^\\()]|\((?:\\.|[^\\()])*\))*\)"
"""With brackets inside it that are balanced."""
_TOKEN: Final = re.compile(
    rb"q 1 0 0 -1 (?P<x>[\d.-]+) (?P<y>[\d.-]+) cm"
    rb"|/ActualText\s*\((?P<actual>(?:\\.|[^\\)])*)\)>>BDC|(?P<begin>BDC|BMC)"
    rb"|(?P<end>EMC)|/(?P<font>f\d+) [\d.]+ Tf|1 0 0 -1 (?P<dx>[\d.-]+) (?P<dy>[\d.-]+) Tm"
    rb"|(?P<shown>\[(?:" + _STRING_OF + rb"|[^\]])*\] ?TJ|" + _STRING_OF + rb" ?Tj)",
    re.DOTALL,
)
_PIECE: Final = re.compile(_STRING_OF + rb"|(?<=\))-?[\d.]+(?=\()", re.DOTALL)
_GAP_MIN: Final = 100
"""In thousandths of the size."""
_ESCAPE: Final = re.compile(rb"\\([0-7]{1,3}|.)", re.DOTALL)
_REVERSED: Final = "reversed"
_LETTERS: Final = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}


@dataclass(frozen=True, slots=True)
class _Run:
    x: float
    is_reversed: bool
    text: str


def pdf_lines(pdf: bytes) -> list[str]:
    """The lines of all pages, from the top."""
    objects = {int(number): body for number, body in _OBJECT.findall(pdf)}
    pages = [body for body in objects.values() if b"/Type/Page/" in body]
    return [line for page in pages for line in _lines_of(page, objects)]


def _lines_of(page: bytes, objects: Mapping[int, bytes]) -> Iterator[str]:
    content = _content(objects[_reference(page, rb"/Contents")])
    used = page if b"/Font<<" in page else objects[_reference(page, rb"/Resources")]
    fonts = {name: _glyphs(objects, int(number)) for name, number in re.findall(rb"/(f\d+) (\d+) 0 R", used)}
    rows: defaultdict[float, list[_Run]] = defaultdict(list)
    for y, run in _runs(content, fonts):
        rows[round(y)].append(run)
    for _, runs in sorted(rows.items(), reverse=True):
        ordered = sorted(runs, key=lambda run: run.x)
        parts = [
            "".join(run.text for run in own) if not is_reversed else "".join(run.text for run in reversed([*own]))
            for is_reversed, own in ((key, list(group)) for key, group in groupby(ordered, lambda run: run.is_reversed))
        ]
        yield "".join(reversed(parts))


def _runs(content: bytes, fonts: Mapping[bytes, Glyphs]) -> Iterator[tuple[float, _Run]]:
    x = y = dx = dy = 0.0
    font, marks = b"", list[str]()
    for token in _TOKEN.finditer(content):
        if token["x"]:
            x, y = float(token["x"]), float(token["y"])
        elif token["dx"]:
            dx, dy = float(token["dx"]), float(token["dy"])
        elif token["font"]:
            font = token["font"]
        elif token["begin"]:
            marks.append(_REVERSED if content[: token.start()].endswith(b"/ReversedChars ") else "")
        elif token["actual"] is not None:
            marks.append(_text(_bytes(token["actual"])))
        elif token["end"]:
            marks.pop()
        else:
            is_reversed = _REVERSED in marks
            texts = [text for piece in _PIECE.findall(token["shown"]) for text in _texts(piece, fonts[font])]
            meant = next((mark for mark in marks if mark not in ("", _REVERSED)), None)
            yield y - dy, _Run(x + dx, is_reversed, meant or "".join(reversed(texts) if is_reversed else texts))


def _texts(piece: bytes, glyphs: Glyphs) -> Iterator[str]:
    """Of a string its characters; of a wide gap to the right a space."""
    if not piece.startswith(b"("):
        yield from [" "] if float(piece) <= -_GAP_MIN else []
        return
    raw = _bytes(piece[1:-1])
    for at in range(0, len(raw), 2):
        yield glyphs.get(int.from_bytes(raw[at : at + 2]), "\N{REPLACEMENT CHARACTER}")


def _text(actual: bytes) -> str:
    return actual[2:].decode("utf-16-be") if actual.startswith(b"\xfe\xff") else actual.decode("latin-1")


def _bytes(string: bytes) -> bytes:
    def read(found: re.Match[bytes]) -> bytes:
        return bytes([int(found[1], 8)]) if found[1].isdigit() else _LETTERS.get(found[1], found[1])

    return _ESCAPE.sub(read, string)


def _glyphs(objects: Mapping[int, bytes], font: int) -> Glyphs:
    """What each glyph of a font is as text."""
    written = _content(objects[_reference(objects[font], rb"/ToUnicode")]).decode("latin-1")
    found = re.findall(r"<([0-9A-F]{4})> <([0-9A-F]+)>", written)
    return {int(code, 16): bytes.fromhex(text).decode("utf-16-be") for code, text in found}


def _content(body: bytes) -> bytes:
    (stream,) = _STREAM.findall(body)
    return zlib.decompress(stream)


def _reference(body: bytes, name: bytes) -> int:
    (number,) = re.findall(name + rb" (\d+) 0 R", body)
    return int(number)
