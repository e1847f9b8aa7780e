"""One walk over a parsed event: the bounds, unknown names, and what is forbidden anywhere (huge integers, NUL, lone
surrogates, personal data).

In: an event and the shape of its type. Out: these faults, and the event as its model can check it at little cost.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence, Set
from typing import Any, Final, NamedTuple

import orjson

from events.faults.findings import Finding, finding
from events.faults.problems import Code
from events.validation.models import Shape
from events.validation.quick_search import is_suspect
from events.values.bounds import MEMBERS_MAX
from events.values.json_pointer import UNCLEAN, is_shown
from events.values.personal_data import holds_personal_data, looks_personal, shows_ten_digits
from events.wire.strict_json import HugeInteger

_UNKNOWN_FIELD: Final = "Unknown field; remove it or correct its name."
_TOO_MANY_MEMBERS: Final = "The object has {count} members; write at most 64."
_TOO_MANY_ITEMS: Final = "{field} has {count} items; write at most {bound}."
_BEYOND_RANGE: Final = "{value} is beyond ±(2^53 − 1); write a whole number within it."
_UNCLEAN_TEXT: Final = "The text holds NUL or half of a surrogate pair; remove it."
_UNCLEAN_NAME: Final = "The name holds NUL or half of a surrogate pair; remove it."
_PERSONAL_TEXT: Final = "A national id was found here; remove it."
_PERSONAL_NAME: Final = "A national id was found in a name; remove it."
_LIKE_AN_ID: Final = "Ten digits that begin with 1 or 2 look like a national id; put a letter before them."

_SEQUENCE: Final = re.compile(r"[0-9]{20}")
_NUL: Final = b"\\u0000"
_MEMBER: Final = b'":'
_LOOKED_INTO: Final = frozenset({dict, list, HugeInteger})
_SHORTEST_ID: Final = 10
_TOO_MANY: Final = object()
"""Stands for a list or an object beyond its bound: no model takes it, and none looks into it."""


class Walked(NamedTuple):
    """The faults of one walk. `faulty` are the pointers of known members that the model need not check.

    `event` has neither null attributes, nor unknown names, nor what is beyond a bound; None if it is itself beyond.
    """

    findings: list[Finding]
    faulty: Set[str]
    event: dict[str, Any] | None


def walk(event: Mapping[str, Any], shape: Shape) -> Walked:
    """Walk over an event. A null attribute counts as absent, but its name is searched."""
    unknown = _Unknown(*_to_look_for(event))
    if len(event) > MEMBERS_MAX:
        unknown.members(event, "", ends=False, checked=True)
        return Walked(unknown.findings, frozenset(), None)
    present = {name: value for name, value in event.items() if value is not None}
    unknown.members({name: None for name in event if name not in present}, "", ends=False, checked=True)
    known = _Known(unknown)
    return Walked(unknown.findings, known.faulty, known.members(present, shape.members or {}, ""))


def _to_look_for(event: Mapping[str, Any]) -> tuple[bool, bool]:
    """Whether a text, name or number of an event may be forbidden, and whether an object may have too many members.
    Both are False for nearly every event."""
    try:
        written = orjson.dumps(event, option=orjson.OPT_STRICT_INTEGER)
    except orjson.JSONEncodeError:  # half of a surrogate pair, a huge integer, or a fraction
        return True, True
    sequence = event.get("sequence")
    has_sequence = isinstance(sequence, str) and _SEQUENCE.fullmatch(sequence) is not None
    searches = _NUL in written or is_suspect(written, sequence if has_sequence else None)
    return searches, written.count(_MEMBER) > MEMBERS_MAX


def _may_be_forbidden(text: str) -> bool:
    return UNCLEAN.search(text) is not None or (len(text) >= _SHORTEST_ID and shows_ten_digits(text))


class _Unknown:
    """Walks over what the type does not define, which may be thousands of values, and collects all findings.

    `searches`: whether it looks at texts, numbers and names; `counts`: whether it counts the members of objects.

    A place is the pointer of a list or an object, whether it `ends` at a name that is not shown, and whether the place
    is `checked`: of what is in something beyond a bound, only personal data is a fault.
    """

    def __init__(self, searches: bool, counts: bool) -> None:
        self.searches = searches
        self._counts = counts
        self.findings: list[Finding] = []

    def add(self, code: Code, pointer: str, sentence: str, **values: Any) -> None:
        self.findings.append(finding(code, pointer, sentence, **values))

    def items(self, value: Sequence[Any], pointer: str, ends: bool, checked: bool) -> None:
        if not (self.searches or (self._counts and checked)):
            return
        for position, item in enumerate(value):
            kind = type(item)
            if kind is list:
                if item:
                    self.items(item, pointer if ends else f"{pointer}/{position}", ends, checked)
            elif kind is dict:
                self.members(item, pointer if ends else f"{pointer}/{position}", ends, checked)
            elif kind is HugeInteger or (kind is str and self.searches and _may_be_forbidden(item)):
                self._scalar(item, pointer, ends, checked, position)

    def members(self, value: Mapping[str, Any], pointer: str, ends: bool, checked: bool) -> None:
        if not (self.searches or (self._counts and checked)):
            return
        if checked and len(value) > MEMBERS_MAX:
            self.add("invalid-value", pointer, _TOO_MANY_MEMBERS, count=len(value))
            checked = False
        for name, item in value.items():
            self.member(name, item, pointer, ends, checked)

    def member(self, name: str, item: Any, pointer: str, ends: bool, checked: bool) -> None:
        """One member of an object at this place, its name included."""
        if self.searches:
            self._name(name, pointer, checked)
        kind = type(item)
        if kind is list or kind is dict:
            hidden = ends or not is_shown(name)
            walk_part = self.items if kind is list else self.members
            walk_part(item, pointer if hidden else f"{pointer}/{name}", hidden, checked)
        elif kind is HugeInteger or (kind is str and self.searches and _may_be_forbidden(item)):
            self._scalar(item, pointer, ends or not is_shown(name), checked, name)

    def _name(self, name: str, pointer: str, checked: bool) -> None:
        if checked and UNCLEAN.search(name):
            self.add("invalid-value", pointer, _UNCLEAN_NAME)
            self.add("unknown-field", pointer, _UNKNOWN_FIELD)
        if holds_personal_data(name):
            self.add("personal-data", pointer, _PERSONAL_NAME)

    def _scalar(self, value: Any, pointer: str, ends: bool, checked: bool, name: str | int) -> None:
        below = pointer if ends else f"{pointer}/{name}"
        if type(value) is str:
            if checked and UNCLEAN.search(value):
                self.add("invalid-value", below, _UNCLEAN_TEXT)
            if holds_personal_data(value):
                self.add("personal-data", below, _PERSONAL_TEXT)
        elif checked:
            self.add("number-out-of-range", below, _BEYOND_RANGE, value=value)


class _Known:
    """Walks over what the type defines: few values, since its lists are bounded."""

    def __init__(self, unknown: _Unknown) -> None:
        self._unknown = unknown
        self._add = unknown.add
        self.faulty: set[str] = set()

    def members(self, value: Mapping[str, Any], shapes: Mapping[str, Shape], pointer: str) -> dict[str, Any]:
        """The object without unknown names."""
        kept: dict[str, Any] = {}
        searches = self._unknown.searches
        for name, item in value.items():
            shape = shapes.get(name)
            if shape is None:
                self._add("unknown-field", f"{pointer}/{name}" if is_shown(name) else pointer, _UNKNOWN_FIELD)
                self._unknown.member(name, item, pointer, ends=False, checked=True)
            elif type(item) in _LOOKED_INTO or (searches and type(item) is str and _may_be_forbidden(item)):
                kept[name] = self._value(item, shape, f"{pointer}/{name}")
            else:
                kept[name] = item
        return kept

    def _value(self, value: Any, shape: Shape, pointer: str) -> Any:
        """The value; a list or an object where the type has none becomes an empty one."""
        kind = type(value)
        if kind is dict:
            return self._object(value, shape, pointer)
        if kind is list:
            return self._list(value, shape, pointer)
        if kind is str and self._unknown.searches:
            self._text(value, shape, pointer)
        elif kind is HugeInteger:
            self._forbid("number-out-of-range", pointer, _BEYOND_RANGE, value=value)
        return value

    def _object(self, value: dict[str, Any], shape: Shape, pointer: str) -> Any:
        if len(value) > MEMBERS_MAX:
            self._forbid("invalid-value", pointer, _TOO_MANY_MEMBERS, count=len(value))
            self._unknown.members(value, pointer, ends=False, checked=False)
            return _TOO_MANY
        if shape.members is not None:
            return self.members(value, shape.members, pointer)
        self._unknown.members(value, pointer, ends=False, checked=True)
        return {}

    def _list(self, value: list[Any], shape: Shape, pointer: str) -> Any:
        bound = shape.items_max
        if bound is not None and len(value) > bound:
            field, count = pointer.rpartition("/")[2], f"{len(value):,}"
            self._forbid("invalid-value", pointer, _TOO_MANY_ITEMS, field=field, count=count, bound=f"{bound:,}")
            self._unknown.items(value, pointer, ends=False, checked=False)
            return _TOO_MANY
        if shape.items is not None:
            return [self._value(item, shape.items, f"{pointer}/{position}") for position, item in enumerate(value)]
        self._unknown.items(value, pointer, ends=False, checked=True)
        return []

    def _text(self, value: str, shape: Shape, pointer: str) -> None:
        if UNCLEAN.search(value):
            self._forbid("invalid-value", pointer, _UNCLEAN_TEXT)
        if holds_personal_data(value):
            self._add("personal-data", pointer, _PERSONAL_TEXT)
        elif shape.is_id and looks_personal(value):
            self._add("id-looks-personal", pointer, _LIKE_AN_ID)

    def _forbid(self, code: Code, pointer: str, sentence: str, **values: Any) -> None:
        """A fault of the whole value: the model need not check it."""
        self._add(code, pointer, sentence, **values)
        self.faulty.add(pointer)
