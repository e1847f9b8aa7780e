"""The AsyncAPI 3 document is complete, its references lead somewhere, and FastStream's own models can read it."""

from __future__ import annotations

import re
from functools import reduce
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
TEXT = (ROOT / "asyncapi.json").read_text(encoding="utf-8")
DOCUMENT: dict[str, Any] = orjson.loads(TEXT)


@every("name", CATALOGUE)
def test_every_type_is_a_message_on_the_agencies_channel(name: str) -> None:
    key = message_key(name)
    assert DOCUMENT["components"]["messages"][key]["name"] == full_type(name)
    assert key in DOCUMENT["channels"]["agencyEvents"]["messages"]


def test_every_channel_is_there_and_every_type_is_sent_or_received() -> None:
    assert {channel["address"] for channel in DOCUMENT["channels"].values()} == {
        "agency.{code}.events",
        "yesser.log",
        "yesser.campaign-triggers",
        "yesser.campaign-triggers.{code}",
    }
    messages = [message for operation in DOCUMENT["operations"].values() for message in operation["messages"]]
    assert {message["$ref"].rpartition("/")[2] for message in messages} == set(DOCUMENT["components"]["messages"])
    entry = orjson.loads((ROOT / "schemas" / "entry.json").read_bytes())
    files = {part["$ref"] for part in entry["properties"]["event"]["oneOf"]}
    assert files == {f"{name}.v1.json" for name in CATALOGUE}, "an entry is of any type"


def test_every_reference_leads_somewhere() -> None:
    found = re.findall(r'"\$ref": *"([^"]+)"', TEXT)
    assert found
    for reference in found:
        if reference.startswith("#/"):
            reduce(lambda place, part: place[part], reference[2:].split("/"), DOCUMENT)
        else:
            assert (ROOT / reference).is_file(), reference


def test_faststreams_models_of_asyncapi_read_the_document() -> None:
    read = ApplicationSchema.model_validate(DOCUMENT)
    assert set(read.channels) == set(DOCUMENT["channels"])
    assert set(read.operations) == set(DOCUMENT["operations"])
