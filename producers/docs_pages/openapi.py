"""What the pages of the HTTP API show of the OpenAPI document."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final, NamedTuple

import orjson

from events.schema_tools.field_meanings import ATTRIBUTE_MEANINGS
from producers.docs_pages.fields import FieldRow, kind_of, rows_of

Document = dict[str, Any]
"""The OpenAPI document, or a part of it."""
API: Final = "/docs/api"


class Body(NamedTuple):
    """A body in one media type. `example` is empty where the document has none."""

    media_type: str
    rows: list[FieldRow]
    example: str


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation, with the document that it is from."""

    method: str
    path: str
    part: Document
    document: Document

    @property
    def name(self) -> str:
        return f"{self.method.upper()} {self.path}"

    @property
    def page(self) -> str:
        """The path of its page: `/docs/api/get-v1-events-id`."""
        return f"{API}/" + "-".join([self.method, *re.findall(r"\w+", self.path)])

    @property
    def paragraphs(self) -> list[str]:
        return [" ".join(part.split()) for part in self.part.get("description", "").split("\n\n") if part]

    @property
    def parameters(self) -> list[FieldRow]:
        return [self._row(one["name"], one, one.get("required", False)) for one in self.part.get("parameters", ())]

    @property
    def answers(self) -> list[tuple[str, Document]]:
        """Status and answer, without errors."""
        return [(status, answer) for status, answer in sorted(self.part["responses"].items()) if status < "4"]

    @property
    def errors(self) -> list[tuple[str, Document]]:
        return [(status, answer) for status, answer in sorted(self.part["responses"].items()) if status >= "4"]

    def headers(self, answer: Document) -> list[FieldRow]:
        return [self._row(name, header, required=True) for name, header in answer.get("headers", {}).items()]

    def bodies(self, part: Document) -> list[Body]:
        """The bodies of the request or of an answer, by media type."""
        return [
            Body(media_type, list(rows_of(body.get("schema", {}), self.document)), _example(body))
            for media_type, body in part.get("content", {}).items()
        ]

    def command(self) -> str:
        """For a shell; what the caller must fill in is a variable of its own."""
        address = re.sub(r"\{(\w+)\}", lambda found: f"${{{found[1].upper()}}}", self.path)
        required = [row.path for row in self.parameters if row.place == "query" and row.required]
        query = "?" * bool(required) + "&".join(f"{name}=${{{name.upper()}}}" for name in required)
        method = "" if self.method == "get" else f" -X {self.method.upper()}"
        parts = [f'curl -sS{method} "$YESSER_GATEWAY{address}{query}"']
        if self.part.get("security"):
            parts.append('-H "Authorization: Bearer $YESSER_TOKEN"')
        for body in self.bodies(self.part.get("requestBody", {}))[:1]:
            parts += [f'-H "Content-Type: {body.media_type}"', f"--data-binary {shlex.quote(body.example or '{}')}"]
        return " \\\n  ".join(parts)

    def _row(self, name: str, part: Document, required: bool) -> FieldRow:
        about = part.get("description", "")
        return FieldRow(name, kind_of(part["schema"], self.document), required, about, part.get("in", ""))


def operations_of(document: Document) -> list[Operation]:
    """Every operation, in document order, those of a tag together."""
    operations = [
        Operation(method, path, part, document)
        for path, methods in document["paths"].items()
        for method, part in methods.items()
    ]
    tags = list(dict.fromkeys(map(tag_of, operations)))
    return sorted(operations, key=lambda operation: tags.index(tag_of(operation)))


def tag_of(operation: Operation) -> str:
    return str(operation.part["tags"][0])


def _example(body: Document) -> str:
    return orjson.dumps(body["example"], option=orjson.OPT_INDENT_2).decode() if "example" in body else ""


@cache
def arabic_texts() -> Mapping[str, str]:
    """English text of the OpenAPI document → Arabic; an event's attributes have theirs in `ATTRIBUTE_MEANINGS`."""
    pairs = orjson.loads(files("producers.docs_pages").joinpath("api_texts.json").read_bytes())
    meanings = {meaning.en: meaning.ar for meaning in ATTRIBUTE_MEANINGS.values()}
    return meanings | {pair["en"]: pair["ar"] for pair in pairs}
