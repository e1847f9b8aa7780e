"""A `Paper` as HTML and as PDF, Arabic from the right with English beside it.

HTML is one file without outside resources. PDF is set by typst with the Amiri font; both carry a QR code of the link.
"""

from __future__ import annotations

import io
import re
from importlib import resources
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import jinja2
import orjson
import segno
from markupsafe import Markup

from consumers.revenue.statements.paper import Paper
from events.errors import YesserError
from events.values.bilingual import LANGUAGES, Bilingual
from events.values.reading_order import text_of

_PACKAGE = "consumers.revenue.statements"
_VOWEL_SIGNS: Final = re.compile("[\u064b-\u0652\u0670]")
"""Left out of a PDF: a word that has one would be found in the order of its glyphs alone, and nobody searches with one.
"""


class NoTypesetter(YesserError):
    """PDF needs the packages typst and fontpkg-amiri: install them, or print the HTML."""


def to_html(paper: Paper) -> str:
    """The whole page."""
    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    template = environment.from_string(_resource("statement.html"))
    return template.render(paper=orjson.loads(_written(paper)), qr=Markup(_qr(paper)))  # noqa: S704 - an image of ours


def to_pdf(paper: Paper) -> bytes:
    """Pages of A4. Raises `NoTypesetter`."""
    try:
        import typst
    except ImportError:
        raise NoTypesetter(NoTypesetter.__doc__) from None
    inputs = {"paper": _VOWEL_SIGNS.sub("", _written(paper)), "qr": _qr(paper)}
    compile_: Any = typst.compile  # its overloads name no list of plain paths
    pdf: bytes = compile_(_resource("statement.typ").encode(), format="pdf", sys_inputs=inputs, font_paths=[_fonts()])
    return pdf


def _written(paper: Paper) -> str:
    """The document as JSON, its Arabic in reading order."""
    return orjson.dumps(paper, default=_by_language).decode()


def _by_language(text: Bilingual) -> dict[str, str]:
    return {language: text_of(text, language) for language in LANGUAGES}


def _qr(paper: Paper) -> str:
    """An SVG of the link, or of what proves the statement."""
    out = io.BytesIO()
    segno.make(paper.link or paper.proof.en, error="m").save(
        out, kind="svg", border=1, xmldecl=False, svgns=True, omitsize=True
    )
    return out.getvalue().decode()


def _fonts() -> Path:
    found = find_spec("fontpkg_amiri")
    if found is None or found.origin is None:
        raise NoTypesetter(NoTypesetter.__doc__)
    return Path(found.origin).parent / "files"


def _resource(name: str) -> str:
    return resources.files(_PACKAGE).joinpath(name).read_text(encoding="utf-8")
