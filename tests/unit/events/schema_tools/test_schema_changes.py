"""Each change of a schema is one sentence with its pointer; a changed description is no change."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from events.schema_tools.compatibility import incompatibilities
from events.schema_tools.schema_changes import changes
from events.schema_tools.schema_documents import schema_of
from tests.every import every

Change = Callable[[dict[str, Any]], object]


def fields(schema: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = schema["$defs"]["ServiceLaunched"]["properties"]
    return found


def changed(change: Change) -> list[str]:
    old = schema_of("service.launched")
    new = copy.deepcopy(old)
    change(new)
    return changes(old, new)


@every(
    ("change", "sentences"),
    [
        (lambda s: None, []),
        (lambda s: s.update(description="Other words."), []),
        (
            lambda s: fields(s).update(note={"type": "string"}),
            ["/data/note: new and optional, so an event without it is still accepted"],
        ),
        (
            lambda s: s["$defs"]["ServiceLaunched"]["required"].remove("on"),
            ["/data/on: optional now, so an event may lack it"],
        ),
        (lambda s: fields(s)["channels"]["items"]["enum"].append("tv"), ["/data/channels/*: values: ['tv'] came"]),
        (lambda s: fields(s)["channels"].update(minItems=2), ["/data/channels: minItems was 1, is 2"]),
        (lambda s: fields(s).pop("url"), ["/data/url: removed"]),
    ],
)
def test_each_change_is_one_sentence_at_its_place(change: Change, sentences: list[str]) -> None:
    assert changed(change) == sentences


def test_a_rule_in_words_that_changed_is_pointed_at() -> None:
    (sentence,) = changed(lambda s: s["x-in-words"].append("Never on a Friday."))
    assert sentence.endswith("read them: Never on a Friday.")


OLD: dict[str, Any] = {"type": "object", "properties": {"a": {"type": "string"}}, "additionalProperties": False}


def judged(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    objects = [{**OLD, "properties": {"a": schema}} for schema in (old, new)]
    return incompatibilities({"t": objects[0]}, {"t": objects[1]})


@every(
    ("old", "new", "says"),
    [
        ({"type": "array"}, {"type": "array", "uniqueItems": True}, "the rule uniqueItems is new"),
        ({"type": "string"}, {"type": "string", "format": "date"}, "the rule format is new"),
        (
            {"anyOf": [{"type": "string"}, {"type": "integer"}]},
            {"anyOf": [{"type": "integer"}, {"type": "boolean"}]},
            "the alternative string was allowed",
        ),
        ({"oneOf": [{"$ref": "a.json"}, {"$ref": "b.json"}]}, {"oneOf": [{"$ref": "a.json"}]}, "alternative b.json"),
        ({"type": "object"}, {"type": "object", "properties": {"b": {"type": "string"}}}, "an old b may be anything"),
        ({"type": "object"}, {"type": "object", "additionalProperties": {"type": "string"}}, "further fields"),
        ({"type": "string"}, {"$ref": "#/$defs/Gone"}, "the rule not is new"),
    ],
)
def test_what_cannot_be_proven_harmless_is_refused(old: dict[str, Any], new: dict[str, Any], says: str) -> None:
    assert any(says in problem for problem in judged(old, new)), judged(old, new)


@every(
    ("old", "new"),
    [
        ({"type": "string"}, {"anyOf": [{"type": "integer"}, {"type": "string"}]}),
        ({"oneOf": [{"$ref": "a.json"}]}, {"oneOf": [{"$ref": "b.json"}, {"$ref": "a.json"}]}),
        ({"type": "array", "uniqueItems": True}, {"type": "array"}),
        ({"type": "string"}, True),
    ],
)
def test_a_further_alternative_passes(old: dict[str, Any], new: dict[str, Any]) -> None:
    assert judged(old, new) == []


def test_a_schema_that_refers_to_itself_ends() -> None:
    node = {"type": "object", "properties": {"next": {"$ref": "#/$defs/Node"}}, "additionalProperties": False}
    schema = {**node, "$defs": {"Node": node, "Loop": {"$ref": "#/$defs/Loop"}}}
    assert incompatibilities({"t": schema}, {"t": schema}) == []
    assert changes(schema, schema) == []
