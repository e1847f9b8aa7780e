"""Entry point: the event of a record in an agency's topic, or why it is refused.

Pure: the same bytes, headers and agency always give the same verdict. Form is checked, then authority. The registrar
decides whether an id is new: it compares `claim` and `identity` in log order.
"""

from __future__ import annotations

from events.validation.forms import form_of
from events.validation.full import errors_of
from events.validation.personal_search import headers_hold_personal_data, personal_errors
from events.validation.quick import has_no_fault
from events.validation.reading import Claim, read_claim
from events.validation.verdicts import Accepted, Admitted, Agency, Refused, compared_bytes, key_of, refused
from events.wire.envelope import RECORD_BYTES_MAX
from events.wire.kafka_binding import Headers, read_headers


def validate(value: bytes | None, headers: Headers, agency: Agency) -> Accepted | Refused:
    """The verdict on a record of the topic of `agency`."""
    found = _well_formed(value, headers, agency)
    if isinstance(found, Refused):
        return found
    name, claim = found
    assert claim.written is not None
    return Accepted(agency, name, key_of(claim.event), claim.event_bytes, compared_bytes(claim.event, claim.written))


def validate_form(value: bytes | None, headers: Headers, agency: Agency) -> Admitted | Refused:
    """The same verdict without the event's identity, at less cost."""
    found = _well_formed(value, headers, agency)
    if isinstance(found, Refused):
        return found
    name, claim = found
    return Admitted(name, claim.event["id"], claim.event_bytes, claim.event["time"])


def _well_formed(value: bytes | None, headers: Headers, agency: Agency) -> tuple[str, Claim] | Refused:
    """The short type and the event of a record without fault."""
    reading = read_headers(headers)
    claim = read_claim(value, reading)
    form = form_of(claim.event)
    personal = personal_errors(claim, form.shape, reading.attributes)
    is_proven = not personal and not reading.findings and has_no_fault(claim, form, agency)
    errors = [] if is_proven else errors_of(claim, form, agency, reading.findings, personal)
    if errors or form.row is None:
        is_searched = len(claim.event_bytes) <= RECORD_BYTES_MAX
        may_keep = is_searched and not headers_hold_personal_data(headers)
        return refused(claim.event, errors, agency, may_keep=may_keep)
    return form.row.name, claim
