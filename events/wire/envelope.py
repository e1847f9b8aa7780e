"""The CloudEvents 1.0 envelope: its attributes and the form of each.

An attribute that is `null` counts as absent; validation drops these before it checks the form.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import Field, StringConstraints

from events.faults.model import Model
from events.values.data import Data
from events.values.fields import CODE_PATTERN, TIME_PATTERN, IdField
from events.wire.entry import SOURCE_PREFIX, TYPE_PREFIX, TYPE_SUFFIX

EVENT_BYTES_MAX: Final = 61_440
RECORD_BYTES_MAX: Final = 131_072
"""Most bytes of a record in an agency's topic, by its `max.message.bytes`."""
DEPTH_MAX: Final = 16
EXTENSION_LENGTH_MAX: Final = 256

EVENT_ID_PATTERN: Final = r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$"
SOURCE_PATTERN: Final = f"^{SOURCE_PREFIX}{CODE_PATTERN[1:]}"
SEQUENCE_PATTERN: Final = r"^[0-9]*[1-9][0-9]*$"
HIJRI_DATE_PATTERN: Final = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
EXTENSION_PATTERN: Final = r"^[^\x00-\x1f\x7f-\x9f]+$"
CONTENT_TYPE_PATTERN: Final = (
    r"^[Aa][Pp][Pp][Ll][Ii][Cc][Aa][Tt][Ii][Oo][Nn]/[Jj][Ss][Oo][Nn] *(?:;[^\x00-\x1f\x7f-\x9f]*)?$"
)
SCHEMA_URI_PREFIX: Final = "urn:yesser:schema:"

Subject = Annotated[str, StringConstraints(pattern=EXTENSION_PATTERN)]
EventId = Annotated[str, StringConstraints(pattern=EVENT_ID_PATTERN), IdField()]
Source = Annotated[str, StringConstraints(pattern=SOURCE_PATTERN)]
Time = Annotated[str, StringConstraints(pattern=TIME_PATTERN)]
Extension = Annotated[str, StringConstraints(min_length=1, max_length=EXTENSION_LENGTH_MAX, pattern=EXTENSION_PATTERN)]
Sequence = Annotated[str, StringConstraints(min_length=20, max_length=20, pattern=SEQUENCE_PATTERN)]
HijriDate = Annotated[str, StringConstraints(pattern=HIJRI_DATE_PATTERN)]
ContentType = Annotated[str, StringConstraints(max_length=EXTENSION_LENGTH_MAX, pattern=CONTENT_TYPE_PATTERN)]


class Envelope(Model):
    """Every attribute of an event; `type`, `dataschema` and `data` are narrowed per type by the catalogue."""

    specversion: Literal["1.0"]
    id: EventId
    source: Source
    type: str
    subject: Subject
    time: Time
    datacontenttype: ContentType | None = None
    dataschema: str | None = None
    sequence: Sequence | None = None
    traceparent: Extension | None = None
    tracestate: Extension | None = None
    partitionkey: Extension | None = None
    correlationid: Extension | None = None
    causationid: Extension | None = None
    hijridate: HijriDate | None = None
    data: Annotated[Data, Field()]


def full_type(short_type: str) -> str:
    """`service.launched` → `sa.gov.yesser.service.launched.v1`."""
    return f"{TYPE_PREFIX}{short_type}{TYPE_SUFFIX}"


def short_type(full: str) -> str:
    """`sa.gov.yesser.service.launched.v1` → `service.launched`; a short one as it is."""
    return full.removeprefix(TYPE_PREFIX).removesuffix(TYPE_SUFFIX)


def source_of(agency: str) -> str:
    """`health` → `urn:yesser:agency:health`."""
    return SOURCE_PREFIX + agency


def schema_uri(short_type: str) -> str:
    """The only `dataschema` allowed for this type."""
    return SCHEMA_URI_PREFIX + full_type(short_type)
