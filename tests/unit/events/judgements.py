"""What validation says of a record."""

from __future__ import annotations

from typing import Any

import msgspec
import orjson

from events.validation.forms import form_of
from events.validation.full import errors_of
from events.validation.personal_search import personal_errors
from events.validation.quick import has_no_fault
from events.validation.reading import Claim, read_claim
from events.validation.refusal import refusal_event
from events.validation.validate import validate, validate_form
from events.validation.verdicts import Accepted, Admitted, Agency, Refused
from events.validation.verdicts import refused as refused_with
from events.wire.codec import STRUCTURED_HEADERS
from events.wire.kafka_binding import Headers, read_headers
from tests.world.events import HEALTH, PLATFORM, encoded, sender_of
from tests.world.refused_events import Faults


def verdict_on(
    value: bytes | None, headers: Headers = STRUCTURED_HEADERS, agency: Agency = HEALTH
) -> Accepted | Refused:
    """The verdict of `validate`, which `validate_form` must give too."""
    verdict, form = validate(value, headers, agency), validate_form(value, headers, agency)
    if isinstance(verdict, Accepted):
        assert isinstance(form, Admitted)
        assert (form.type, form.id, form.event_bytes) == (verdict.type, verdict.id, verdict.event_bytes)
    else:
        assert form == verdict
    return verdict


def accepted(value: bytes | None, headers: Headers = STRUCTURED_HEADERS, agency: Agency = HEALTH) -> Accepted:
    verdict = verdict_on(value, headers, agency)
    assert isinstance(verdict, Accepted), verdict
    return verdict


def refused(value: bytes | None, headers: Headers = STRUCTURED_HEADERS, agency: Agency = HEALTH) -> Refused:
    verdict = verdict_on(value, headers, agency)
    assert isinstance(verdict, Refused), verdict
    return verdict


def faults_of(value: bytes | None, headers: Headers = STRUCTURED_HEADERS, agency: Agency = HEALTH) -> Faults:
    verdict = verdict_on(value, headers, agency)
    return [(found.code, found.pointer) for found in verdict.faults] if isinstance(verdict, Refused) else []


def faults_of_event(event: dict[str, Any]) -> Faults:
    """Those of an event from its own sender."""
    return faults_of(encoded(event), agency=sender_of(event))


def refusal_of(value: bytes | None, refused: Refused) -> bytes:
    """The event that says why a record was refused: the registrar takes it like any other."""
    event, subject, errors = refusal_event(
        topic="agency.health.events",
        partition=0,
        offset=17,
        value=value,
        refused=refused,
        time="2026-11-25T10:00:00.000000Z",
    )
    document = orjson.loads(event)
    assert (errors, subject) == (document["data"]["problem"]["errors"], document["subject"])
    assert isinstance(validate(event, STRUCTURED_HEADERS, PLATFORM), Accepted)
    return event


def compare(value: bytes, agency: Agency, headers: Headers = STRUCTURED_HEADERS) -> Claim | None:
    """The event of a record that goes the quick way, where the full one must find no fault; else None. The full way,
    with every short cut left out, gives the verdict."""
    reading = read_headers(headers)
    claim = read_claim(value, reading)
    form = form_of(claim.event)
    personal = personal_errors(claim, form.shape, reading.attributes)
    quick = not personal and not reading.findings and has_no_fault(claim, form, agency)
    careful = msgspec.structs.replace(claim, written=None)
    assert personal == personal_errors(careful, form.shape, reading.attributes)
    errors = errors_of(careful, form, agency, reading.findings, personal)
    assert not (quick and errors)
    verdict = validate(value, headers, agency)
    if isinstance(verdict, Refused):
        assert errors
        assert verdict == refused_with(claim.event, errors, agency, may_keep=verdict.keep_raw)
    else:
        assert not errors
        assert (verdict.event, verdict.event_bytes) == (claim.event, claim.event_bytes)
    return claim if quick else None
