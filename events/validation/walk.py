"""One walk over a parsed event: the bounds, unknown names, and what is forbidden anywhere (huge integers, NUL, lone
surrogates).

In: an event and the shape of its type. Out: these faults, and the event as its model can check it at little cost.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from typing import Any, Final, NamedTuple

from events.faults.findings import Finding, finding
from events.faults.nearest import nearest
from events.faults.problems import Code
from events.validation.models import Shape
from events.validation.reading import Claim
from events.values.bounds import MEMBERS_MAX
from events.values.json_pointer import UNCLEAN, is_shown
from events.wire.strict_json import HugeInteger, JsonObject

_UNKNOWN_FIELD: Final = "Unknown field; remove it or correct its name."
_MISSPELT_FIELD: Final = "Unknown field; remove it or write {due}."
_ALIKE: Final = 0.75
"""Two letters of four that changed places (*nmae*) leave so much of a name."""
_MISSPELT_MAX: Final = 3
"""Fields of an event for which a like name is searched: it takes a hundred times as long as the rest."""
_TOO_MANY_MEMBERS: Final = "The object has {count} members; write at most 64."
_TOO_MANY_ITEMS: Final = "{field} has {count} items; write at most {bound}."
_BEYOND_RANGE: Final = "{value} is beyond ±(2^53 − 1); write a whole number within it."
_UNCLEAN_TEXT: Final = "The text holds NUL or half of a surrogate pair; remove it."
_UNCLEAN_NAME: Final = "The name holds NUL or half of a surrogate pair; remove it."

_NUL: Final = b"\\u0000"
_MEMBER: Final = b'":'
_LOOKED_INTO: Final = frozenset({dict, list, HugeInteger})
_TOO_MANY: Final = object()
"""Stands for a list or an object beyond its bound: no model takes it, and none looks into it."""


class Walked(NamedTuple):
    """The faults of one walk. `faulty` are the pointers of known members that the model need not check.

    `event` has neither null attributes, nor unknown names, nor what is beyond a bound; None if it is itself beyond.
    """

    findings: list[Finding]
    faulty: Set[str]
    event: JsonObject | None


def walk(claim: Claim, shape: Shape) -> Walked:
    """Walk over an event. A null attribute counts as absent, but its name is looked at."""
    event, written = claim.event, claim.written
    searches = written is None or _NUL in written
    has_more = written is None or not claim.is_canonical or written.count(_MEMBER) > MEMBERS_MAX
    unknown = _Unknown(searches=searches, looks=searches or has_more)
    if len(event) > MEMBERS_MAX:
        unknown.add("invalid-value", "", _TOO_MANY_MEMBERS, count=len(event))
        return Walked(unknown.findings, frozenset(), None)
    present = {name: value for name, value in event.items() if value is not None}
    if len(present) < len(event):
        unknown.members({name: None for name in event if name not in present}, "", ends=False)
    known = _Known(unknown)
    return Walked(unknown.findings, known.faulty, known.members(present, shape.members or {}, ""))


class _Unknown:
    """Walks over what the type does not define, which may be thousands of values, and collects all findings.

    `searches`: whether a text or name may be forbidden; `looks`: whether anything may be, such as a huge integer or an
    object beyond its bound. Both are False for nearly every event. Nothing is looked at in what is beyond a bound.

    A place is the pointer of a list or an object, and whether it `ends` at a name that is not shown.
    """

    def __init__(self, *, searches: bool, looks: bool) -> None:
        self.searches = searches
        self._looks = looks
        self.findings: list[Finding] = []

    def add(self, code: Code, pointer: str, sentence: str, **values: Any) -> None:
        self.findings.append(finding(code, pointer, sentence, **values))

    def items(self, value: Sequence[Any], pointer: str, ends: bool) -> None:
        if not self._looks:
            return
        for position, item in enumerate(value):
            kind = type(item)
            if kind is list:
                if item:
                    self.items(item, pointer if ends else f"{pointer}/{position}", ends)
            elif kind is dict:
                if item:
                    self.members(item, pointer if ends else f"{pointer}/{position}", ends)
            elif kind is HugeInteger or (kind is str and self.searches and UNCLEAN.search(item)):
                self._scalar(item, pointer if ends else f"{pointer}/{position}")

    def members(self, value: Mapping[str, Any], pointer: str, ends: bool) -> None:
        if not self._looks:
            return
        if len(value) > MEMBERS_MAX:
            self.add("invalid-value", pointer, _TOO_MANY_MEMBERS, count=len(value))
            return
        for name, item in value.items():
            self.member(name, item, pointer, ends)

    def member(self, name: str, item: Any, pointer: str, ends: bool) -> None:
        """One member of an object at this place, its name included."""
        if self.searches and UNCLEAN.search(name):
            self.add("invalid-value", pointer, _UNCLEAN_NAME)
            self.add("unknown-field", pointer, _UNKNOWN_FIELD)
        kind = type(item)
        if kind is list or kind is dict:
            hidden = ends or not is_shown(name)
            walk_part = self.items if kind is list else self.members
            walk_part(item, pointer if hidden else f"{pointer}/{name}", hidden)
        elif kind is HugeInteger or (kind is str and self.searches and UNCLEAN.search(item)):
            self._scalar(item, pointer if ends or not is_shown(name) else f"{pointer}/{name}")

    def _scalar(self, value: Any, pointer: str) -> None:
        if type(value) is str:
            self.add("invalid-value", pointer, _UNCLEAN_TEXT)
        else:
            self.add("number-out-of-range", pointer, _BEYOND_RANGE, value=value)


class _Known:
    """Walks over what the type defines: few values, since its lists are bounded."""

    def __init__(self, unknown: _Unknown) -> None:
        self._unknown = unknown
        self._add = unknown.add
        self.faulty: set[str] = set()
        self._misspelt = 0

    def members(self, value: Mapping[str, Any], shapes: Mapping[str, Shape], pointer: str) -> JsonObject:
        """The object without unknown names."""
        members: JsonObject = {}
        searches = self._unknown.searches
        for name, item in value.items():
            shape = shapes.get(name)
            if shape is None:
                self._unknown_field(name, shapes, f"{pointer}/{name}" if is_shown(name) else pointer)
                self._unknown.member(name, item, pointer, ends=False)
            elif type(item) in _LOOKED_INTO or (searches and type(item) is str):
                members[name] = self._value(item, shape, f"{pointer}/{name}")
            else:
                members[name] = item
        return members

    def _unknown_field(self, name: str, shapes: Mapping[str, Shape], pointer: str) -> None:
        self._misspelt += 1
        if self._misspelt <= _MISSPELT_MAX and (meant := nearest(name, shapes, _ALIKE)) is not None:
            self._add("unknown-field", pointer, _MISSPELT_FIELD, due=meant)
        else:
            self._add("unknown-field", pointer, _UNKNOWN_FIELD)

    def _value(self, value: Any, shape: Shape, pointer: str) -> Any:
        """The value; a list or an object where the type has none becomes an empty one."""
        kind = type(value)
        if kind is dict:
            return self._object(value, shape, pointer)
        if kind is list:
            return self._list(value, shape, pointer)
        if kind is HugeInteger:
            self._forbid("number-out-of-range", pointer, _BEYOND_RANGE, value=value)
        elif kind is str and self._unknown.searches and UNCLEAN.search(value):
            self._forbid("invalid-value", pointer, _UNCLEAN_TEXT)
        return value

    def _object(self, value: JsonObject, shape: Shape, pointer: str) -> Any:
        if len(value) > MEMBERS_MAX:
            self._forbid("invalid-value", pointer, _TOO_MANY_MEMBERS, count=len(value))
            return _TOO_MANY
        if shape.members is not None:
            return self.members(value, shape.members, pointer)
        self._unknown.members(value, pointer, ends=False)
        return {}

    def _list(self, value: list[Any], shape: Shape, pointer: str) -> Any:
        bound = shape.items_max
        if bound is not None and len(value) > bound:
            field, count = pointer.rpartition("/")[2], f"{len(value):,}"
            self._forbid("invalid-value", pointer, _TOO_MANY_ITEMS, field=field, count=count, bound=f"{bound:,}")
            return _TOO_MANY
        if shape.items is not None:
            return [self._value(item, shape.items, f"{pointer}/{position}") for position, item in enumerate(value)]
        self._unknown.items(value, pointer, ends=False)
        return []

    def _forbid(self, code: Code, pointer: str, sentence: str, **values: Any) -> None:
        """A fault of the whole value: the model need not check it."""
        self._add(code, pointer, sentence, **values)
        self.faulty.add(pointer)
