"""The full check: it defines what is refused, and why. It lists every error of form, else of authority."""

from __future__ import annotations

from collections.abc import Sequence

from events.faults.findings import Finding, finding
from events.validation.authority import authority_errors
from events.validation.forms import EventForm
from events.validation.reading import TOO_LARGE, Claim
from events.validation.schema_errors import errors_in
from events.validation.verdicts import Agency
from events.validation.walk import walk
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
