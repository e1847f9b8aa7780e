"""Entries of the national log as plain dictionaries, the only thing the oracle reads.

An entry is `{"index", "recordedtime", "from", "event"}`: what `yesser log show` prints, with its index. Nothing here
knows the production code; everything is written from the contract's text alone.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias, TypedDict

JsonObject: TypeAlias = dict[str, Any]
EntryDict = TypedDict("EntryDict", {"index": int, "recordedtime": str, "from": str, "event": JsonObject})

TYPE_PREFIX = "sa.gov.yesser."
SOURCE_PREFIX = "urn:yesser:agency:"
FIRST_RECORDED = datetime(2026, 11, 1, 6, tzinfo=UTC)


def full_type(name: str) -> str:
    """`service.launched` → `sa.gov.yesser.service.launched.v1`."""
    return f"{TYPE_PREFIX}{name}.v1"


def short_type(event: JsonObject) -> str:
    """`sa.gov.yesser.service.launched.v1` → `service.launched`."""
    return str(event["type"]).removeprefix(TYPE_PREFIX).rpartition(".")[0]


def sender(event: JsonObject) -> str:
    """The agency code in the event's source."""
    return str(event["source"]).removeprefix(SOURCE_PREFIX)


def recorded_time(instant: datetime) -> str:
    """The form of `recordedtime`."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def recorded_at(index: int, seconds_between: int = 3600) -> str:
    """A made-up recorded time for the entry at `index`: `seconds_between` after the one before it."""
    return recorded_time(FIRST_RECORDED + timedelta(seconds=index * seconds_between))


def make_event(name: str, agency: str, subject: str, data: JsonObject, event_id: str) -> JsonObject:
    """A well-formed event of `agency`."""
    return {
        "specversion": "1.0",
        "id": event_id,
        "source": SOURCE_PREFIX + agency,
        "type": full_type(name),
        "subject": subject,
        "time": "2026-11-01T09:00:00+03:00",
        "datacontenttype": "application/json",
        "data": data,
    }


def make_entry(index: int, event: JsonObject, recorded: str | None = None, address: str | None = None) -> EntryDict:
    """The entry of `event` at `index`."""
    return {
        "index": index,
        "recordedtime": recorded or recorded_at(index),
        "from": address or f"agency.{sender(event)}.events/0/{index}",
        "event": event,
    }


def registration(code: str, role: str, name: JsonObject | None = None) -> JsonObject:
    """The platform's `registry.agency-registered` for an agency."""
    data = {"code": code, "name": name or {"ar": f"جهة {code}", "en": f"Agency {code}"}, "role": role}
    return make_event("registry.agency-registered", "platform", f"agency/{code}", data, f"agency.{code}")


def entry_bytes(entry: EntryDict) -> bytes:
    """The entry as it is in the log, without its index."""
    recorded, address = entry["recordedtime"], entry["from"]
    event = json.dumps(entry["event"], ensure_ascii=False, separators=(",", ":"))
    return f'{{"recordedtime":"{recorded}","from":"{address}","event":{event}}}'.encode()


def read_entry(index: int, raw: bytes) -> EntryDict:
    """The entry at `index` from the bytes that are in the log."""
    document: JsonObject = json.loads(raw)
    return {
        "index": index,
        "recordedtime": document["recordedtime"],
        "from": document["from"],
        "event": document["event"],
    }
