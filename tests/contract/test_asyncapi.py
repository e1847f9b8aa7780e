"""The AsyncAPI 3 document is complete, its references lead somewhere, and FastStream's own models can read it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
from faststream.specification.asyncapi.v3_0_0.schema import ApplicationSchema

import events
from events.schema_tools.asyncapi_document import message_key
from events.types.catalogue import CATALOGUE
from events.wire.envelope import full_type
from tests.every import every

ROOT = Path(events.__file__).parent
DOCUMENT: dict[str, Any] = orjson.loads((ROOT / "asyncapi.json").read_bytes())


def references(value: Any) -> list[str]:
    """Every `$ref` of the document."""
    if isinstance(value, dict):
        own = [value["$ref"]] if "$ref" in value else []
        return own + [reference for item in value.values() for reference in references(item)]
    return [reference for item in value for reference in references(item)] if isinstance(value, list) else []


@every("name", CATALOGUE)
def test_every_type_is_a_message_on_the_agencies_channel(name: str) -> None:
    key = message_key(name)
    assert DOCUMENT["components"]["messages"][key]["name"] == full_type(name)
    assert key in DOCUMENT["channels"]["agencyEvents"]["messages"]


def test_every_channel_of_the_system_is_there() -> None:
    assert {channel["address"] for channel in DOCUMENT["channels"].values()} == {
        "agency.{code}.events",
        "yesser.log",
        "yesser.campaign-triggers",
        "yesser.campaign-triggers.{code}",
    }


def test_every_type_is_sent_or_received_by_an_operation() -> None:
    named = {
        message["$ref"].rpartition("/")[2]
        for operation in DOCUMENT["operations"].values()
        for message in operation["messages"]
    }
    assert named == set(DOCUMENT["components"]["messages"])


def test_every_reference_leads_somewhere() -> None:
    found = references(DOCUMENT)
    assert found
    for reference in found:
        if reference.startswith("#/"):
            target = DOCUMENT
            for part in reference[2:].split("/"):
                target = target[part]
        else:
            assert (ROOT / reference).is_file(), reference


def test_the_entrys_schema_names_every_type() -> None:
    entry = orjson.loads((ROOT / "schemas" / "entry.json").read_bytes())
    files = {part["$ref"] for part in entry["properties"]["event"]["oneOf"]}
    assert files == {f"{name}.v1.json" for name in CATALOGUE}


def test_faststreams_models_of_asyncapi_read_the_document() -> None:
    read = ApplicationSchema.model_validate(DOCUMENT)
    assert set(read.channels) == set(DOCUMENT["channels"])
    assert set(read.operations) == set(DOCUMENT["operations"])
