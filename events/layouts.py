"""Events written as one that was proven: recognised by their text alone, without reading it anew.

A *layout* is the text of an event without fault in which each value became what its own field allows, as one regular
expression. A text that matches it whole differs from the proven one in such values only. So it is JSON of the same
shape (well-formed, no deeper, no name twice, none unknown), every value has the type, pattern and bounds of its field,
source and type are the same, and the subject is the one that the data gives. That is all the door asks of a type
without rules over several members, but for personal data and size, which are not judged here.

What hardly changes, or a layout cannot state, stays as it stood in the proven event: the source, the content type,
integers with bounds of their own, whatever has a constraint that is not known here. A type with rules over several
members has no layout, nor has a text that neither of the usual writers would write.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any, Final

from events.catalogue import CATALOGUE, EventType
from events.money import INTEGER_MAX
from events.validators import checking_schema
from events.verdicts import NOT_IDENTITY, Agency, Said

_SEPARATORS: Final = ((",", ":"), (", ", ": "))
"""Between members and after names: as JavaScript and `orjson` write, and as Python's `json` does."""

Path = tuple[str | int, ...]
"""Where a value stands in an event."""

_INTEGERS: Final = {
    (-INTEGER_MAX, INTEGER_MAX): "0|-?[1-9][0-9]{0,14}",
    (0, INTEGER_MAX): "0|[1-9][0-9]{0,14}",
    (1, INTEGER_MAX): "[1-9][0-9]{0,14}",
}
"""Bounds → integers within them: up to fifteen digits, all of which are below 2^53."""

_NO_END: Final = r'[^"\\\x00-\x1f'
_LITERAL: Final = (("source",), ("datacontenttype",))
_TOLD: Final[Mapping[Path, str]] = {("id",): "id", ("sequence",): "sequence"}
_FIELD: Final = re.compile(r"\{(\w+)\}")
_SCALAR_KEYS: Final = frozenset({"type", "strict", "metadata", "pattern", "min_length", "max_length", "ge", "le"})
_PER_SENDER_MAX: Final = 8
_LAYOUTS_MAX: Final = 1_000
"""Each takes some 30 kB."""
LEARN_AFTER: Final = 1_000
"""Making a layout costs as much as proving some hundred events: so many must have had none before one is made."""


@dataclass(frozen=True, slots=True)
class Layout:
    """One way in which events of the type `type` are written by one source.

    `pattern` matches the text of one event; every value that may differ is a group, those of `id`, `subject` and
    `sequence` by name. `ascii_pattern` is the same for bytes that are ASCII; its groups are `event` (all of it), `id`,
    and what the subject repeats. `identity` is what `identity_bytes` writes with `%s` for `values` of the groups.
    """

    type: str
    pattern: re.Pattern[str]
    ascii_pattern: re.Pattern[bytes]
    has_sequence: bool
    identity: str
    values: Callable[[tuple[str, ...]], tuple[str, ...]] = field(compare=False)

    def said(self, found: re.Match[str]) -> Said:
        """Id, subject and sequence of a matched event."""
        return found["id"], found["subject"], found["sequence"] if self.has_sequence else None

    def identity_bytes(self, found: re.Match[str]) -> bytes:
        """What `events.verdicts.identity_bytes` writes of a matched event."""
        return (self.identity % self.values(found.groups())).encode()

    def all_in(self, body: bytes) -> tuple[list[bytes], list[bytes]]:
        """The events that ASCII bytes show and their ids, whatever stands between them."""
        pattern = self.ascii_pattern
        event_at, id_at = pattern.groupindex["event"] - 1, pattern.groupindex["id"] - 1
        found = pattern.findall(body)
        return [groups[event_at] for groups in found], [groups[id_at] for groups in found]


class Layouts:
    """The layouts of what was proven lately, by sender: they change how soon a verdict comes, never the verdict.

    At most eight of a sender are kept, the one that was used last in front; of too many all are forgotten.
    """

    def __init__(self, learn_after: int = LEARN_AFTER) -> None:
        self._learn_after = learn_after
        self._known: dict[tuple[str, str], list[Layout]] = {}
        self._unlike: dict[tuple[str, str], int] = {}

    def of(self, agency: Agency) -> list[Layout]:
        """The sender's layouts, for `recognise`."""
        return self._known.get(agency.sender, [])

    def proven(self, agency: Agency, value: bytes, event: dict[str, Any], name: str) -> None:
        """An event of the type `name`, read from `value`, has no fault and is like none of the sender's layouts."""
        sender = agency.sender
        unlike = self._unlike.get(sender, 0) + 1
        self._unlike[sender] = unlike % self._learn_after
        if unlike == self._learn_after:
            layout = layout_of(value.decode(), event, CATALOGUE[name])
            if layout is not None and layout not in self.of(agency):
                self._learn(sender, layout)

    def _learn(self, sender: tuple[str, str], layout: Layout) -> None:
        if sum(map(len, self._known.values())) >= _LAYOUTS_MAX:
            self._known.clear()
            self._unlike.clear()
        self._known[sender] = [layout, *self._known.get(sender, [])[: _PER_SENDER_MAX - 1]]


def recognise(layouts: list[Layout], text: str) -> tuple[Layout, re.Match[str]] | None:
    """The layout of the event with which the text begins, which then comes first, and the match."""
    for place, layout in enumerate(layouts):
        found = layout.pattern.match(text)
        if found is not None:
            if place:
                layouts.insert(0, layouts.pop(place))
            return layout, found
    return None


def layout_of(text: str, event: dict[str, Any], row: EventType) -> Layout | None:
    """The layout of an event without fault, whose text this is; None where it has none."""
    schema: Any = checking_schema(row.name)
    if row.rules or not _subject_is_of_words(row, schema):
        return None
    for between, after_name in _SEPARATORS:
        if json.dumps(event, ensure_ascii=False, separators=(between, after_name)) == text:
            telling = _Writing(row, schema, between, after_name, tells_values=True)
            pattern = re.compile(telling.event(event))
            short = _Writing(row, schema, between, after_name, tells_values=False)
            ascii_pattern = re.compile(f"(?P<event>{short.event(event)})".encode())
            identity, names = _identity(event, telling.groups)
            values = itemgetter(*(pattern.groupindex[name] - 1 for name in names))
            return Layout(row.name, pattern, ascii_pattern, event.get("sequence") is not None, identity, values)
    return None


def _identity(event: dict[str, Any], groups: Mapping[Path, str]) -> tuple[str, list[str]]:
    """The form of `identity_bytes` for such events, and which groups fill it, in order."""
    names: list[str] = []

    def write(value: Any, path: Path) -> str:
        if isinstance(value, dict):
            return (
                f"{{{','.join(f'{json.dumps(name)}:{write(value[name], (*path, name))}' for name in sorted(value))}}}"
            )
        if isinstance(value, list):
            return f"[{','.join(write(item, (*path, place)) for place, item in enumerate(value))}]"
        if path not in groups:
            return json.dumps(value, ensure_ascii=False).replace("%", "%%")
        names.append(groups[path])
        return '"%s"' if isinstance(value, str) else "%s"

    said = {name: value for name, value in event.items() if value is not None and name not in NOT_IDENTITY}
    return write(said, ()), names


def _subject_is_of_words(row: EventType, schema: Any) -> bool:
    """Whether the subject is made of fields of the data, all of them texts of listed characters, which any subject may
    hold."""
    data = schema["fields"]["data"]["schema"]["fields"]
    parts = [data[field]["schema"] for field in row.subject.fields]
    return tuple(_FIELD.findall(row.subject.pattern)) == row.subject.fields and all(
        part["type"] == "str" and "[^" not in part["pattern"] and _allowed("", part) is not None for part in parts
    )


class _Writing:
    """Writes the regular expression of one layout. `groups` are the names of what may differ, by its place."""

    def __init__(self, row: EventType, schema: Any, between: str, after_name: str, *, tells_values: bool) -> None:
        self._subject_pattern = row.subject.pattern
        self._shared_fields = {("data", field): field for field in row.subject.fields}
        self._schema = schema
        self._between = re.escape(between)
        self._after_name = re.escape(after_name)
        self._tells_values = tells_values
        self._written: set[str] = set()
        self.groups: dict[Path, str] = {}

    def event(self, event: dict[str, Any]) -> str:
        """The whole event."""
        return self._value(event, self._schema, ())

    def _value(self, value: Any, schema: Any, path: Path) -> str:
        kind = schema["type"]
        if value is None or path in _LITERAL:
            return _literal(value)
        if path == ("subject",):
            return self._subject()
        if path in self._shared_fields:
            self.groups[path] = self._shared_fields[path]
            return f'"{self._shared(self._shared_fields[path])}"'
        if kind == "nullable":
            return self._value(value, schema["schema"], path)
        if kind == "typed-dict":
            fields = schema["fields"]
            members = [
                f"{_literal(name)}{self._after_name}{self._value(item, fields[name]['schema'], (*path, name))}"
                for name, item in value.items()
            ]
            return rf"\{{{self._between.join(members)}\}}"
        if kind == "list":
            items = schema["items_schema"]
            written = (self._value(item, items, (*path, place)) for place, item in enumerate(value))
            return rf"\[{self._between.join(written)}\]"
        allowed = _allowed(value, schema)
        if allowed is None:
            return _literal(value)
        told = self._group(path, allowed)
        return f'"{told}"' if isinstance(value, str) else told

    def _group(self, path: Path, expression: str) -> str:
        name = _TOLD.get(path, f"value_{len(self.groups)}")
        if name != "id" and not self._tells_values:
            return expression
        self.groups[path] = name
        return f"(?P<{name}>{expression})"

    def _subject(self) -> str:
        """The subject's own text with the fields of the data in it, each of which stands somewhere else too."""
        parts = _FIELD.split(self._subject_pattern)
        parts[1::2] = map(self._shared, parts[1::2])
        written = "".join(parts)
        if not self._tells_values:
            return f'"{written}"'
        self.groups["subject",] = "subject"
        return f'"(?P<subject>{written})"'

    def _shared(self, field: str) -> str:
        """What stands in the data and in the subject: described where it comes first, then repeated."""
        if field in self._written:
            return f"(?P={field})"
        self._written.add(field)
        schema = self._schema["fields"]["data"]["schema"]["fields"][field]["schema"]
        return f"(?P<{field}>{_allowed('', schema)})"


def _literal(value: Any) -> str:
    return re.escape(json.dumps(value, ensure_ascii=False))


def _allowed(value: Any, schema: Any) -> str | None:
    """What the field of this value allows, without the quotes of a text; None: only this value."""
    kind = schema["type"]
    if kind == "literal":
        expected = [_literal(item)[1:-1] if isinstance(item, str) else _literal(item) for item in schema["expected"]]
        return None if len(expected) == 1 else f"(?:{'|'.join(expected)})"
    if not _SCALAR_KEYS.issuperset(schema):
        return None
    if kind == "str":
        return _text(schema)
    if kind == "int":
        within = _INTEGERS.get((schema.get("ge"), schema.get("le")))
        return None if within is None else f"(?:{within})"
    return "(?:true|false)" if kind == "bool" else None


def _text(schema: Any) -> str | None:
    """A text without escapes that its field allows; None where its pattern says nothing of the whole text.

    A pattern of listed characters ends where the text does. One that excludes characters may not run over the end, nor
    over what JSON escapes; and as it may match one text in many ways, it is atomic: looked at once, whatever follows.
    """
    anchored = schema.get("pattern", f"^{_NO_END}]*$")
    if anchored[:1] != "^" or anchored[-1:] != "$":
        return None
    pattern = anchored[1:-1]
    lengths = schema.get("min_length", 0), schema.get("max_length", "")
    bound = "" if lengths == (0, "") else f'(?=[^"]{{{lengths[0]},{lengths[1]}}}")'
    if "[^" in pattern:
        return f"{bound}(?>{pattern.replace('[^', _NO_END)})"
    return f"{bound}(?:{pattern})"
