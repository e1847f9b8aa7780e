"""An event's bytes from a model of the catalogue: type and subject follow from the model."""

from __future__ import annotations

from typing import Final

from events.faults.model import Model
from events.types.catalogue import CATALOGUE, EventType
from events.wire.codec import build_event

_TYPES: Final[dict[type[Model], EventType]] = {row.model: row for row in CATALOGUE.values()}


def event_of(agency: str, data: Model, event_id: str, time: str, **attributes: str) -> bytes:
    """The canonical bytes, with their faults if there are any.

    `time` is RFC 3339 with offset; `attributes` are extensions (`hijridate` …).
    """
    # A member that was not given is absent; one given as null (such as a cap) is sent as null.
    content = data.model_dump(mode="json", exclude_unset=True)
    row = _TYPES[type(data)]
    return build_event(
        type=row.name,
        agency=agency,
        id=event_id,
        subject=row.subject.of(content),
        time=time,
        data=content,
        **attributes,
    )


def sender_kind(data: Model) -> str:
    """Who sends events of this model: the `sender` of its row in the catalogue."""
    return _TYPES[type(data)].sender
