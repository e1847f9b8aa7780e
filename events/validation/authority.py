"""Whether an agency may send an event: under its own source, and of a type that its role may send."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from events.faults.findings import Finding, finding
from events.types.catalogue import EventType, Sender, may_send
from events.validation.verdicts import Agency
from events.values.fields import Role

_ROLES: Final[Mapping[Role, str]] = {
    "agency": "An agency",
    "office": "The programme office",
    "platform": "The platform",
}
_SENDERS: Final[Mapping[Sender, str]] = {
    "agency": "an agency",
    "owner": "an agency",
    "office": "the programme office",
    "platform": "the platform",
}


def authority_errors(event: Mapping[str, Any], row: EventType, agency: Agency) -> list[Finding]:
    """At most one error of a well-formed event of the type `row`. Ownership is not checked here."""
    if event["source"] != agency.source:
        sentence = "{value} is another agency; write {due}."
        return [finding("foreign-source", "/source", sentence, value=event["source"], due=agency.source)]
    if not may_send(agency.role, row):
        sentence = "{role} may not send {type}; only {sender} may."
        words = {"role": _ROLES[agency.role], "type": row.name, "sender": _SENDERS[row.sender]}
        return [finding("not-authorised", "/type", sentence, **words)]
    return []
