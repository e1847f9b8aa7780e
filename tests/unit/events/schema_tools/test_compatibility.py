"""The gate refuses a change that could refuse an old event, with its reason, and accepts harmless ones."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

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


def signed(schema: dict[str, Any]) -> dict[str, Any]:
    model: dict[str, Any] = schema["$defs"]["PartnershipSigned"]
    return model


REFUSED: list[tuple[str, Change, str]] = [
    ("removed", lambda s: signed(s)["properties"].pop("legal_basis"), "legal_basis was removed or renamed"),
    (
        "renamed",
        lambda s: signed(s)["properties"].update(basis=signed(s)["properties"].pop("legal_basis")),
        "legal_basis was removed or renamed",
    ),
    ("newly required", lambda s: s["required"].append("hijridate"), "hijridate is newly required"),
    (
        "a new required field",
        lambda s: (signed(s)["properties"].update(x={"type": "string"}), signed(s)["required"].append("x")),
        "x is newly required",
    ),
    ("type", lambda s: signed(s)["properties"]["signed_on"].update(type="integer"), "the type changed from string"),
    ("pattern", lambda s: signed(s)["properties"]["signed_on"].update(pattern="^x$"), "the pattern changed"),
    (
        "enum",
        lambda s: s["$defs"]["Terms"]["properties"]["period"]["enum"].remove("quarter"),
        "['quarter'] were allowed",
    ),
    (
        "a list of values where any was allowed",
        lambda s: s["properties"]["subject"].update(enum=["a"]),
        "any value was allowed",
    ),
    (
        "upper bound",
        lambda s: s["$defs"]["Band"]["properties"]["partner_bp"].update(maximum=9000),
        "maximum fell from 10000 to 9000",
    ),
    (
        "lower bound",
        lambda s: s["$defs"]["Band"]["properties"]["partner_bp"].update(minimum=1),
        "minimum rose from 0 to 1",
    ),
    (
        "a narrower bound",
        lambda s: signed(s)["properties"]["services"].update(maxItems=5),
        "maxItems fell from 200 to 5",
    ),
    (
        "a new bound",
        lambda s: signed(s)["properties"]["signed_on"].update(maxLength=9),
        "maxLength fell from none to 9",
    ),
    (
        "no null",
        lambda s: s["$defs"]["Terms"]["properties"].update(cap={"$ref": "#/$defs/Cap"}),
        "null was allowed",
    ),
    (
        "inside an optional part",
        lambda s: s["$defs"]["Guarantee"]["properties"].pop("recoverable"),
        "recoverable was removed",
    ),
]


@every(("name", "change", "words"), REFUSED)
def test_a_change_that_could_refuse_an_old_event_is_refused_in_words(name: str, change: Change, words: str) -> None:
    problems = judged(change)
    assert any(words in problem for problem in problems), problems
    assert all(problem.startswith(NAME) for problem in problems)


@every(
    "change",
    [
        lambda s: None,
        lambda s: signed(s)["properties"].update(note={"type": "string"}),
        lambda s: signed(s)["required"].remove("legal_basis"),
        lambda s: s["$defs"]["Terms"]["properties"]["period"]["enum"].append("year"),
        lambda s: s["$defs"]["Band"]["properties"]["partner_bp"].update(maximum=20_000),
        lambda s: signed(s)["properties"]["signed_on"].pop("pattern"),
        lambda s: s.update(description="Other words."),
        lambda s: signed(s).update(additionalProperties=True),
    ],
)
def test_a_change_that_only_takes_more_passes(change: Change) -> None:
    assert judged(change) == []


def unbounded(schema: Any) -> Any:
    """A schema as it was before the contract set its bounds."""
    if isinstance(schema, dict):
        return {key: unbounded(item) for key, item in schema.items() if key not in ("maxItems", "maxProperties")}
    return [unbounded(item) for item in schema] if isinstance(schema, list) else schema


def test_the_bounds_that_the_contract_set_pass_where_there_was_none() -> None:
    assert incompatibilities({NAME: unbounded(schema_of(NAME))}, {NAME: schema_of(NAME)}) == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda s: signed(s)["properties"]["services"].update(maxItems=199), "maxItems fell from none to 199"),
        (lambda s: signed(s).update(maxProperties=63), "maxProperties fell from none to 63"),
        (
            lambda s: signed(s)["properties"].update(legal_basis={"type": "array", "maxItems": 200}),
            "the type changed",
        ),
    ],
)
def test_any_other_new_bound_is_refused(change: Change, words: str) -> None:
    current = schema_of(NAME)
    change(current)
    problems = incompatibilities({NAME: unbounded(schema_of(NAME))}, {NAME: current})
    assert any(words in problem for problem in problems), problems


def test_an_object_that_closes_is_refused() -> None:
    released = {"a": {"type": "object", "properties": {}}}
    current = {"a": {"type": "object", "properties": {}, "additionalProperties": False}}
    assert incompatibilities(released, current) == ["a /: the object was open and is closed now: leave it open"]


def test_a_type_that_disappears_is_refused() -> None:
    assert "the type was removed" in incompatibilities({NAME: schema_of(NAME)}, {})[0]


def test_a_new_type_passes() -> None:
    assert incompatibilities({}, {NAME: schema_of(NAME)}) == []
