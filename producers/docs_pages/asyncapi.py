"""The AsyncAPI document as page data: channels, operations, and messages with the types that they link to."""

from __future__ import annotations

from typing import Any

from events.faults.problems import Bilingual

Document = dict[str, Any]


def channels_of(document: Document) -> list[Document]:
    """The channels in document order, each with its operations."""
    return [
        {
            "address": channel["address"],
            "title": Bilingual(channel["x-title-ar"], channel["title"]),
            "description": Bilingual(channel["x-description-ar"], channel["description"]),
            "operations": [
                _operation(document, operation)
                for operation in document["operations"].values()
                if operation["channel"]["$ref"] == f"#/channels/{key}"
            ],
        }
        for key, channel in document["channels"].items()
    ]


def _operation(document: Document, operation: Document) -> Document:
    known = document["components"]["messages"]
    return {
        "action": operation["action"],
        "summary": Bilingual(operation["x-summary-ar"], operation["summary"]),
        "messages": [_message(known[reference["$ref"].rpartition("/")[2]]) for reference in operation["messages"]],
    }


def _message(message: Document) -> Document:
    """`type_name` is the catalogue's type, or None for a log entry."""
    name, is_type, _ = message["payload"]["schema"]["$ref"].rpartition("/")[2].partition(".v1.json")
    return {
        "name": message["name"],
        "type_name": name if is_type else None,
        "summary": Bilingual(message["summary"], message["title"]),
    }
