"""The compatibility gate: an event that any release accepted must still be accepted (BACKWARD_TRANSITIVE).

Auditors read every old event with new code. So against the schemas of *every* release a type may only gain optional
fields and allow more values. Payloads are closed, so removing or renaming a field refuses old events, as does a new
required field. A changed pattern, or a changed keyword that is not compared here, counts as narrowed: that it is not
cannot be proven.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from events.values import bounds
from events.wire.envelope import DEPTH_MAX

Schema = Mapping[str, Any]

_LOWER_BOUNDS: Final = ("minimum", "exclusiveMinimum", "minLength", "minItems")
_UPPER_BOUNDS: Final = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
_SET_BY_CONTRACT: Final = {
    "channels": bounds.CHANNELS_MAX,
    "partners": bounds.PARTNERS_MAX,
    "services": bounds.SERVICES_MAX,
    "bands": bounds.BANDS_MAX,
    "expected": bounds.EXPECTED_MAX,
    "errors": bounds.FAULTS_MAX,
}
"""The bounds of lists that the contract set after the first release. Reading the log applies none of them."""
_ALTERNATIVES: Final = ("anyOf", "oneOf")
_LOCAL: Final = "#/$defs/"
_JUDGED: Final = frozenset(
    {"type", "properties", "required", "additionalProperties", "items", "enum", "const", "pattern", "$defs"}
).union(_LOWER_BOUNDS, _UPPER_BOUNDS, _ALTERNATIVES)
_SAYS_NOTHING: Final = frozenset(
    {"$schema", "$id", "$comment", "title", "description", "default", "examples", "deprecated", "discriminator"}
)
"""Keywords that refuse no value, like those that begin with `x-`."""


def incompatibilities(released: Mapping[str, Schema], current: Mapping[str, Schema]) -> list[str]:
    """Every reason why `current` could refuse an event that `released` accepted; both are file name → schema."""
    problems = []
    for name, old in released.items():
        if name not in current:
            problems.append(f"{name}: the type was removed; old events of it can no longer be read: keep it")
        else:
            new = current[name]
            problems += [f"{name} {problem}" for problem in _compare(old, new, _Place("", old, new))]
    return problems


class _Place:
    """The pointer compared, and the roots that its references resolve in."""

    def __init__(self, pointer: str, old_root: Schema, new_root: Schema) -> None:
        self.pointer = pointer
        self.old_root = old_root
        self.new_root = new_root

    def below(self, step: str) -> _Place:
        return _Place(f"{self.pointer}/{step}", self.old_root, self.new_root)

    def reason(self, text: str) -> str:
        return f"{self.pointer or '/'}: {text}"


def _compare(old: Schema, new: Schema, place: _Place) -> Iterator[str]:
    if place.pointer.count("/") > DEPTH_MAX:
        return
    yield from _other_keywords(resolved(old, place.old_root), resolved(new, place.new_root), place)
    old, old_null = without_null(old, place.old_root)
    new, new_null = without_null(new, place.new_root)
    if old_null and not new_null:
        yield place.reason("null was allowed and is not any more: allow it again")
    if not new:
        return
    if alternatives_of(old) or alternatives_of(new):
        yield from _alternatives(old, new, place)
        return
    if old.get("type") != new.get("type"):
        yield place.reason(f"the type changed from {old.get('type')} to {new.get('type')}: add a new field instead")
        return
    yield from _values(old, new, place)
    yield from _bounds(old, new, place)
    yield from _members(old, new, place)
    if "items" in new:
        yield from _compare(old.get("items", {}), new["items"], place.below("*"))


def _alternatives(old: Schema, new: Schema, place: _Place) -> Iterator[str]:
    """Each old alternative must be covered by a new one."""
    for allowed in alternatives_of(old) or [old]:
        if not any(_is_taken(allowed, by, place) for by in alternatives_of(new) or [new]):
            yield place.reason(f"the alternative {summary_of(allowed)} was allowed and is not any more: keep it")


def _is_taken(old: Schema, new: Schema, place: _Place) -> bool:
    return next(_compare(old, new, place), None) is None


def _other_keywords(old: Schema, new: Schema, place: _Place) -> Iterator[str]:
    """Keywords that are only compared for equality."""
    for keyword in new:
        if keyword not in _JUDGED and not is_annotation(keyword) and new[keyword] != old.get(keyword):
            yield place.reason(
                f"the rule {keyword} is new or changed, so an old value may be refused: keep it as it was"
            )
    closed = new.get("additionalProperties")
    if isinstance(closed, Mapping) and closed != old.get("additionalProperties"):
        yield place.reason("the rule for further fields is new or changed: keep it as it was")


def _values(old: Schema, new: Schema, place: _Place) -> Iterator[str]:
    allowed = _allowed(new)
    if allowed is not None:
        before = _allowed(old)
        if before is None:
            yield place.reason(f"any value was allowed, now only {sorted(map(str, allowed))}: keep it open")
        elif lost := [value for value in before if value not in allowed]:
            yield place.reason(f"the values {lost} were allowed and are not any more: keep them")
    if "pattern" in new and new["pattern"] != old.get("pattern"):
        yield place.reason("the pattern changed or is new, so an old value may be refused: keep the old pattern")


def _bounds(old: Schema, new: Schema, place: _Place) -> Iterator[str]:
    for bound in _LOWER_BOUNDS:
        if bound in new and (bound not in old or new[bound] > old[bound]):
            yield place.reason(f"{bound} rose from {old.get(bound, 'none')} to {new[bound]}: keep the old bound")
    for bound in _UPPER_BOUNDS:
        if (
            bound in new
            and (bound not in old or new[bound] < old[bound])
            and not _is_set_by_contract(bound, old, new, place)
        ):
            yield place.reason(f"{bound} fell from {old.get(bound, 'none')} to {new[bound]}: keep the old bound")


def _is_set_by_contract(bound: str, old: Schema, new: Schema, place: _Place) -> bool:
    """Whether this is a bound of the contract where none was."""
    if bound in old:
        return False
    if bound == "maxProperties":
        return bool(new[bound] == bounds.MEMBERS_MAX)
    name = place.pointer.rpartition("/")[2]
    return bound == "maxItems" and new[bound] == _SET_BY_CONTRACT.get(name)


def _members(old: Schema, new: Schema, place: _Place) -> Iterator[str]:
    if new.get("additionalProperties", True) is False and old.get("additionalProperties", True) is not False:
        yield place.reason("the object was open and is closed now: leave it open")
    old_members, new_members = old.get("properties", {}), new.get("properties", {})
    for name, schema in old_members.items():
        if name in new_members:
            yield from _compare(schema, new_members[name], place.below(name))
        elif new.get("additionalProperties", True) is False:
            yield place.reason(f"the field {name} was removed or renamed, so old events would be refused: keep it")
    if old.get("additionalProperties", True) is not False and old.get("type") == "object":
        for name in sorted(set(new_members) - set(old_members)):
            if new_members[name] not in ({}, True):
                yield place.reason(f"the object was open, so an old {name} may be anything: give the new field no rule")
    for name in sorted(set(new.get("required", ())) - set(old.get("required", ()))):
        yield place.reason(f"the field {name} is newly required, and old events lack it: make it optional")


def is_annotation(keyword: str) -> bool:
    """Whether a keyword refuses no value."""
    return keyword in _SAYS_NOTHING or keyword.startswith("x-")


def resolved(schema: Schema | bool, root: Schema) -> Schema:
    """The schema that a reference within its file points to; any other reference stays and equals only itself."""
    schema_object = _as_object(schema)
    seen = set()
    while str(name := schema_object.get("$ref", "")).startswith(_LOCAL) and name not in seen:
        seen.add(name)
        schema_object = _as_object(root.get("$defs", {}).get(name.removeprefix(_LOCAL), False))
    return schema_object


def _as_object(schema: Schema | bool) -> Schema:
    """`true` accepts everything, `false` nothing."""
    if isinstance(schema, bool):
        return {} if schema else {"not": {}}
    return schema


def alternatives_of(schema: Schema) -> list[Schema]:
    """The alternatives of `anyOf` or `oneOf`; none where there is no choice."""
    return [choice for keyword in _ALTERNATIVES for choice in schema.get(keyword, ())]


def summary_of(schema: Schema) -> str:
    """A schema in a few words: its reference, values or type."""
    keyword = next(
        (schema[word] for word in ("$ref", "const", "enum", "pattern", "type") if word in schema), "any value"
    )
    return str(keyword)


def without_null(schema: Schema, root: Schema) -> tuple[Schema, bool]:
    """The schema, resolved, without its alternative `null`, and whether it had one."""
    schema = resolved(schema, root)
    alternatives = alternatives_of(schema)
    if not alternatives:
        return schema, False
    others = [alternative for alternative in alternatives if alternative.get("type") != "null"]
    rest = resolved(others[0], root) if len(others) == 1 else {"anyOf": others}
    return rest, len(others) < len(alternatives)


def _allowed(schema: Schema) -> list[Any] | None:
    if "const" in schema:
        return [schema["const"]]
    return list(schema["enum"]) if "enum" in schema else None
