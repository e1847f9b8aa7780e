"""Agencies, services and projects by their names: documents have their codes, which people do not know.

Tables have the names, and so have the entries that registered them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any, Final, Literal

from msgspec import Struct, convert

from consumers.documents.document import AgencyCode, Name, ProjectId, ServiceId, ServiceIds, fields
from events.values.bilingual import Bilingual
from events.wire.entry import Entry

Kind = Literal["agency", "service", "project"]
Code = tuple[Kind, str]
Names = Mapping[Code, Name]
"""Those that are known. A code without one is shown as it is."""
_KINDS: Final[Mapping[Any, Kind]] = {
    AgencyCode: "agency",
    ServiceId: "service",
    ServiceIds: "service",
    ProjectId: "project",
}
_REGISTRATIONS: Final[Mapping[str, tuple[Kind, str]]] = {
    "registry.agency-registered": ("agency", "code"),
    "service.registered": ("service", "service_id"),
    "project.registered": ("project", "project_id"),
}
"""Type of the entry → what it registers, and the member with its code."""


def kind_of(field_type: Any) -> Kind | None:
    """What a field's value is the code of."""
    return _KINDS.get(field_type)


def codes_of(texts: Iterable[str]) -> Iterator[Code]:
    """Of texts like `agency/health`."""
    for kind, _, code in (text.partition("/") for text in texts):
        yield convert(kind, Kind), code


def registered(entry: Entry) -> tuple[Code, Name] | None:
    """The code and the name that an entry registers. The first entry of a code counts."""
    if entry.type not in _REGISTRATIONS:
        return None
    kind, member = _REGISTRATIONS[entry.type]
    return (kind, entry.data[member]), convert(entry.data["name"], Name)


def with_code(names: Names, kind: Kind, code: str) -> Bilingual:
    """The name and its code; the code alone where it has none."""
    known = names.get((kind, code))
    return Bilingual(code, code) if known is None else Bilingual("{} ({})", "{} ({})").format(known, code)


def codes_in(value: Any) -> Iterator[Code]:
    """The codes in a document or several, and in the documents inside them."""
    if isinstance(value, Struct):
        for name, kind in _coded(type(value)):
            codes = getattr(value, name) or ()
            yield from ((kind, code) for code in ([codes] if isinstance(codes, str) else codes))
        value = [getattr(value, name) for name in value.__struct_fields__]
    if isinstance(value, Mapping):
        value = value.values()
    if isinstance(value, Iterable) and not isinstance(value, str | bytes):
        for one in value:
            yield from codes_in(one)


@cache
def _coded(document: type[Struct]) -> tuple[tuple[str, Kind], ...]:
    return tuple((field.name, kind) for field in fields(document) if (kind := kind_of(field.type)) is not None)
