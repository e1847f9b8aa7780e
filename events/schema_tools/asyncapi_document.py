"""The AsyncAPI 3 document: every message of the catalogue on every channel, from the platform's side.

FastStream's generator describes the subscribers of one running application, each with one message. It cannot describe
a channel with forty types from other senders, so the document is generated from the catalogue.
"""

from __future__ import annotations

from typing import Final

from events.schema_tools.schema_documents import Schema
from events.types.catalogue import CATALOGUE, FREE_TEXTS, EventType
from events.values.bilingual import Bilingual
from events.wire.codec import STRUCTURED_CONTENT_TYPE
from events.wire.envelope import full_type

ASYNCAPI_VERSION: Final = "3.0.0"
_SCHEMA_FORMAT: Final = "application/schema+json;version=2020-12"
_TRIGGERED: Final = "campaign.triggered"
_CAMPAIGN_TYPES: Final = tuple(name for name in CATALOGUE if name.startswith(("campaign.", "awareness.campaign-")))
_ENTRY: Final = "entry"


def asyncapi_document(version: str) -> Schema:
    """The document; `version` is that of the project."""
    messages = {message_key(name): _message(row) for name, row in CATALOGUE.items()}
    return {
        "asyncapi": ASYNCAPI_VERSION,
        "id": "urn:yesser:events",
        "info": {
            "title": "Yesser Events — أحداث يسر",
            "version": version,
            "description": (
                "Agencies publish CloudEvents 1.0 to their own topic; one national log numbers, signs and ships them. "
                "تنشر الجهات أحداثها في موضوعاتها، ويرقّمها سجل وطني واحد ويوقّعها وينشرها."
            ),
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/cloudevents+json",
        "channels": _channels(),
        "operations": _operations(),
        "components": {"messages": {**messages, _ENTRY: _entry_message()}},
    }


def entry_schema() -> Schema:
    """The schema of an entry of the national log as it is published."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:yesser:schema:entry",
        "title": "An entry of the national log",
        "type": "object",
        "required": ["recordedtime", "from", "event"],
        "additionalProperties": False,
        "properties": {
            "recordedtime": {
                "type": "string",
                "pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z$",
                "description": "When the registrar recorded it: UTC, never decreasing.",
            },
            "from": {"type": "string", "description": "topic/partition/offset of the record as it was claimed."},
            "v": {
                "const": 2,
                "description": "The second form: the event has free texts, which stand beside the entry.",
            },
            "event": {
                "description": "The event's bytes, verbatim; of a binary record, the canonical structured form. In the "
                "second form each free text is replaced by its hash, and all other bytes are as they were sent.",
                "oneOf": [*({"$ref": f"{name}.v1.json"} for name in CATALOGUE), {"$ref": "#/$defs/with-texts"}],
            },
        },
        "$defs": {"with-texts": _with_texts_schema(), "text": _text_schema()},
    }


def _with_texts_schema() -> Schema:
    return {
        "description": "Of an entry of the second form: an event of one of these types. What is said here of its texts "
        "replaces what the schema of its type says of them.",
        "type": "object",
        "required": ["type", "data"],
        "oneOf": [_type_with_texts(name, sorted(members)) for name, members in FREE_TEXTS.items()],
    }


def _type_with_texts(name: str, members: list[str]) -> Schema:
    texts = {member: {"$ref": "#/$defs/text"} for member in members}
    required = [{"required": [member]} for member in members]
    return {"properties": {"type": {"const": full_type(name)}, "data": {"properties": texts, "anyOf": required}}}


def _text_schema() -> Schema:
    return {
        "description": "The hash of a free text: SHA-256 of its salt (16 bytes) and of its canonical JSON (RFC 8785).",
        "type": "object",
        "required": ["sha256"],
        "additionalProperties": False,
        "properties": {"sha256": {"type": "string", "pattern": "^[0-9a-f]{64}$"}},
    }


def message_key(name: str) -> str:
    """`service.launched` → `serviceLaunched`."""
    first, *rest = name.replace("-", ".").split(".")
    return first + "".join(word.capitalize() for word in rest)


def _message(row: EventType) -> Schema:
    return {
        "name": full_type(row.name),
        "title": row.purpose.en,
        "summary": row.purpose.ar,
        "contentType": STRUCTURED_CONTENT_TYPE,
        "payload": _payload(f"{row.name}.v1.json"),
        "tags": [{"name": row.domain}],
        "x-sent-by": row.sender,
        "x-subject": row.subject.pattern,
    }


def _entry_message() -> Schema:
    return {
        "name": "entry",
        "title": "An entry of the national log, with its index and its RFC 6962 leaf hash.",
        "summary": "قيد في السجل الوطني برقمه وبصمته.",
        "contentType": "application/json",
        "headers": {
            "type": "object",
            "required": ["index", "leaf"],
            "properties": {
                "index": {"type": "string", "pattern": "^(0|[1-9][0-9]*)$"},
                "leaf": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
            },
        },
        "payload": _payload("entry.json"),
    }


def _payload(file: str) -> Schema:
    return {"schemaFormat": _SCHEMA_FORMAT, "schema": {"$ref": f"./schemas/{file}"}}


def _channels() -> Schema:
    # The platform is an agency too (code `platform`), so its messages use the same kind of channel.
    return {
        "agencyEvents": {
            "address": "agency.{code}.events",
            "title": "An agency's events",
            "description": "One topic per agency, one partition, no expiry; only that agency may write to it.",
            "x-title-ar": "أحداث الجهة",
            "x-description-ar": "موضوع لكل جهة، من قسم واحد، لا تنتهي مدة حفظه؛ ولا يكتب فيه غيرها.",
            "parameters": {"code": {"description": "The agency's code: [a-z][a-z0-9-]{1,30}."}},
            "messages": {message_key(name): _component(message_key(name)) for name in CATALOGUE},
            "bindings": {
                "kafka": {"partitions": 1, "topicConfiguration": {"cleanup.policy": ["delete"], "retention.ms": -1}}
            },
        },
        "log": {
            "address": "yesser.log",
            "title": "The national log",
            "description": "Every accepted event and every refusal, in the order of its index. Repeats are harmless. "
            "An entry has hashes in place of its free texts; the texts are not in this topic.",
            "x-title-ar": "السجل الوطني",
            "x-description-ar": "كل حدث مقبول وكل رفض بترتيب رقمه. التكرار لا يضر. في القيد بصمات نصوصه الحرة مكانها،"
            " وليست النصوص في هذا الموضوع.",
            "messages": {_ENTRY: _component(_ENTRY)},
            "bindings": {"kafka": {"topic": "yesser.log", "partitions": 1}},
        },
        "campaignTriggers": {
            "address": "yesser.campaign-triggers",
            "title": "Campaigns that are due",
            "description": "Each trigger after it is registered, keyed by its campaign; header `index`: its entry.",
            "x-title-ar": "الحملات المستحقة",
            "x-description-ar": "كل إطلاق بعد تسجيله، مفتاحه معرّف الحملة، وفي الترويسة index رقم قيده.",
            "messages": {message_key(_TRIGGERED): _component(message_key(_TRIGGERED))},
            "bindings": {"kafka": {"topic": "yesser.campaign-triggers"}},
        },
        "agencyCampaigns": {
            "address": "yesser.campaign-triggers.{code}",
            "title": "An agency's campaigns",
            "description": "The entries about one agency's campaigns in log order, keyed by campaign. Header `index`:"
            " the entry. Only that agency may read them.",
            "x-title-ar": "حملات الجهة",
            "x-description-ar": "قيود حملات الجهة بترتيب السجل، مفتاحها معرّف الحملة، وفي الترويسة index رقم القيد."
            " ولا تقرؤها جهة غيرها.",
            "parameters": {"code": {"description": "The agency's code: [a-z][a-z0-9-]{1,30}."}},
            "messages": {message_key(name): _component(message_key(name)) for name in _CAMPAIGN_TYPES},
            "bindings": {"kafka": {"partitions": 1}},
        },
    }


def _operations() -> Schema:
    agency_types = [name for name, row in CATALOGUE.items() if row.sender != "platform"]
    decided = [name for name, row in CATALOGUE.items() if row.sender == "platform"]
    return {
        "receiveAgencyEvents": _operation(
            "receive",
            "agencyEvents",
            agency_types,
            Bilingual("يقرأ المسجِّل موضوع كل جهة.", "The registrar reads every agency's topic."),
        ),
        "sendPlatformEvents": _operation(
            "send",
            "agencyEvents",
            decided,
            Bilingual("ما تقرره المنصة، بصفتها الجهة platform.", "What the platform decides, as agency platform."),
        ),
        "sendEntries": _operation(
            "send", "log", [_ENTRY], Bilingual("ينشر المسجِّل السجل.", "The registrar ships the log.")
        ),
        "receiveEntries": _operation(
            "receive", "log", [_ENTRY], Bilingual("تطبّق المستهلكات السجل.", "Consumers apply the log.")
        ),
        "sendCampaignTriggers": _operation(
            "send",
            "campaignTriggers",
            [_TRIGGERED],
            Bilingual("تُبلَّغ فرق الحملات.", "Campaign teams are notified."),
        ),
        "sendAgencyCampaigns": _operation(
            "send",
            "agencyCampaigns",
            [*_CAMPAIGN_TYPES],
            Bilingual(
                "تُبلَّغ فرق الجهة بكل ما يجري على حملاتها.", "An agency's teams learn what happens to its campaigns."
            ),
        ),
    }


def _operation(action: str, channel: str, names: list[str], summary: Bilingual) -> Schema:
    return {
        "action": action,
        "channel": {"$ref": f"#/channels/{channel}"},
        "summary": summary.en,
        "x-summary-ar": summary.ar,
        "messages": [{"$ref": f"#/channels/{channel}/messages/{message_key(name)}"} for name in names],
    }


def _component(key: str) -> dict[str, str]:
    return {"$ref": f"#/components/messages/{key}"}
