"""The JSON Schema (2020-12) of each type's event, from the models; rules beyond a schema are sentences in it.

The log records by the hash of these schemas which catalogue judged what. It is taken over the committed schemas:
another version of the generator must not change it.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Any, Final

import orjson
from pydantic.json_schema import GenerateJsonSchema

from events.types.catalogue import CATALOGUE, Sender
from events.validation.models import event_model
from events.values.bilingual import Bilingual
from events.wire.codec import canonical_bytes
from events.wire.envelope import full_type, schema_uri

Schema = dict[str, Any]
"""A JSON Schema, or a part of an AsyncAPI document."""
DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"

SENDERS: Final[Mapping[Sender, Bilingual]] = {
    "office": Bilingual("مكتب البرنامج", "the programme office"),
    "agency": Bilingual("أي جهة مسجَّلة", "any registered agency"),
    "owner": Bilingual(
        "الجهة المالكة (وما ترسله جهة أخرى يُسجَّل تناقضًا)",
        "the owning agency (an event of another agency becomes an anomaly)",
    ),
    "platform": Bilingual("المنصة نفسها", "the platform itself"),
}
"""The sender of a type, in words."""

_IN_WORDS: Final = (
    "The event is UTF-8 JSON without a byte order mark, at most 61,440 bytes as sent and 16 levels deep (the event "
    "itself is level 1); no object has a name twice or more than 64 members, no text a NUL or a lone surrogate.",
    "Integers are written as integers: 100.0 and 1e2 are refused, although JSON Schema allows them.",
    "An envelope attribute that is null counts as absent.",
    "A date is a day of the Gregorian calendar within 1924-08-01 … 2077-11-16.",
    "No text and no name holds a national id: a run of ten digits, also Arabic or Persian ones, beginning with 1 or 2, "
    "that passes the Luhn check. No id is ten digits beginning with 1 or 2.",
)


def schema_of(name: str) -> Schema:
    row = CATALOGUE[name]
    schema = event_model(name).model_json_schema(schema_generator=_Generator)
    head = {
        "$schema": DIALECT,
        "$id": schema_uri(name),
        "title": full_type(name),
        "description": row.purpose.en,
        "x-purpose-ar": row.purpose.ar,
        "x-sent-by": SENDERS[row.sender].en,
        "x-subject": row.subject.pattern,
        "x-in-words": [
            f"The subject is {row.subject.pattern}, with the values of data.",
            *(f"/data{rule.pointer}: {rule.detail}" for rule in row.rules),
            *_IN_WORDS,
        ],
    }
    return {**head, **{key: value for key, value in _plain(schema).items() if key not in head}}


class _Generator(GenerateJsonSchema):
    """Pydantic's generator without titles made from field names and without defaults."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def _plain(value: Any) -> Any:
    """The schema without defaults and the models' own titles."""
    if isinstance(value, dict):
        return {
            key: _plain(item)
            for key, item in value.items()
            if not (key == "default" or (key == "title" and isinstance(item, str)))
        }
    return [_plain(item) for item in value] if isinstance(value, list) else value


@cache
def catalogue_sha256() -> str:
    """SHA-256 over the RFC 8785 form of the object full type → its JSON Schema, in hexadecimal."""
    folder = files("events") / "schemas"
    schemas = {full_type(name): orjson.loads((folder / f"{name}.v1.json").read_bytes()) for name in CATALOGUE}
    return sha256(canonical_bytes(schemas)).hexdigest()
