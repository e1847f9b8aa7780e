"""What somebody typed into a type's form, as the event that it makes, and what is wrong with it, field by field.

Flows in: the form's names with their texts, the type, the agency. Flows out: the event's bytes, or sentences for each
field. A name is the JSON pointer of its member with dots: `/data/terms/bands/0/partner_bp` is
`data.terms.bands.0.partner_bp`. Digits may be Arabic ones, and amounts may have separators of thousands; nothing else
is read as anything but what it says: amounts become halalas exactly, without a fraction in between.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from consumers.console.pages.workspace.faults import faults_by_name
from consumers.console.pages.workspace.form import Choices, Group, Kind, Leaf, Many, Node, form_of
from consumers.console.web.language import western
from events.types.catalogue import CATALOGUE
from events.validation.validate import validate
from events.validation.verdicts import Agency, Refused
from events.values.bilingual import Bilingual
from events.values.data import Data
from events.values.money import INTEGER_MAX
from events.wire.codec import STRUCTURED_HEADERS, build_event
from infra.tables.mapping import Column, cell_value

Values = Mapping[str, Sequence[str]]
"""The texts of each name of a form."""

DATA: Final = "data"
GIVEN: Final = "?"
"""Ends the name of the box that says that a group, which may be absent, is given."""
COUNT: Final = ".count"
"""Ends the name that says how many items a list has."""

_GROUPED: Final = re.compile(r"-?[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?")
_MINUTES: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}")
_NUMBERS: Final[Mapping[Kind, Column]] = {
    "integer": Column(type="integer"),
    "riyals": Column(type="riyals"),
    "percent": Column(type="riyals"),
}
"""A percentage has two decimals, as an amount has: 12.5 % is 1250 basis points as 12.5 riyals are 1250 halalas."""
_DIGITS: Final = frozenset({*_NUMBERS, "date", "period"})
_UNREADABLE: Final[Mapping[Kind, Bilingual]] = {
    "integer": Bilingual("اكتب عددًا صحيحًا مثل 1200.", "Write a whole number such as 1200."),
    "riyals": Bilingual(
        "اكتب المبلغ بالريال بمنزلتين عشريتين على الأكثر، مثل 1250.50.",
        "Write the amount in riyals with at most two decimals, such as 1250.50.",
    ),
    "percent": Bilingual(
        "اكتب النسبة بمنزلتين عشريتين على الأكثر، مثل 12.5.",
        "Write the percentage with at most two decimals, such as 12.5.",
    ),
}
_EMPTY: Final = Bilingual("املأ هذا الحقل.", "Fill in this field.")


@dataclass(slots=True)
class Entered:
    """The event that the form makes. `faults` are sentences by name, which is "" for the whole event."""

    event_id: str
    data: Data
    event_bytes: bytes = b""
    faults: dict[str, list[Bilingual]] = field(default_factory=dict)


def entered(type_name: str, agency: Agency, values: Values) -> Entered:
    """The event of a form's texts, validated as the registrar validates it."""
    unreadable: dict[str, list[Bilingual]] = {}
    data = {
        node.name: value
        for node in form_of(type_name)
        if (value := _value(node, f"{DATA}.{node.name}", values, unreadable)) is not _ABSENT
    }
    result = Entered(one(values, "id").strip(), data)
    event = build_event(
        type=type_name,
        agency=agency.code,
        id=result.event_id,
        subject=_subject(type_name, data),
        time=_time(one(values, "time")),
        data=data,
    )
    verdict = validate(event, STRUCTURED_HEADERS, agency)
    if isinstance(verdict, Refused):
        found = faults_by_name(verdict.faults)
        result.faults = {name: found[name] if _has_text(values, name) else [_EMPTY] for name in found} | unreadable
    elif unreadable:
        result.faults = unreadable
    else:
        result.event_bytes = verdict.event_bytes
    return result


def one(values: Values, name: str) -> str:
    """The text of a name, "" where it was not sent."""
    texts = values.get(name)
    return texts[0] if texts else ""


def count_of(values: Values, name: str, many: Many) -> int:
    """How many items a list has in the form."""
    found = _count(values, name)
    return min(many.least if found is None else found, many.most)


def with_added(values: Values, name: str, count: int, most: int) -> dict[str, list[str]]:
    """The form with further, empty items at the end of a list."""
    changed = {key: list(texts) for key, texts in values.items()}
    changed[name + COUNT] = [str(min(most, (_count(values, name) or 0) + count))]
    return changed


def without(values: Values, name: str, number: int) -> dict[str, list[str]]:
    """The form without one item of a list; those after it move up."""
    changed: dict[str, list[str]] = {}
    item = re.compile(re.escape(name) + r"\.([0-9]+)(.*)", re.DOTALL)
    for key, texts in values.items():
        found = item.fullmatch(key)
        place = -1 if found is None else int(found.group(1))
        if found is not None and place == number:
            continue
        moved = key if found is None or place < number else f"{name}.{place - 1}{found.group(2)}"
        changed[moved] = list(texts)
    if (count := _count(values, name)) is not None:
        changed[name + COUNT] = [str(max(0, count - 1))]
    return changed


def _count(values: Values, name: str) -> int | None:
    """What the form says; None where it says no number that can be."""
    text = one(values, name + COUNT)
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else None


class _Absent:
    """What a member is that the event does not have."""


_ABSENT: Final = _Absent()


def _value(node: Node, name: str, values: Values, unreadable: dict[str, list[Bilingual]]) -> Any:
    match node:
        case Leaf():
            return _leaf(node, name, values, unreadable)
        case Choices():
            chosen = set(values.get(name, ()))
            found = [choice for choice in node.choices if choice in chosen]
            return found if found or node.required else _ABSENT
        case Many():
            count = count_of(values, name, node)
            items = [_value(node.item, f"{name}.{number}", values, unreadable) for number in range(count)]
            found = ["" if item is _ABSENT else item for item in items]
            return found if found or node.required else _ABSENT
        case Group():
            if node.nullable and not one(values, name + GIVEN):
                return None
            members = {
                member.name: value
                for member in node.members
                if (value := _value(member, f"{name}.{member.name}", values, unreadable)) is not _ABSENT
            }
            return members if members or node.required else _ABSENT


def _leaf(leaf: Leaf, name: str, values: Values, unreadable: dict[str, list[Bilingual]]) -> Any:
    text = _text(values, name)
    if not text:
        return None if leaf.nullable else _ABSENT
    if leaf.kind in _DIGITS:
        text = western(text)
    if leaf.kind == "boolean":
        return cell_value(text, Column(type="boolean"))
    column = _NUMBERS.get(leaf.kind)
    if column is None:
        return text
    value = cell_value(text.replace(",", "") if _GROUPED.fullmatch(text) else text, column)
    if isinstance(value, int) and abs(value) <= INTEGER_MAX:
        return value
    unreadable[name] = [_UNREADABLE[leaf.kind]]
    return text


def _has_text(values: Values, name: str) -> bool:
    """Whether something was typed under this name or below it. What no field holds counts as typed."""
    below = f"{name}."
    names = [key for key in values if key == name or (key.startswith(below) and not key.endswith(COUNT))]
    is_field = name in ("id", "time") or name.startswith(f"{DATA}.")
    return not is_field or any(text.strip() for key in names for text in values[key])


def _text(values: Values, name: str) -> str:
    """Browsers end lines with CRLF; an event's text has LF."""
    return one(values, name).replace("\r\n", "\n").strip()


def _subject(type_name: str, data: Data) -> str:
    try:
        return CATALOGUE[type_name].subject.of(data)
    except (KeyError, TypeError):
        return ""


def _time(text: str) -> str:
    """A date and a time of the clock in Riyadh, as the browser sends them, with their offset."""
    given = western(text.strip())
    return f"{given}:00+03:00" if _MINUTES.fullmatch(given) else f"{given}+03:00" if given else ""
