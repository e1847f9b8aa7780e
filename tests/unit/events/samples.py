"""Good events to start from, and ways to spoil them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import events
from events.validation.validate import validate, validate_form
from events.validation.verdicts import Accepted, Admitted, Agency, Refused
from events.values.fields import Role
from events.wire.envelope import full_type
from events.wire.kafka_binding import Headers

HEALTH: Final = Agency("health", "agency")
OFFICE: Final = Agency("yesser", "office")
PLATFORM: Final = Agency("platform", "platform")
EXAMPLES: Final = Path(events.__file__).parent / "examples"

Spoil = Callable[[dict[str, Any]], Any]


def initiative(**changes: Any) -> dict[str, Any]:
    """A good event of an agency. `changes` replace attributes; one that is `...` is left out."""
    event: dict[str, Any] = {
        "specversion": "1.0",
        "id": "e-1",
        "source": "urn:yesser:agency:health",
        "type": full_type("awareness.initiative-announced"),
        "subject": "initiative/I-1",
        "time": "2005-05-05T05:05:05Z",
        "datacontenttype": "application/json",
        "data": {
            "initiative_id": "I-1",
            "name": {"ar": "مبادرة الحاسب المنزلي", "en": "Home Computer Initiative"},
            "aim": {"ar": "ردم الفجوة الرقمية", "en": "Bridge the digital divide"},
            "on": "2005-05-05",
        },
    }
    event.update(changes)
    return {name: value for name, value in event.items() if value is not ...}


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


def verdict_on(value: bytes | None, headers: Headers, agency: Agency) -> Accepted | Refused:
    """The verdict of `validate`, which `validate_form` must give too."""
    verdict, form = validate(value, headers, agency), validate_form(value, headers, agency)
    if isinstance(verdict, Accepted):
        assert isinstance(form, Admitted)
        assert (form.type, form.id, form.event_bytes) == (verdict.type, verdict.id, verdict.event_bytes)
    else:
        assert form == verdict
    return verdict


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
