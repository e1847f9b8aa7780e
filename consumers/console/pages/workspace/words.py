"""An event in words: the fields of its data with their meanings, and values as people read them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from consumers.console.pages.workspace.form import Choices, Group, Leaf, Many, Node, Pair
from consumers.console.pages.workspace.shown import label_of
from events.faults.problems import Bilingual

_B: Final = Bilingual

CHOICE_NAMES: Final[Mapping[str, Bilingual]] = {
    "web": _B("الويب", "Web"),
    "mobile": _B("الجوال", "Mobile"),
    "kiosk": _B("أجهزة الخدمة الذاتية", "Kiosk"),
    "phone": _B("الهاتف", "Phone"),
    "counter": _B("مكاتب الخدمة", "Counter"),
    "tv": _B("التلفزيون", "Television"),
    "radio": _B("الإذاعة", "Radio"),
    "print": _B("الصحافة", "Print"),
    "usage": _B("الاستخدام", "Use"),
    "specialist": _B("المتخصصون", "Specialists"),
    "leadership": _B("القيادات ومديرو المشاريع", "Leaders"),
    "gregorian": _B("التقويم الميلادي", "Gregorian calendar"),
    "umm-al-qura": _B("تقويم أم القرى", "Umm al-Qura calendar"),
    "month": _B("شهر", "Month"),
    "quarter": _B("ربع سنة", "Quarter"),
    "lifetime": _B("مدة العقد كلها", "The whole term"),
    "contract-year": _B("كل سنة من العقد", "Each contract year"),
    "infrastructure": _B("بنية تحتية", "Infrastructure"),
    "national-application": _B("تطبيق وطني", "National application"),
}
"""The values that people choose from."""

_PLAIN: Final = frozenset({"text", "long-text"})
YES: Final = _B("نعم", "Yes")
NO: Final = _B("لا", "No")
NONE: Final = _B("لا يوجد", "None")


@dataclass(frozen=True, slots=True)
class Row:
    """A field and its value. `kind`: `riyals`, `percent`, `date`, `number`, `code`, `text`, `words` (in both
    languages), or `rows` (a list or group: `rows`)."""

    label: Bilingual
    kind: str
    value: Any = None
    rows: tuple[Row, ...] = ()


def in_words(nodes: Sequence[Node], data: Mapping[str, Any]) -> tuple[Row, ...]:
    """The rows of an event's data; a member that it does not have has none."""
    return tuple(_row(node, data[node.name], label_of(node)) for node in nodes if node.name in data)


def _row(node: Node, value: Any, label: Bilingual) -> Row:
    if value is None:
        return Row(label, "words", NONE)
    match node:
        case Leaf():
            return _leaf(node, value, label)
        case Pair():
            ar, en = Bilingual("بالعربية", "In Arabic"), Bilingual("بالإنجليزية", "In English")
            return Row(label, "rows", rows=(Row(ar, "text", value["ar"]), Row(en, "text", value["en"])))
        case Choices():
            names = [CHOICE_NAMES[choice] for choice in value]
            joined = Bilingual("، ".join(name.ar for name in names), ", ".join(name.en for name in names))
            return Row(label, "words", joined)
        case Group():
            return Row(label, "rows", rows=in_words(node.members, value))
        case Many():
            if not value:
                return Row(label, "words", NONE)
            rows = [_row(node.item, item, Bilingual(str(i), str(i))) for i, item in enumerate(value, 1)]
            return Row(label, "rows", rows=tuple(rows))


def _leaf(leaf: Leaf, value: Any, label: Bilingual) -> Row:
    match leaf.kind:
        case "boolean":
            return Row(label, "words", YES if value else NO)
        case "choice":
            return Row(label, "words", CHOICE_NAMES[value])
        case "integer":
            return Row(label, "number", value)
        case "riyals" | "percent" | "date":
            return Row(label, leaf.kind, value)
        case _:
            return Row(label, "text" if leaf.kind in _PLAIN else "code", value)
