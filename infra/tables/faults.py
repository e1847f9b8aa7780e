"""Sentences for the faults of a mapping file: the location, the value found, and what to write instead.

Flows in: pydantic's errors. Flows out: one sentence each. A value that may be personal is not repeated.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import orjson

from events.values.personal_data import shows_ten_digits

_VALUE_CHARACTERS_MAX: Final = 60
_COLUMN_TOML: Final = '{ pointer = "/data/…" }'
_COLUMN_JSON: Final = '{"pointer": "/data/…"}'

Fault = Mapping[str, Any]
"""pydantic's `type`, `loc`, `input` and `ctx` of an error."""


def sentence(fault: Fault, *, is_json: bool, members: Sequence[str]) -> str:
    """One fault of a mapping file. `members` are the known names, for an unknown one."""
    place, remedy = _location(fault["loc"]), _remedy(fault, is_json, members)
    if fault["type"] == "extra_forbidden":
        return f"{place or 'the mapping'}: {remedy}"
    value = _shown(fault["input"])
    return f"{place or 'the mapping'}: {remedy}" + (f" instead of {value}" if value else "")


def _location(path: Sequence[str | int]) -> str:
    """`column "amount", type` for ("columns", "amount", "type")."""
    names = ["…" if shows_ten_digits(str(step)) else str(step) for step in path]
    if len(names) > 1 and names[0] == "columns":
        names = [f'column "{names[1]}"', *names[2:]]
    # After a table's name comes a name that the user chose.
    return ", ".join(
        f'"{name}"' if i and names[i - 1] in ("values", "templates") else name for i, name in enumerate(names)
    )


def _remedy(fault: Fault, is_json: bool, members: Sequence[str]) -> str:
    context = fault.get("ctx", {})
    match fault["type"]:
        case "model_type" if fault["loc"]:
            return f"write {_COLUMN_JSON if is_json else _COLUMN_TOML}"
        case "model_type":
            return "write an object"
        case "extra_forbidden":
            return f"unknown name; write one of {', '.join(members)}"
        case "literal_error":
            return f"write {context['expected']}".replace("'", '"')
        case "string_type":
            return "write a text in quotes"
        case "string_too_short" | "string_too_long":
            return f"write {'one character' if 'max_length' in context else 'at least one character'}"
        case "dict_type":
            return "write an object" if is_json else "write a TOML table"
        case "list_type":
            return "write a list of texts in brackets"
    return str(fault["msg"])


def _shown(value: object) -> str:
    """The value as JSON, if it may be shown."""
    try:
        text = orjson.dumps(value).decode()
    except (TypeError, ValueError):
        return ""
    return "" if len(text) > _VALUE_CHARACTERS_MAX or shows_ten_digits(text) else text
