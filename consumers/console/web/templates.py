"""Templates: Jinja2 with automatic escaping, where a name that does not exist is an error.

Every template has the reader's words as `w`, `t(ar, en)` for a text in both languages, `asset(name)`, `label` and
`cell` of a document's field, and the filters `isolated`, `code` and `english`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from consumers.console.web.assets import assets
from consumers.console.web.documents import cell, label, named
from consumers.console.web.language import Words, code, english, isolated
from consumers.documents.document import fields, listed
from consumers.documents.names import Names
from infra.http.prose import in_reading_order_html


class Templates:
    """Renders pages."""

    def __init__(self, names: Names | None = None) -> None:
        """`names` are those of agencies, services and projects, which may grow."""
        self._environment = Environment(
            loader=PackageLoader("consumers.console", "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            extensions=["jinja2.ext.do"],
        )
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
