"""Who decides which of the platform's events, and what the relay asks of a row before it sends it."""

from __future__ import annotations

from typing import Any

from events.types.catalogue import CATALOGUE
from events.validation.refusal import REFUSED
from infra.postgres.outbox import DECISIONS, OutboxEvent, event_bytes, fault_of, types_decided_by
from infra.postgres.roles import privileges, rights
from infra.principals import PRINCIPALS
from tests.every import every

GOOD: dict[str, tuple[str, dict[str, Any], int | None]] = {
    "agency.health": ("registry.agency-registered", {"code": "health"}, None),
    "suspended.health.0123456789ab": ("registry.agency-suspended", {"code": "health"}, None),
    "resumed.health.0123456789ab": ("registry.agency-resumed", {"code": "health"}, None),
    "withheld.i7.0123456789ab": ("registry.text-withheld", {"entry": 7}, None),
    "catalogue.0123456789ab.1.2.0-dev.i7": ("registrar.catalogue-adopted", {"sha256": "0" * 64}, 7),
    "triggered.service-launched.S.1": ("campaign.triggered", {"campaign_id": "service-launched.S.1"}, 7),
    "paused.C.i7": ("campaign.paused", {"campaign_id": "C"}, 7),
    "resumed.C.i7": ("campaign.resumed", {"campaign_id": "C"}, 7),
    "escalated.C": ("campaign.escalated", {"campaign_id": "C"}, 7),
    "settlement.P.v2.1445-Q1": ("settlement.issued", {"partnership_id": "P.v2", "period": "1445-Q1"}, 7),
    "committed.log-keys.i7": ("projection.committed", {"name": "log-keys"}, 7),
    "committed.revenue.transfer.v12-0123456789ab.i7": (
        "projection.committed",
        {"name": "revenue.transfer", "fold_version": "12-0123456789ab"},
        7,
    ),
    "acknowledged.revenue.transfer.i7.01ef": (
        "projection.commitment-acknowledged",
        {"name": "revenue.transfer", "commitment_index": 7},
        7,
    ),
}


def row(event_id: str, /, **changes: Any) -> dict[str, Any]:
    """A row as its process writes it, with changed columns."""
    type_, data, cause = GOOD[event_id]
    event = OutboxEvent(event_id, type_, "about/it", data, "2026-11-25T08:00:00.000000Z", cause)
    columns = {"event_id": event_id, "type": type_, "key": event.subject, "cause_index": cause}
    return columns | {"value": event_bytes(event)} | changes


def test_each_type_of_the_platform_but_the_refusal_is_decided_by_those_who_may_write_to_the_outbox() -> None:
    assert DECISIONS.keys() == {row.name for row in CATALOGUE.values() if row.sender == "platform"} - {REFUSED}
    writers = {name for name, own in rights().items() if "INSERT" in (privileges(own, "platform", "outbox") or "")}
    assert writers == {name for name in PRINCIPALS if types_decided_by(name)}
    assert {type_ for type_, _, _ in GOOD.values()} == DECISIONS.keys()


@every("event_id", GOOD)
def test_a_row_as_its_process_writes_it_is_sent(event_id: str) -> None:
    assert fault_of(row(event_id)) is None


FORGED = row("suspended.health.0123456789ab")["value"]


@every(
    ("changed", "words"),
    [
        (row("escalated.C", value=FORGED), "its bytes have another type and id than its columns"),
        (row("escalated.C", type="registry.agency-suspended"), "another type"),
        (row("escalated.C", event_id="escalated.D"), "another id"),
        (row("escalated.C", key="campaign/other"), "another subject"),
        (row("escalated.C", type="registrar.refused"), "nobody decides an event of the type registrar.refused"),
        (row("escalated.C", value=b"{"), "canonical form"),
        (row("escalated.C", value=b"[]"), "canonical form"),
        (row("escalated.C", value=row("escalated.C")["value"] + b" "), "canonical form"),
        (row("escalated.C", value=row("escalated.C")["value"].replace(b":platform", b":health")), "another source"),
        (row("paused.C.i7", cause_index=8), "its id paused.C.i7 is not that of a campaign.paused"),
        (row("paused.C.i7", cause_index=None), "its id"),
    ],
)
def test_a_row_that_is_not_what_it_says_is_named(changed: dict[str, Any], words: str) -> None:
    assert words in (fault_of(changed) or "")


@every(
    ("event_id", "other"),
    [
        ("agency.health", "agency.labour"),
        ("escalated.C", "triggered.C"),
        ("escalated.C", "escalated.D"),
        ("suspended.health.0123456789ab", "suspended.health.X"),
        ("settlement.P.v2.1445-Q1", "settlement.P.1445-Q1"),
        ("withheld.i7.0123456789ab", "withheld.i8.0123456789ab"),
        ("committed.revenue.transfer.v12-0123456789ab.i7", "committed.revenue.transfer.v12-0123456789ab"),
        ("committed.revenue.transfer.v12-0123456789ab.i7", "committed.revenue.account.v12-0123456789ab.i7"),
        ("committed.revenue.transfer.v12-0123456789ab.i7", "committed.revenue.transfer.i7"),
        ("committed.log-keys.i7", "committed.log-keys.v12-0123456789ab.i7"),
        ("acknowledged.revenue.transfer.i7.01ef", "acknowledged.revenue.transfer.i8.01ef"),
    ],
)
def test_an_id_of_another_form_or_content_is_named(event_id: str, other: str) -> None:
    type_, data, cause = GOOD[event_id]
    event = OutboxEvent(other, type_, "about/it", data, "2026-11-25T08:00:00.000000Z", cause)
    fault = fault_of(row(event_id, event_id=other, value=event_bytes(event)))
    assert fault == f"its id {other} is not that of a {type_} with this content and cause"
