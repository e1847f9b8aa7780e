"""The gateway's problems for refused events."""

from __future__ import annotations

from events.faults.problems import CODES, Fault
from infra.http.problems import REQUEST_CODES
from producers.gateway.validating import ERRORS_MAX, EventFaults, Refusal, refusal_document
from tests.world.documents import as_json

MISSING = Fault("/data", "missing-field", "data is missing; add it.")
TOO_LARGE = Fault("", "too-large", "The event has 61,441 bytes; shorten it to at most 61,440.")


def test_codes_of_requests_and_of_events_are_different() -> None:
    assert not set(REQUEST_CODES) & set(CODES)


def test_a_batchs_pointers_lead_to_the_event_and_a_single_events_sentence_is_in_the_language() -> None:
    document = as_json(refusal_document(Refusal([EventFaults(3, (MISSING,), "x-1")], batched=True), "en", "https://g"))
    assert (document["type"], document["status"]) == ("https://g/problems/missing-field", 422)
    assert document["errors"] == [
        {"code": "missing-field", "pointer": "/3/data", "detail": "data is missing; add it.", "event": 3, "id": "x-1"}
    ]
    document = as_json(refusal_document(Refusal([EventFaults(0, (MISSING,))], batched=False), "ar", ""))
    detail = "\u2068data\u2069 غير موجود؛ أضفه."
    assert document["errors"] == [{"code": "missing-field", "pointer": "/data", "detail": detail}]


def test_only_a_single_event_that_is_too_large_is_413() -> None:
    assert [Refusal([EventFaults(0, (TOO_LARGE,))], batched=batched).status for batched in (False, True)] == [413, 422]


def test_faults_beyond_the_list_and_those_that_the_verdict_does_not_list_are_counted() -> None:
    faults: tuple[Fault, ...] = (MISSING,) * (ERRORS_MAX + 7)
    document = refusal_document(Refusal([EventFaults(0, faults)], batched=False), "en", "")
    assert (len(document.errors), document.unlisted) == (ERRORS_MAX, 7)
    found = [EventFaults(place, (MISSING,), None, 80) for place in range(2)]
    document = refusal_document(Refusal(found, batched=True), "en", "")
    assert (len(document.errors), document.unlisted) == (2, 160)
