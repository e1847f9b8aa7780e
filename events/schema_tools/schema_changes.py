"""What changed between two schemas of a type, one sentence per change; `compatibility` decides whether it matters.

In: two schemas. Out: sentences, each with its pointer.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from events.schema_tools.compatibility import Schema, alternatives_of, is_annotation, resolved, summary_of
from events.wire.envelope import DEPTH_MAX

_STRUCTURE: Final = frozenset({"properties", "required", "items", "anyOf", "oneOf", "$defs", "enum", "const"})
_WORDS: Final = "x-in-words"


Rules = dict[str, Any]
"""Keyword of a schema → its value."""


class Member(NamedTuple):
    """One member of a schema: whether it is required, and its rules by keyword."""

    is_required: bool
    rules: Rules


def changes(old: Schema, new: Schema) -> list[str]:
    """Every change of fields and of rules, by pointer."""
    before, after = dict(_members(old, old, "", True)), dict(_members(new, new, "", True))
    sentences = []
    for pointer in [*before, *(added for added in after if added not in before)]:
        sentences += [f"{pointer or '/'}: {text}" for text in _changed(before.get(pointer), after.get(pointer))]
    return sentences


def _changed(old: Member | None, new: Member | None) -> Iterator[str]:
    if old is None and new is not None:
        yield "new and required" if new.is_required else "new and optional, so an event without it is still accepted"
    elif new is None:
        yield "removed"
    elif old is not None:
        if old.is_required != new.is_required:
            yield "required now" if new.is_required else "optional now, so an event may lack it"
        for keyword in sorted({*old.rules, *new.rules}):
            if old.rules.get(keyword) != new.rules.get(keyword):
                yield _rule(keyword, old.rules.get(keyword), new.rules.get(keyword))


def _rule(keyword: str, old: Any, new: Any) -> str:
    if keyword == _WORDS:
        return "rules outside the schema changed; read them: " + " ".join(w for w in new or [] if w not in (old or []))
    if isinstance(old, list) and isinstance(new, list):
        added, lost = [v for v in new if v not in old], [v for v in old if v not in new]
        parts = [*([f"{added} came"] if added else []), *([f"{lost} went"] if lost else [])]
        return f"{keyword}: {' and '.join(parts) or 'another order'}"
    return f"{keyword} was {'none' if old is None else old}, is {'none' if new is None else new}"


def _members(schema: Schema | bool, root: Schema, pointer: str, is_required: bool) -> Iterator[tuple[str, Member]]:
    """Every member below a schema, itself first. Alternatives other than null are only named."""
    inlined = resolved(schema, root)
    rules: Rules = {k: v for k, v in inlined.items() if k == _WORDS or _is_rule(k)}
    choices = alternatives_of(inlined)
    others = [choice for choice in choices if choice.get("type") != "null"]
    if len(others) < len(choices):
        rules["null"] = "allowed"
    if len(others) == 1:
        inner = resolved(others[0], root)
        rules |= {k: v for k, v in inner.items() if _is_rule(k)}
        inlined = {**inner}
    elif others:
        rules["alternatives"] = [summary_of(choice) for choice in others]
    if "enum" in inlined or "const" in inlined:
        rules["values"] = list(inlined.get("enum", [inlined.get("const")]))
    yield pointer, Member(is_required, rules)
    if pointer.count("/") > DEPTH_MAX:
        return
    for name, member in inlined.get("properties", {}).items():
        yield from _members(member, root, f"{pointer}/{name}", name in inlined.get("required", ()))
    if "items" in inlined:
        yield from _members(inlined["items"], root, f"{pointer}/*", False)


def _is_rule(keyword: str) -> bool:
    return keyword not in _STRUCTURE and not is_annotation(keyword)
