"""The full check: it defines what is refused, and why. It lists every error of form, else of authority: whether an
agency sends under its own source, and a type that its role may send."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from events.faults.findings import Finding, finding
from events.types.catalogue import EventType, Sender, may_send
from events.validation.forms import EventForm
from events.validation.reading import TOO_LARGE, Claim
from events.validation.schema_errors import errors_in
from events.validation.verdicts import Agency
from events.validation.walk import walk
from events.values.fields import Role
from events.wire.envelope import EVENT_BYTES_MAX


def errors_of(
    claim: Claim, form: EventForm, agency: Agency, in_headers: Sequence[Finding], personal: Sequence[Finding]
) -> list[Finding]:
    """Every error of a record. `in_headers` and `personal` were found before."""
    if claim.fault is not None:
        return [claim.fault, *personal]
    errors = errors_in(walk(claim, form.shape), form, in_headers)
    errors += personal
    if errors or form.row is None:
        return errors
    errors = authority_errors(claim.event, form.row, agency)
    size = len(claim.event_bytes)
    if not errors and size > EVENT_BYTES_MAX:  # in binary mode, where the canonical form is longer
        errors = [finding("too-large", "", TOO_LARGE, size=f"{size:,}")]
    return errors


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
