"""Templates: Jinja2 with automatic escaping, where a name that does not exist is an error.

Every template has the reader's words as `w`, `t(ar, en)` for a text in both languages, `asset(name)`, `label` and
`cell` of a document's field as a reader of one language sees them, and the filters `isolated`, `code` and `english`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from fastapi.responses import HTMLResponse
from jinja2 import pass_context
from jinja2.runtime import Context
from markupsafe import Markup, escape
from msgspec import Struct

from consumers.console.web.assets import assets
from consumers.console.web.language import Words, code, english, isolated
from consumers.documents.document import (
    NO,
    YES,
    Date,
    EventType,
    Halalas,
    Instant,
    Labelled,
    Name,
    field_of,
    fields,
    label_of,
    listed,
)
from consumers.documents.names import Kind, Names, kind_of
from events.types.catalogue import CATALOGUE
from events.wire.envelope import short_type
from infra.http.prose import in_reading_order_html
from infra.http.templates import templates

NOTHING: Final = "–"


@pass_context
def label(context: Context, document: type[Struct] | Struct, name: str) -> str:
    """What people call a field of a document or of its class."""
    words: Words = context["w"]
    return words.of(label_of(document if isinstance(document, type) else type(document), name))


@pass_context
def named(context: Context, kind: Kind, value: str) -> Markup:
    """The name of an agency, a service or a project, and its code beside it. A name is anybody's text."""
    names: Names = context.get("directory") or {}
    name = names.get((kind, value))
    if name is None:
        return code(value)
    text = context["w"].text(name.plain())
    return Markup('<span class="named">{} <small>{}</small></span>').format(text, code(value))


@pass_context
def cell(context: Context, document: Struct, name: str, *, alone: bool = False) -> Markup:
    """The value of a field; in a list dates are Gregorian only. A state is a tag, in the colour of its tone; a kind, of
    which none has a tone, is a word."""
    words: Words = context["w"]
    kind, value = field_of(type(document), name).type, getattr(document, name)
    if value is None:
        return escape(NOTHING)
    if kind == Date:
        return words.day(value) if alone else escape(words.gregorian(value))
    if kind in (Instant, datetime):
        return words.moment(value)
    if kind == Halalas:
        return words.money(value)
    if kind == EventType and (known := CATALOGUE.get(short_type(value))) is not None:
        return escape(words.of(known.purpose))
    if isinstance(value, bool):
        return escape(words.of(YES if value else NO))
    if isinstance(value, Labelled) and any(one.tone for one in type(value)):
        parts: Any = context.environment.get_template("parts.html").module
        tag: Markup = parts.tag(words.of(value), value.tone)
        return tag
    if (named_as := kind_of(kind)) is not None:
        codes = (value,) if isinstance(value, str) else value
        return Markup(words.say("، ", ", ")).join(named(context, named_as, code) for code in codes)  # noqa: S704 - ours
    if isinstance(value, tuple):
        parted = Markup(words.say("، ", ", "))  # noqa: S704 - ours
        return parted.join(words.of(one) if isinstance(one, Labelled) else code(one) for one in value)
    if isinstance(value, Labelled | Name):
        return words.text(value)
    return words.number(value) if isinstance(value, int) else code(value)


class Templates:
    """Renders pages."""

    def __init__(self, names: Names | None = None) -> None:
        """`names` are those of agencies, services and projects, which may grow."""
        self._environment = templates("consumers.console", "templates", "jinja2.ext.do")
        self._environment.globals["asset"] = lambda name: assets()[name].address
        self._environment.globals |= {"cell": cell, "named": named, "label": label, "fields": fields}
        self._environment.globals |= {"listed": listed, "directory": names}
        self._environment.filters |= {"isolated": isolated, "code": code, "english": english}

    def render(self, template: str, words: Words, context: Mapping[str, Any]) -> str:
        """The HTML of a template for a reader's language."""
        page = self._environment.get_template(template).render(context, w=words, t=words.say)
        return in_reading_order_html(page) if words.language == "ar" else page

    def part(self, template: str, words: Words, context: Mapping[str, Any]) -> Markup:
        """A part of a page, which a page's own template takes as it is."""
        return Markup(self.render(template, words, context))  # noqa: S704 - a template's output, which is escaped

    def page(self, template: str, words: Words, context: Mapping[str, Any], status: int = 200) -> HTMLResponse:
        return HTMLResponse(self.render(template, words, context), status, {"Content-Language": words.language})
