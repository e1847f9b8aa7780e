"""The quick check: it proves that an event has no fault, or leaves the decision to the full check.

It never refuses, so that the full check alone defines what is well-formed. It looks at events that have a canonical
form, no bad header and no personal data. Of these a closed model proves the rest: it bounds every list, integer and
text, its patterns exclude NUL, and it knows every name.
"""

from __future__ import annotations

from pydantic import ValidationError

from events.validation.forms import EventForm
from events.validation.reading import Claim
from events.validation.verdicts import Agency
from events.wire.envelope import EVENT_BYTES_MAX


def has_no_fault(claim: Claim, form: EventForm, agency: Agency) -> bool:
    """Whether an event without personal data, in good headers, is proven to have no fault."""
    row, check, _, rules, subject_of, roles = form
    if row is None or not claim.is_canonical or len(claim.event_bytes) > EVENT_BYTES_MAX:
        return False
    event = claim.event
    try:
        check(event)
    except ValidationError:
        return False
    data = event["data"]
    if event["source"] != agency.source or agency.role not in roles or event["subject"] != subject_of(data):
        return False
    return not rules or all(rule.holds(data) for rule in rules)
