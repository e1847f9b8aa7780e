"""The one canonical codec (RFC 8785), and how an event is built and sent.

Accepted events hold only text, integers, booleans, null, lists and objects, and their names are ASCII. For these RFC
8785 means: names sorted, no white space, the shortest escapes. `orjson` writes exactly that; tests compare it with
fixed vectors and the `rfc8785` package. `canonical_bytes` refuses all other values.
"""

from __future__ import annotations

from typing import Any, Final

import orjson

from events.errors import YesserError
from events.values.data import Data
from events.values.money import INTEGER_MAX
from events.wire.envelope import full_type, source_of

STRUCTURED_CONTENT_TYPE: Final = "application/cloudevents+json; charset=UTF-8"
STRUCTURED_HEADERS: Final[list[tuple[str, bytes]]] = [("content-type", STRUCTURED_CONTENT_TYPE.encode())]


class NotCanonical(YesserError, ValueError):
    """This value has no canonical form: use text, integers within ±(2^53 − 1), booleans, null, lists, objects."""


def canonical_bytes(value: Any) -> bytes:
    """The RFC 8785 form. Raises `NotCanonical` for fractions, huge integers, lone surrogates, names not text."""
    names_are_ascii = _require_canonical(value)
    try:
        return canonical_event_bytes(value) if names_are_ascii else orjson.dumps(_utf16_sorted(value))
    except (TypeError, orjson.JSONEncodeError) as error:
        raise NotCanonical(f"{NotCanonical.__doc__} ({error})") from error


def canonical_event_bytes(event: Any) -> bytes:
    """The RFC 8785 form of an event without fault (ASCII names, integers), without checks."""
    return orjson.dumps(event, option=orjson.OPT_SORT_KEYS)


def build_event(
    *,
    type: str,
    agency: str,
    id: str,
    subject: str,
    time: str,
    data: Data,
    **attributes: str,
) -> bytes:
    """The canonical bytes of an event. `type` is the short name, `agency` the code; further attributes by name
    (`sequence`, `correlationid`, `hijridate` …). Nothing is validated here."""
    return canonical_bytes(
        {
            "specversion": "1.0",
            "id": id,
            "source": source_of(agency),
            "type": full_type(type),
            "subject": subject,
            "time": time,
            "datacontenttype": "application/json",
            "data": data,
            **attributes,
        }
    )


def _require_canonical(value: Any) -> bool:
    """Whether the names of all objects are ASCII. Raises `NotCanonical`."""
    are_ascii = True
    if isinstance(value, dict):
        for name, item in value.items():
            if not isinstance(name, str):
                raise NotCanonical
            are_ascii = _require_canonical(item) and are_ascii and name.isascii()
    elif isinstance(value, (list, tuple)):
        for item in value:
            are_ascii = _require_canonical(item) and are_ascii
    elif isinstance(value, int):
        if not -INTEGER_MAX <= value <= INTEGER_MAX:
            raise NotCanonical
    elif not (value is None or isinstance(value, str)):
        raise NotCanonical
    return are_ascii


def _utf16_sorted(value: Any) -> Any:
    """The value with every object's names in the order of their UTF-16 code units, as RFC 8785 asks."""
    if isinstance(value, dict):
        return {name: _utf16_sorted(value[name]) for name in sorted(value, key=_utf16)}
    if isinstance(value, (list, tuple)):
        return [_utf16_sorted(item) for item in value]
    return value


def _utf16(name: str) -> bytes:
    return name.encode("utf-16-be", "surrogatepass")
