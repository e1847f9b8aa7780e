"""Events to start from, their bytes, and ways to spoil them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import events
from events.validation.verdicts import Agency
from events.values.fields import Role
from events.wire.envelope import full_type

HEALTH: Final = Agency("health", "agency")
OFFICE: Final = Agency("yesser", "office")
FIRST_DAY_AHEAD: Final = "2030-01-01"
"""Of a clock that stands at the end of 2029: the times of samples are before."""
PLATFORM: Final = Agency("platform", "platform")
EXAMPLES: Final = Path(events.__file__).parent / "examples"
TEXT: Final = {"ar": "نص", "en": "text"}
NATIONAL_ID: Final = "1064971268"


def event(type: str, subject: str, data: dict[str, Any], /, **attributes: Any) -> dict[str, Any]:
    """An event of the short type `type`. `attributes` are added or replace others; one that is `...` is left out."""
    whole = {
        "specversion": "1.0",
        "id": "e-1",
        "source": HEALTH.source,
        "type": full_type(type),
        "subject": subject,
        "time": "2005-05-05T05:05:05Z",
        "datacontenttype": "application/json",
        "data": data,
    } | attributes
    return {name: value for name, value in whole.items() if value is not ...}


def initiative(**attributes: Any) -> dict[str, Any]:
    """A good event of an agency."""
    data = {
        "initiative_id": "I-1",
        "name": {"ar": "مبادرة الحاسب المنزلي", "en": "Home Computer Initiative"},
        "aim": {"ar": "ردم الفجوة الرقمية", "en": "Bridge the digital divide"},
        "on": "2005-05-05",
    }
    return event("awareness.initiative-announced", "initiative/I-1", data, **attributes)


def changed(event: dict[str, Any], pointer: str, value: Any) -> dict[str, Any]:
    """A deep copy with the member at `pointer` set to `value`, or removed if that is `...`."""
    copy: dict[str, Any] = json.loads(json.dumps(event))
    *parents, last = pointer.split("/")[1:]
    target: Any = copy
    for name in parents:
        target = target[int(name)] if isinstance(target, list) else target[name]
    if isinstance(target, list):
        target[int(last) : int(last) + 1] = [] if value is ... else [value]
    elif value is ...:
        del target[last]
    else:
        target[last] = value
    return copy


def encoded(event: Any) -> bytes:
    """The event as an ordinary client would send it."""
    return json.dumps(event, ensure_ascii=False).encode("utf-8", "surrogatepass")


def golden() -> Iterator[tuple[Path, bytes]]:
    """Every golden example of every version."""
    for path in sorted(EXAMPLES.glob("*/*.json")):
        yield path, path.read_bytes()


def golden_event(name: str) -> dict[str, Any]:
    """One golden example, parsed: `golden_event("partnership.signed")`."""
    event: dict[str, Any] = json.loads((EXAMPLES / "v1" / f"{name}.json").read_bytes())
    return event


def sender_of(event: dict[str, Any]) -> Agency:
    """The agency of a golden example, with its role."""
    code = event["source"].rpartition(":")[2]
    roles: dict[str, Role] = {"yesser": "office", "platform": "platform"}
    return Agency(code, roles.get(code, "agency"))
