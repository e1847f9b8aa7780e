"""The AsyncAPI document as page data: channels, operations, and messages with links to their pages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from events.faults.problems import Bilingual

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Message:
    """A message: its title, and the catalogue's type, or None for a log entry."""

    name: str
    type_name: str | None
    summary: Bilingual


@dataclass(frozen=True, slots=True)
class Operation:
    """What the platform does on a channel: `send` (it writes) or `receive` (it reads)."""

    action: str
    summary: Bilingual
    messages: tuple[Message, ...]


@dataclass(frozen=True, slots=True)
class Channel:
    """One kind of Kafka topic."""

    address: str
    title: Bilingual
    description: Bilingual
    partitions: int | None
    operations: tuple[Operation, ...]


def channels_of(document: Document) -> list[Channel]:
    """The channels in document order, each with its operations."""
    return [
        Channel(
            address=channel["address"],
            title=Bilingual(channel["x-title-ar"], channel["title"]),
            description=Bilingual(channel["x-description-ar"], channel["description"]),
            partitions=channel["bindings"]["kafka"].get("partitions"),
            operations=tuple(
                _operation(document, operation)
                for operation in document["operations"].values()
                if operation["channel"]["$ref"] == f"#/channels/{key}"
            ),
        )
        for key, channel in document["channels"].items()
    ]


def _operation(document: Document, operation: Document) -> Operation:
    return Operation(
        operation["action"],
        Bilingual(operation["x-summary-ar"], operation["summary"]),
        tuple(_message(document, reference["$ref"]) for reference in operation["messages"]),
    )


def _message(document: Document, reference: str) -> Message:
    """`#/channels/log/messages/entry` → `#/components/messages/entry` → the message."""
    message = _at(document, _at(document, reference)["$ref"])
    file = message["payload"]["schema"]["$ref"].rpartition("/")[2]
    type_name = file.removesuffix(".v1.json") if file.endswith(".v1.json") else None
    return Message(message["name"], type_name, Bilingual(message["summary"], message["title"]))


def _at(document: Document, reference: str) -> Document:
    found = document
    for step in reference.removeprefix("#/").split("/"):
        found = found[step]
    return found
