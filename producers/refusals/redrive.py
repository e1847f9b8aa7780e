"""Sends a refused record again: unchanged, if it is valid now, or corrected.

The record is validated first, so that one that would be refused again is not sent. It is linked to the refusal before
it is sent; the entry that accepts it is then found by its id.
"""

from __future__ import annotations

from typing import Final

from msgspec import convert

from events.faults.problems import Fault as EventFault
from events.faults.problems import conflict_with
from events.validation.texts import has_free_texts
from events.validation.validate import validate
from events.validation.verdicts import HASH_BYTES, Accepted, Refused
from events.wire.codec import STRUCTURED_HEADERS
from infra.event_files.ndjson import Defaults
from infra.log.refusals.documents import Fault
from infra.postgres.connection import connected
from infra.postgres.trail import add_to_trail
from infra.postgres.verdicts import KnownEvents, known_events
from infra.settings import Settings
from producers.publisher.kafka_publisher import AgencyPublisher
from producers.publisher.over_kafka import wait_for_verdicts
from producers.publisher.report import Progress, Report
from producers.refusals.documents import NOT_KEPT, CannotRedrive, ExplainedFault, Redriven, State, explained
from producers.refusals.read import SQL, Record, read_refusal

_PLATFORM: Final = "platform"
_UNKNOWN: Final = bytes(HASH_BYTES)
"""What was sent again is then recognised by its id alone."""


async def redrive(settings: Settings, index: int, corrected: bytes | None, timeout_s: float | None) -> Redriven:
    """Send the record refused at `index` again, or `corrected` (one event in structured JSON) instead of it.

    Raises `NoSuchRefusal` or `CannotRedrive` before anything is sent, then what the publisher and `wait_for_verdicts`
    raise; the call can then be repeated.
    """
    async with connected(settings, "refusals") as connection:
        refusal = await read_refusal(connection, index)
        verdict = validate_again(refusal, corrected)
        if isinstance(verdict, Refused):
            return Redriven(index, verdict.claimed_id, "not-sent", errors=_errors(verdict.faults))
        known = await known_events(connection, [verdict.claim])
        holder = known.index_of(verdict)
        if holder is not None and not known.repeats(verdict):
            return Redriven(index, verdict.id, "not-sent", holder, _errors((conflict_with(holder),)))
        async with connection.transaction():
            await connection.execute(SQL["record"], index, verdict.claim, _identity(verdict, known), verdict.id)
            await add_to_trail(connection, "refusals redrive", str(index))
        if holder is not None:
            return Redriven(index, verdict.id, "duplicate", holder)
    return await _send(settings, refusal, verdict, timeout_s)


def _identity(event: Accepted, known: KnownEvents) -> bytes:
    """The event's identity in the log. Before it is there, that of an event with free texts cannot be known."""
    if event.claim in known.claims:
        return known.claims[event.claim][0]
    return _UNKNOWN if has_free_texts(event) else event.identity


def validate_again(refusal: Record, corrected: bytes | None) -> Accepted | Refused:
    """The verdict on the record to send. Raises `CannotRedrive` if there is nothing to send."""
    if refusal.agency.code == _PLATFORM:
        raise CannotRedrive(f"entry {refusal.index} refused an event of the platform: see the runbook")
    if corrected is not None:
        return validate(Defaults(refusal.agency.code).fill(corrected), STRUCTURED_HEADERS, refusal.agency)
    if not refusal.is_kept:
        raise CannotRedrive(
            f"the record refused at {refusal.index} was not kept: {NOT_KEPT.en}. Give the corrected event with --from"
        )
    return validate(refusal.value, refusal.headers, refusal.agency)


async def _send(settings: Settings, refusal: Record, event: Accepted, timeout_s: float | None) -> Redriven:
    report = Report(lines=1)
    async with AgencyPublisher(settings, refusal.agency.code, acknowledged=report.sent.add) as publisher:
        await publisher.add(event.event_bytes, 1)
    await wait_for_verdicts(settings, refusal.agency.code, report, Progress(), timeout_s)
    verdicts = report.verdicts
    assert verdicts is not None
    if verdicts.refusals:
        again = verdicts.refusals[0]
        return Redriven(
            refusal.index, event.id, "refused", again.index, [explained(convert(row, Fault)) for row in again.errors]
        )
    state: State = "registered" if verdicts.accepted else "duplicate"
    return Redriven(refusal.index, event.id, state, verdicts.first_index)


def _errors(faults: tuple[EventFault, ...]) -> list[ExplainedFault]:
    return [explained(Fault(code=fault.code, detail=fault.detail, pointer=fault.pointer)) for fault in faults]
