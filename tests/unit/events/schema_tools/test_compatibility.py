"""The gate refuses a change that could refuse an old event, with its reason, and accepts harmless ones."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from events.schema_tools.compatibility import incompatibilities
from events.schema_tools.schema_documents import schema_of
from tests.every import every

NAME = "partnership.signed"
Change = Callable[[dict[str, Any]], object]


def judged(change: Change) -> list[str]:
    """The gate's reasons against a change of one schema since its release."""
    released = schema_of(NAME)
    current = copy.deepcopy(released)
    change(current)
    return incompatibilities({NAME: released}, {NAME: current})


def fields(schema: dict[str, Any], model: str = "PartnershipSigned") -> dict[str, Any]:
    found: dict[str, Any] = schema["$defs"][model]["properties"]
    return found


def required(schema: dict[str, Any]) -> Any:
    return schema["$defs"]["PartnershipSigned"]["required"]


REFUSED: list[tuple[Change, str]] = [
    (lambda s: fields(s).pop("legal_basis"), "legal_basis was removed or renamed"),
    (lambda s: fields(s).update(basis=fields(s).pop("legal_basis")), "legal_basis was removed or renamed"),
    (lambda s: s["required"].append("hijridate"), "hijridate is newly required"),
    (lambda s: (fields(s).update(x={"type": "string"}), required(s).append("x")), "x is newly required"),
    (lambda s: fields(s)["signed_on"].update(type="integer"), "the type changed from string"),
    (lambda s: fields(s)["signed_on"].update(pattern="^x$"), "the pattern changed"),
    (lambda s: fields(s, "Terms")["period"]["enum"].remove("quarter"), "['quarter'] were allowed"),
    (lambda s: s["properties"]["subject"].update(enum=["a"]), "any value was allowed"),
    (lambda s: fields(s, "Band")["partner_bp"].update(maximum=9000), "maximum fell from 10000 to 9000"),
    (lambda s: fields(s, "Band")["partner_bp"].update(minimum=1), "minimum rose from 0 to 1"),
    (lambda s: fields(s)["services"].update(maxItems=5), "maxItems fell from 200 to 5"),
    (lambda s: fields(s)["signed_on"].update(maxLength=9), "maxLength fell from none to 9"),
    (lambda s: fields(s, "Terms").update(cap={"$ref": "#/$defs/Cap"}), "null was allowed"),
    (lambda s: fields(s, "Guarantee").pop("recoverable"), "recoverable was removed"),
]


@every(("change", "words"), REFUSED)
def test_a_change_that_could_refuse_an_old_event_is_refused_in_words(change: Change, words: str) -> None:
    problems = judged(change)
    assert any(words in problem for problem in problems), problems
    assert all(problem.startswith(NAME) for problem in problems)


@every(
    "change",
    [
        lambda s: None,
        lambda s: fields(s).update(note={"type": "string"}),
        lambda s: required(s).remove("legal_basis"),
        lambda s: fields(s, "Terms")["period"]["enum"].append("year"),
        lambda s: fields(s, "Band")["partner_bp"].update(maximum=20_000),
        lambda s: fields(s)["signed_on"].pop("pattern"),
        lambda s: s.update(description="Other words."),
        lambda s: s["$defs"]["PartnershipSigned"].update(additionalProperties=True),
    ],
)
def test_a_change_that_only_takes_more_passes(change: Change) -> None:
    assert judged(change) == []


def unbounded(schema: Any) -> Any:
    """A schema as it was before the contract set its bounds."""
    if isinstance(schema, dict):
        return {key: unbounded(item) for key, item in schema.items() if key not in ("maxItems", "maxProperties")}
    return [unbounded(item) for item in schema] if isinstance(schema, list) else schema


@every(
    ("change", "words"),
    [
        (lambda s: fields(s)["services"].update(maxItems=199), "maxItems fell from none to 199"),
        (lambda s: s["$defs"]["PartnershipSigned"].update(maxProperties=63), "maxProperties fell from none to 63"),
        (
            lambda s: fields(s).update(legal_basis={"type": "array", "maxItems": 200}),
            "the type changed",
        ),
    ],
)
def test_where_there_was_no_bound_the_contracts_pass_and_any_other_is_refused(change: Change, words: str) -> None:
    current = schema_of(NAME)
    assert incompatibilities({NAME: unbounded(schema_of(NAME))}, {NAME: current}) == []
    change(current)
    problems = incompatibilities({NAME: unbounded(schema_of(NAME))}, {NAME: current})
    assert any(words in problem for problem in problems), problems


def test_whole_types_and_objects_may_come_and_open_but_not_go_and_close() -> None:
    released: dict[str, Any] = {"a": {"type": "object", "properties": {}}}
    current: dict[str, Any] = {"a": {"type": "object", "properties": {}, "additionalProperties": False}}
    assert incompatibilities(released, current) == ["a /: the object was open and is closed now: leave it open"]
    assert "the type was removed" in incompatibilities({NAME: schema_of(NAME)}, {})[0]
    assert incompatibilities({}, {NAME: schema_of(NAME)}) == []
