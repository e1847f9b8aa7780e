"""The platform's outbox: its own events, written in the transaction of their cause.

A row holds the final bytes: the relay adds nothing. Sending a row twice is harmless: the registrar drops duplicates.

Who may decide what is a right (`DECISIONS`): policies of the table are made from it, and the relay sends a row only if
its columns, its bytes and the form of its id agree (docs/decisions/a-role-for-each-process.md).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson

from events.values.data import Data
from events.wire.codec import build_event, canonical_event_bytes
from events.wire.envelope import full_type, source_of

PLATFORM: Final = "platform"


@dataclass(frozen=True, slots=True)
class Decision:
    """Who decides an event of a type, and the form of its id: a named part is that member of its data, and `cause` the
    index of its cause."""

    principals: tuple[str, ...]
    id: str


DECISIONS: Final[Mapping[str, Decision]] = {
    "registry.agency-registered": Decision(("administrator",), r"agency\.(?P<code>.+)"),
    "registry.agency-suspended": Decision(("administrator",), r"suspended\.(?P<code>.+)\.[0-9a-f]{12}"),
    "registry.agency-resumed": Decision(("administrator",), r"resumed\.(?P<code>.+)\.[0-9a-f]{12}"),
    "registry.text-withheld": Decision(("administrator",), r"withheld\.i(?P<entry>[0-9]+)\.[0-9a-f]{12}"),
    "registrar.catalogue-adopted": Decision(("registrar",), r"catalogue\.[0-9a-f]{12}\..+\.i(?P<cause>[0-9]+)"),
    # Delivery decides what follows from the end of a day: what is overdue, and the rules about what was not aired.
    "campaign.triggered": Decision(("campaigns", "delivery"), r"triggered\.(?P<campaign_id>.+)"),
    "campaign.paused": Decision(("campaigns",), r"paused\.(?P<campaign_id>.+)\.i(?P<cause>[0-9]+)"),
    "campaign.resumed": Decision(("campaigns",), r"resumed\.(?P<campaign_id>.+)\.i(?P<cause>[0-9]+)"),
    "campaign.escalated": Decision(("delivery",), r"escalated\.(?P<campaign_id>.+)"),
    "settlement.issued": Decision(("revenue",), r"settlement\.(?P<partnership_id>.+)\.(?P<period>[^.]+)"),
    "projection.committed": Decision(
        ("relay", "operator"), r"committed\.(?P<name>.+?)(?:\.v(?P<fold_version>[0-9]+-[0-9a-f]*))?\.i(?P<cause>[0-9]+)"
    ),
    "projection.commitment-acknowledged": Decision(
        ("operator",), r"acknowledged\.(?P<name>.+)\.i(?P<commitment_index>[0-9]+)\.[0-9a-f]+"
    ),
}
"""The platform's types by their short names. The registrar writes refusals itself: they pass through no outbox."""


def types_decided_by(principal: str) -> list[str]:
    """The short names of the types."""
    return [name for name, decision in DECISIONS.items() if principal in decision.principals]


@dataclass(frozen=True, slots=True)
class OutboxEvent:
    """An event of agency `platform`. `time` is the recorded time of its cause, not the clock's."""

    id: str
    type: str
    subject: str
    data: Data
    time: str
    cause_index: int | None


def event_bytes(event: OutboxEvent) -> bytes:
    """The final bytes (RFC 8785)."""
    return build_event(
        type=event.type, agency=PLATFORM, id=event.id, subject=event.subject, time=event.time, data=event.data
    )


def fault_of(row: Mapping[str, Any]) -> str | None:
    """What is wrong with a row of the outbox: it says of itself what its bytes do not, or what nobody may decide."""
    decision = DECISIONS.get(row["type"])
    if decision is None:
        return f"nobody decides an event of the type {row['type']}"
    try:
        event = orjson.loads(row["value"])
        is_canonical = isinstance(event, dict) and canonical_event_bytes(event) == row["value"]
    except ValueError:
        is_canonical = False
    if not is_canonical:
        return "its bytes are not one JSON object in canonical form"
    said = {"type": full_type(row["type"]), "id": row["event_id"], "subject": row["key"], "source": source_of(PLATFORM)}
    if wrong := [name for name, value in said.items() if event.get(name) != value]:
        return f"its bytes have another {' and '.join(wrong)} than its columns"
    form = re.fullmatch(decision.id, row["event_id"])
    data = event["data"] if isinstance(event.get("data"), dict) else {}
    known = {name: str(value) for name, value in {**data, "cause": row["cause_index"]}.items() if value is not None}
    if form is None or any(known.get(name) != part for name, part in form.groupdict().items()):
        return f"its id {row['event_id']} is not that of a {row['type']} with this content and cause"
    return None
