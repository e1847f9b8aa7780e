"""A form as the page shows it: every field with its name, what was typed, and its faults; and an event in words.

Flows in: the fields of a type, the texts, the faults by name. Flows out: the same tree with names, one node for each
item of a list. What no field shows stays in the summary.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from consumers.console.pages.workspace.entered import (
    DATA,
    GIVEN,
    Choices,
    Group,
    Kind,
    Leaf,
    Many,
    Node,
    Values,
    count_of,
    one,
)
from consumers.documents.campaigns.campaigns import Channel
from consumers.documents.document import NO, YES
from consumers.documents.ledger.partnerships import Calendar, PeriodKind, TierBasis
from consumers.documents.programme.directory import ProjectKind, ServiceChannel
from consumers.documents.programme.plan import Track
from events.values.bilingual import Bilingual, joined

Faults = Mapping[str, Sequence[Bilingual]]


@dataclass(frozen=True, slots=True)
class Hint:
    """How a value is written. `example` is read from left to right."""

    words: Bilingual
    example: str = ""


_B: Final = Bilingual
HINTS: Final[Mapping[Kind, Hint]] = {
    "id": Hint(_B("حروف لاتينية وأرقام و", "Latin letters, digits and"), ". _ -"),
    "agency": Hint(_B("مثل", "Such as"), "health"),
    "date": Hint(_B("تاريخ ميلادي مثل", "A Gregorian date such as"), "2006-03-01"),
    "period": Hint(_B("شهر أو ربع، مثل", "A month or a quarter, such as"), "1426-03, 2005-Q1"),
    "url": Hint(_B("يبدأ بـ", "Begins with"), "https://"),
    "trainee": Hint(_B("يبدأ بـ", "Begins with"), "trn_"),
    "riyals": Hint(_B("بالريال، مثل", "In riyals, such as"), "1250.50"),
    "percent": Hint(_B("نسبة مئوية، مثل", "A percentage, such as"), "12.5"),
}
_NOT_IN_A_FORM: Final = (
    *(" بالهللات المتراكمة", " بالهللات", "، من كل عشرة آلاف", " من كل عشرة آلاف", "، أو null", "، أو قائمة فارغة"),
    *(", in cumulative halalas", ", in halalas", " in halalas", ", in 1/10,000", " in 1/10,000", ", or null"),
    ", or an empty list",
)
"""Endings of meanings that describe the event's JSON, where a form asks for riyals and percentages."""
_STEP_LARGE: Final = 24
"""A list that may be longer than this grows by twelve too."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A field of the page. `shape` is its class in lower case, or `pair`; `parts` are its members or items."""

    node: Node
    shape: str
    name: str
    label: Bilingual
    texts: tuple[str, ...] = ()
    faults: tuple[Bilingual, ...] = ()
    parts: tuple[Shown, ...] = ()
    hint: Hint | None = None
    count: int = 0
    is_given: bool = True

    @property
    def text(self) -> str:
        return self.texts[0] if self.texts else ""

    @property
    def steps(self) -> tuple[int, ...]:
        """By how many items the list can grow at once."""
        if not isinstance(self.node, Many) or self.count >= self.node.most:
            return ()
        return (1, 12) if self.node.most > _STEP_LARGE else (1,)


def shown(nodes: Sequence[Node], values: Values, faults: Faults) -> tuple[Shown, ...]:
    """The fields of `data`."""
    return tuple(_shown(node, f"{DATA}.{node.name}", values, faults) for node in nodes)


def names_of(fields: Sequence[Shown]) -> Iterator[str]:
    """The names of all fields."""
    for field in fields:
        yield field.name
        yield from names_of(field.parts)


def faulty(fields: Sequence[Shown]) -> Iterator[Shown]:
    """The fields with faults, in the order of the page."""
    for field in fields:
        if field.faults:
            yield field
        yield from faulty(field.parts)


def elsewhere(fields: Sequence[Shown], faults: Faults) -> list[Bilingual]:
    """The faults that no field of the page shows."""
    known = {"id", "time", *names_of(fields)}
    return [fault for name, found in faults.items() if name not in known for fault in found]


def many_by_name(nodes: Sequence[Node], name: str) -> Many | None:
    """The list that a form's name stands for, if it stands for one."""
    steps = name.split(".")
    if steps[0] != DATA:
        return None
    found: Node | None = None
    among: Sequence[Node] = nodes
    for step in steps[1:]:
        if isinstance(found, Many) and step.isascii() and step.isdigit():
            found = found.item
        else:
            found = next((node for node in among if node.name == step), None)
        among = found.members if isinstance(found, Group) else ()
    return found if isinstance(found, Many) else None


def label_of(node: Node) -> Bilingual:
    """The meaning, as the label of a field."""
    ar, en = node.meaning.ar.rstrip("."), node.meaning.en.rstrip(".")
    for ending in _NOT_IN_A_FORM:
        ar, en = ar.removesuffix(ending), en.removesuffix(ending)
    return Bilingual(ar, en)


def _shown(node: Node, name: str, values: Values, faults: Faults) -> Shown:
    label, mine = label_of(node), tuple(faults.get(name, ()))
    match node:
        case Leaf():
            hint = HINTS.get(node.kind)
            if node.kind == "integer" and node.least is not None and node.most is not None and node.most < 10_000:
                hint = Hint(Bilingual("من {} إلى {}", "From {} to {}").format(node.least, node.most))
            return Shown(node, "leaf", name, label, tuple(values.get(name, ())), mine, hint=hint)
        case Choices():
            return Shown(node, "choices", name, label, tuple(values.get(name, ())), mine)
        case Group():
            parts = [_shown(member, f"{name}.{member.name}", values, faults) for member in node.members]
            is_given = not node.nullable or bool(one(values, name + GIVEN))
            shape = "pair" if node.is_pair else "group"
            return Shown(node, shape, name, label, (), mine, tuple(parts), is_given=is_given)
        case Many():
            count = count_of(values, name, node)
            parts = [_shown(node.item, f"{name}.{number}", values, faults) for number in range(count)]
            parts = [replace(part, label=Bilingual(str(i), str(i))) for i, part in enumerate(parts, 1)]
            return Shown(node, "many", name, label, (), mine, tuple(parts), count=count)


CHOICE_NAMES: Final = {
    choice.value: choice
    for kind in (ServiceChannel, Channel, Track, Calendar, PeriodKind, TierBasis, ProjectKind)
    for choice in kind
}
"""The values that people choose from."""

_PLAIN: Final = frozenset({"text", "long-text"})
NONE: Final = _B("لا يوجد", "None")


@dataclass(frozen=True, slots=True)
class FieldRow:
    """A field and its value. `kind`: `riyals`, `percent`, `date`, `number`, `code`, `text`, `words` (in both
    languages), or `rows` (a list or group: `rows`)."""

    label: Bilingual
    kind: str
    value: Any = None
    rows: tuple[FieldRow, ...] = ()


def in_words(nodes: Sequence[Node], data: Mapping[str, Any]) -> tuple[FieldRow, ...]:
    """The rows of an event's data; a member that it does not have has none."""
    return tuple(_row(node, data[node.name], label_of(node)) for node in nodes if node.name in data)


def _row(node: Node, value: Any, label: Bilingual) -> FieldRow:
    if value is None:
        return FieldRow(label, "words", NONE)
    match node:
        case Leaf():
            return _leaf(node, value, label)
        case Choices():
            return FieldRow(label, "words", joined(CHOICE_NAMES[choice] for choice in value))
        case Group():
            return FieldRow(label, "rows", rows=in_words(node.members, value))
        case Many():
            if not value:
                return FieldRow(label, "words", NONE)
            rows = [_row(node.item, item, Bilingual(str(i), str(i))) for i, item in enumerate(value, 1)]
            return FieldRow(label, "rows", rows=tuple(rows))


def _leaf(leaf: Leaf, value: Any, label: Bilingual) -> FieldRow:
    match leaf.kind:
        case "boolean":
            return FieldRow(label, "words", YES if value else NO)
        case "choice":
            return FieldRow(label, "words", CHOICE_NAMES[value])
        case "integer":
            return FieldRow(label, "number", value)
        case "riyals" | "percent" | "date":
            return FieldRow(label, leaf.kind, value)
        case _:
            return FieldRow(label, "text" if leaf.kind in _PLAIN else "code", value)
