"""The AsyncAPI 3 document is complete, its references lead somewhere, and FastStream's own models can read it."""

from __future__ import annotations

import re
from functools import reduce
from pathlib import Path

import jsonschema_rs
import orjson
from faststream.specification.asyncapi.v3_0_0.schema import ApplicationSchema

import events
from events.types.catalogue import CATALOGUE
from events.wire.entry import entry_bytes
from events.wire.envelope import full_type
from tests.world.logs_with_texts import LogWithTexts, service_suspended, workshop_held
from tests.world.records import RECORDED, said

ROOT = Path(events.__file__).parent
TEXT = (ROOT / "asyncapi.json").read_text(encoding="utf-8")
DOCUMENT = orjson.loads(TEXT)


def test_every_type_is_a_message_of_the_agencies_and_every_message_is_sent_or_received() -> None:
    assert {channel["address"] for channel in DOCUMENT["channels"].values()} == {
        *("agency.{code}.events", "yesser.log", "yesser.campaign-triggers", "yesser.campaign-triggers.{code}")
    }
    messages = DOCUMENT["components"]["messages"]
    sent = {messages[key]["name"] for key in DOCUMENT["channels"]["agencyEvents"]["messages"]}
    assert sent == set(map(full_type, CATALOGUE))
    used = [message["$ref"] for operation in DOCUMENT["operations"].values() for message in operation["messages"]]
    assert {reference.rpartition("/")[2] for reference in used} == set(messages)
    entry = orjson.loads((ROOT / "schemas" / "entry.json").read_bytes())
    *files, with_texts = [part["$ref"] for part in entry["properties"]["event"]["oneOf"]]
    assert set(files) == {f"{name}.v1.json" for name in CATALOGUE}, "an entry is of any type"
    assert with_texts == "#/$defs/with-texts"


def test_every_reference_leads_somewhere_and_faststreams_models_read_the_document() -> None:
    for reference in (found := re.findall(r'"\$ref": *"([^"]+)"', TEXT)):
        if reference.startswith("#/"):
            reduce(lambda place, part: place[part], reference[2:].split("/"), DOCUMENT)
        else:
            assert (ROOT / reference).is_file(), reference
    assert found
    read = ApplicationSchema.model_validate(DOCUMENT)
    assert (set(read.channels), set(read.operations)) == (set(DOCUMENT["channels"]), set(DOCUMENT["operations"]))


def test_the_schema_of_an_entry_has_its_two_forms() -> None:
    schemas = ROOT / "schemas"
    schema = orjson.loads((schemas / "entry.json").read_bytes())
    types = schema["properties"]["event"]["oneOf"]
    types[:-1] = [orjson.loads((schemas / part["$ref"]).read_bytes()) for part in types[:-1]]
    fits = jsonschema_rs.validator_for(schema).is_valid
    built = LogWithTexts().add(said("a"), service_suspended("b", "Sara"), workshop_held("c", "Sara"))
    first, *second = map(orjson.loads, built.entries)
    whole = orjson.loads(entry_bytes(RECORDED, "agency.health.events/0/1", service_suspended("b", "Sara")))
    assert [fits(entry) for entry in (first, whole, *second)] == [True] * 4, "entries of before keep their form"
    assert not fits({**second[0], "v": 3})
    second[0]["event"]["data"]["reason"]["sha256"] += "0"
    assert not fits(second[0]), "this is no hash"
    first["event"]["data"]["name"] = {"sha256": "0" * 64}
    assert not fits(first), "a name is no free text"
