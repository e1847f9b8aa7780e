"""One walk over a parsed event: the bounds, unknown names, and what is forbidden anywhere (huge integers, NUL, lone
surrogates, personal data).

In: an event and the shape of its type. Out: these faults, and the event as its model can judge it at little cost.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Set
from typing import Any, Final, NamedTuple

import orjson

from events.faults.findings import Finding, finding
from events.faults.problems import Code
from events.validation.models import Shape
from events.validation.quick_search import is_suspect
from events.values.bounds import MEMBERS_MAX
from events.values.json_pointer import UNCLEAN, is_shown
from events.values.personal_data import holds_personal_data, looks_personal
from events.wire.strict_json import HugeInteger

_UNKNOWN: Final = Shape()
_CONTAINERS: Final = frozenset({dict, list})
_SEARCHED: Final = frozenset({dict, list, str, HugeInteger})
_SEQUENCE: Final = re.compile(r"[0-9]{20}")
_NUL: Final = b"\\u0000"

_TOO_MANY: Final = object()
"""Stands for a list or an object beyond its bound: no model takes it, and none looks into it."""


class Walked(NamedTuple):
    """The faults of one walk. `faulty` are the pointers of known members that the model need not judge.

    `event` has neither null attributes, nor unknown names, nor what is beyond a bound; None if it is itself beyond.
    """

    findings: list[Finding]
    faulty: Set[str]
    event: dict[str, Any] | None


class _At(NamedTuple):
    """A place of the event: its pointer, and whether this `ends` at a name that is not shown. Of what is not `judged`
    only personal data is a fault."""

    pointer: str
    ends: bool = False
    judged: bool = True

    def below(self, name: str | int) -> _At:
        """A position of a list, or a member whose name is shown."""
        return self if self.ends else _At(f"{self.pointer}/{name}", False, self.judged)

    def ended(self) -> _At:
        return self if self.ends else _At(self.pointer, True, self.judged)

    def unjudged(self) -> _At:
        return _At(self.pointer, self.ends, False)


def walk(event: Mapping[str, Any], shape: Shape) -> Walked:
    """Walk over an event. A null attribute counts as absent, but its name is searched."""
    walker, root = _Walker(_may_hold_forbidden_values(event)), _At("")
    if len(event) > MEMBERS_MAX:
        walker.add("invalid-value", root, "The object has {count} members; write at most 64.", count=len(event))
        walker.members_of(event, _UNKNOWN, root.unjudged())
        return Walked(walker.findings, frozenset(), None)
    present = {name: value for name, value in event.items() if value is not None}
    for name in event.keys() - present.keys():
        walker.above_unknown(name, root)
    return Walked(walker.findings, walker.faulty, walker.members_of(present, shape, root))


def _may_hold_forbidden_values(event: Mapping[str, Any]) -> bool:
    """Whether a text, name or number of an event may be forbidden; False for nearly every event."""
    try:
        written = orjson.dumps(event, option=orjson.OPT_STRICT_INTEGER)
    except orjson.JSONEncodeError:  # half of a surrogate pair, a huge integer, or a fraction
        return True
    sequence = event.get("sequence")
    has_sequence = isinstance(sequence, str) and _SEQUENCE.fullmatch(sequence) is not None
    return _NUL in written or is_suspect(written, sequence if has_sequence else None)


class _Walker:
    """`searches`: whether it looks at texts and numbers too, and not only at names, lists and objects."""

    def __init__(self, searches: bool) -> None:
        self._visited = _SEARCHED if searches else _CONTAINERS
        self.findings: list[Finding] = []
        self.faulty: set[str] = set()

    def add(self, code: Code, at: _At, sentence: str, **values: Any) -> None:
        self.findings.append(finding(code, at.pointer, sentence, **values))

    def members_of(self, value: Mapping[str, Any], shape: Shape, at: _At) -> dict[str, Any]:
        """The object without unknown names. If the shape has no members, all names are allowed."""
        kept: dict[str, Any] = {}
        members, visited = shape.members, self._visited
        for name, item in value.items():
            known = members.get(name) if members else None
            if known is not None:
                kept[name] = self._value(item, known, at, name) if type(item) in visited else item
                continue
            above = self.above_unknown(name, at)
            if members and at.judged:
                self.add("unknown-field", above.below(name), "Unknown field; remove it or correct its name.")
                self._value(item, _UNKNOWN, above, name)
            elif not UNCLEAN.search(name):
                kept[name] = self._value(item, _UNKNOWN, above, name)
        return kept

    def above_unknown(self, name: str, at: _At) -> _At:
        """The place of an object as that of a member with a name that the type does not know."""
        if at.judged and UNCLEAN.search(name):
            self.add("invalid-value", at, "The name holds NUL or half of a surrogate pair; remove it.")
            self.add("unknown-field", at, "Unknown field; remove it or correct its name.")
        if holds_personal_data(name):
            self.add("personal-data", at, "A national id was found in a name; remove it.")
        return at if is_shown(name) else at.ended()

    def _value(self, value: Any, shape: Shape, at: _At, name: str | int) -> Any:
        """The value of the member or item `name` of what is `at` a place."""
        kind = type(value)
        if kind is dict:
            return self._object(value, shape, at.below(name))
        if kind is list:
            return self._list(value, shape, at.below(name))
        if kind is str:
            self._text(value, shape, at, name)
        elif kind is HugeInteger and at.judged:
            sentence = "{value} is beyond ±(2^53 − 1); write a whole number within it."
            self._forbid("number-out-of-range", shape, at.below(name), sentence, value=value)
        return value

    def _object(self, value: dict[str, Any], shape: Shape, at: _At) -> Any:
        if not at.judged or len(value) <= MEMBERS_MAX:
            return self.members_of(value, shape, at)
        sentence = "The object has {count} members; write at most 64."
        self._forbid("invalid-value", shape, at, sentence, count=len(value))
        self.members_of(value, _UNKNOWN, at.unjudged())
        return _TOO_MANY

    def _list(self, value: list[Any], shape: Shape, at: _At) -> Any:
        if not at.judged or shape.items_max is None or len(value) <= shape.items_max:
            return self._items(value, shape.items or _UNKNOWN, at)
        sentence, bound = "{field} has {count} items; write at most {bound}.", f"{shape.items_max:,}"
        field = at.pointer.rpartition("/")[2]
        self._forbid("invalid-value", shape, at, sentence, field=field, count=f"{len(value):,}", bound=bound)
        self._items(value, _UNKNOWN, at.unjudged())
        return _TOO_MANY

    def _items(self, value: list[Any], shape: Shape, at: _At) -> list[Any]:
        visited = self._visited
        return [
            self._value(item, shape, at, position) if type(item) in visited else item
            for position, item in enumerate(value)
        ]

    def _text(self, value: str, shape: Shape, at: _At, name: str | int) -> None:
        if at.judged and UNCLEAN.search(value):
            sentence = "The text holds NUL or half of a surrogate pair; remove it."
            self._forbid("invalid-value", shape, at.below(name), sentence)
        if holds_personal_data(value):
            self.add("personal-data", at.below(name), "A national id was found here; remove it.")
        elif at.judged and shape.is_id and looks_personal(value):
            sentence = "Ten digits that begin with 1 or 2 look like a national id; put a letter before them."
            self.add("id-looks-personal", at.below(name), sentence)

    def _forbid(self, code: Code, shape: Shape, at: _At, sentence: str, **values: Any) -> None:
        """A fault of a whole value: if its place is known, the model need not judge it."""
        self.add(code, at, sentence, **values)
        if shape is not _UNKNOWN:
            self.faulty.add(at.pointer)
