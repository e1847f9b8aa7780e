"""Events from the catalogue's models: type and subject follow from the model, and the form is validated before sending.

launched = ServiceLaunched(service_id="S-1", on="2006-01-01", channels=["web"])
await publisher.publish([typed_event("health", launched, "launch-1", "2006-01-01T09:00:00+03:00")])
"""

from __future__ import annotations

from events.errors import Reject
from events.faults.model import Model
from events.reports.campaign_reports import event_of, sender_kind
from events.validation.validate import validate
from events.validation.verdicts import Agency, Refused
from events.wire.codec import STRUCTURED_HEADERS


class FaultyEvent(Reject):
    """The event does not have the form that the catalogue requires: correct it; nothing was sent."""


def typed_event(agency: str, data: Model, event_id: str, time: str, **attributes: str) -> bytes:
    """The bytes of an event. `time` is RFC 3339 with offset; `attributes` are extensions (`hijridate` …).

    Raises `FaultyEvent` with every fault of form. The registrar validates the agency's authority.
    """
    value = event_of(agency, data, event_id, time, **attributes)
    require_form(value, Agency(agency, "platform" if sender_kind(data) == "platform" else "office"))
    return value


def require_form(value: bytes, agency: Agency) -> None:
    """Raises `FaultyEvent` with every fault of an event (structured JSON) of this agency."""
    verdict = validate(value, STRUCTURED_HEADERS, agency)
    if isinstance(verdict, Refused):
        faults = "; ".join(f"{f.code} at {f.pointer or 'the whole'}: {f.detail}" for f in verdict.faults)
        raise FaultyEvent(f"{FaultyEvent.__doc__} {faults}")
