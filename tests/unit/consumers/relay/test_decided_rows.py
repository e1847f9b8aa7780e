"""What each process really decides has the form that the relay asks of a row of the outbox."""

from __future__ import annotations

from datetime import UTC, datetime

from consumers.documents.log.commitments import Claim
from consumers.proof.commitments.check import event_of as acknowledged
from consumers.proof.commitments.commitment import Commitment
from consumers.proof.personal_texts.withholding import withheld_event
from consumers.registrar.journal import _adoption
from events.wire.entry import recorded_time
from infra.postgres.outbox import DECISIONS, OutboxEvent, event_bytes, fault_of
from producers.agencies.lifecycle import _announcement, announcement
from tests.unit.consumers.delivery.timers.overdue import escalated
from tests.world.entries import TEXT
from tests.world.ledger import Ledger
from tests.world.story import Story, launched

NOW = datetime(2026, 11, 25, 8, tzinfo=UTC)
TIME = recorded_time(NOW)


def decided() -> list[OutboxEvent]:
    """An event of each type, made by the code of the process that decides it."""
    story, campaigns = Story(), list[OutboxEvent]()
    story.register("S")
    for change in ("launched", "suspended", "resumed"):
        _ = story.launch("S") if change == "launched" else story.change(change, "S")
        campaigns += story.outbox
        story.come_back()
    ledger = Ledger()
    ledger.sign()
    ledger.close("2005-01")
    late = escalated(*launched())
    assert late is not None
    agency = {"code": "health", "role": "agency", "name": TEXT}
    return [
        announcement("agency-registered", "agency.health", agency, lambda: NOW),
        _announcement("suspended", "health", TEXT, lambda: NOW),
        _announcement("resumed", "health", TEXT, lambda: NOW),
        withheld_event({"entry": 7, "pointer": "/data/reason", "reason": TEXT, "legal_basis": TEXT}, NOW),
        _adoption("0" * 64, "1.2.0+local", 7, TIME),
        Commitment("revenue.transfer", 8192, 3, "0" * 64, TIME, f"18-{'0' * 12}", 9).event(),
        Commitment("log-keys", 8192, 3, "0" * 64, TIME, None, 9).event(),
        acknowledged(Claim(9, "revenue.transfer", 8192, 3, "0" * 64, None), TEXT, NOW),
        late,
        *campaigns,
        *ledger.decided,
    ]


def test_every_decision_is_sent() -> None:
    events = decided()
    assert {event.type for event in events} == DECISIONS.keys()
    for event in events:
        columns = {"event_id": event.id, "type": event.type, "key": event.subject, "cause_index": event.cause_index}
        assert fault_of(columns | {"value": event_bytes(event)}) is None, event.id
