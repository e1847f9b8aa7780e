"""FastStream's own AsyncAPI of the examples and the document that is made from the catalogue say the same."""

from __future__ import annotations

import re
import sqlite3
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import orjson
import pytest
from faststream.kafka import KafkaBroker
from faststream.specification import AsyncAPI

import events

ROOT = Path(events.__file__).parent
DOCUMENT: dict[str, Any] = orjson.loads((ROOT / "asyncapi.json").read_bytes())
EXAMPLES = ROOT.parent / "docs" / "examples"
UNSAID = {"title", "description", "default"}
"""What FastStream takes from the names of models and fields, and our schemas leave out or say in their own words."""


def broker_of(example: str, patches: pytest.MonkeyPatch) -> KafkaBroker:
    """The broker of an example, which connects to nothing until it is started."""
    credentials = {"YESSER_KAFKA_USER": "agency-health", "YESSER_KAFKA_PASSWORD": "secret"}
    given = credentials | {"YESSER_KAFKA": "127.0.0.1:9092", "YESSER_AGENCY": "health", "CAMPAIGNS": ":memory:"}
    for name, value in given.items():
        patches.setenv(name, value)
    found = spec_from_file_location(example, EXAMPLES / f"{example}.py")
    assert found is not None
    assert found.loader is not None
    module = module_from_spec(found)
    found.loader.exec_module(module)
    broker = module.broker
    assert isinstance(broker, KafkaBroker)
    return broker


def resolved(schema: Any, definitions: dict[str, Any]) -> Any:
    """A schema with its references replaced and without annotations."""
    if isinstance(schema, list):
        return [resolved(item, definitions) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return resolved(definitions[schema["$ref"].rpartition("/")[2]], definitions)
    return {
        key: {name: resolved(item, definitions) for name, item in value.items()}
        if key == "properties"
        else resolved(value, definitions)
        for key, value in schema.items()
        if not (key in UNSAID or key.startswith(("$", "x-")))
    }


@pytest.mark.parametrize(
    ("example", "action", "channel", "message"),
    [
        ("receive_triggers", "receive", "campaignTriggers", "campaignTriggered"),
        ("publish_with_faststream", "send", "agencyEvents", "serviceLaunched"),
    ],
)
def test_the_applications_document_has_our_channel_message_and_payload(
    example: str, action: str, channel: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    broker = broker_of(example, monkeypatch)
    theirs = orjson.loads(AsyncAPI(broker, schema_version="3.0.0").to_specification().to_json())
    (their_channel,) = theirs["channels"].values()
    (their_operation,) = theirs["operations"].values()
    (their_message,) = theirs["components"]["messages"].values()
    our_message = DOCUMENT["components"]["messages"][message]

    assert their_channel["address"] == DOCUMENT["channels"][channel]["address"].replace("{code}", "health")
    assert message in DOCUMENT["channels"][channel]["messages"]
    # The application is at the other end of the channel than the platform.
    assert their_operation["action"] == action
    opposite = {"receive": "send", "send": "receive"}[action]
    on_channel = [one for one in DOCUMENT["operations"].values() if one["channel"]["$ref"] == f"#/channels/{channel}"]
    named = [
        one["$ref"].rpartition("/")[2] for ours in on_channel if ours["action"] == opposite for one in ours["messages"]
    ]
    assert message in named

    schemas = theirs["components"]["schemas"]
    schema = orjson.loads((ROOT / our_message["payload"]["schema"]["$ref"]).read_bytes())
    payload = resolved(their_message["payload"], schemas)
    assert payload == resolved(schema, schema["$defs"])
    assert payload["properties"]["type"]["const"] == our_message["name"]


def test_the_subscriber_of_an_agencys_campaigns_takes_each_message_of_our_channel(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    theirs = orjson.loads(
        AsyncAPI(broker_of("receive_campaigns", monkeypatch), schema_version="3.0.0").to_specification().to_json()
    )
    (their_channel,) = theirs["channels"].values()
    (their_message,) = theirs["components"]["messages"].values()
    ours = DOCUMENT["channels"]["agencyCampaigns"]
    assert their_channel["address"] == ours["address"].replace("{code}", "health")
    payloads = resolved(their_message["payload"], theirs["components"]["schemas"])["anyOf"]
    schemas = []
    for message in ours["messages"]:
        name = DOCUMENT["components"]["messages"][message]["payload"]["schema"]["$ref"]
        schema = orjson.loads((ROOT / name).read_bytes())
        schemas.append(resolved(schema, schema["$defs"]))
    by_type = {payload["properties"]["type"]["const"]: payload for payload in payloads}
    assert by_type == {schema["properties"]["type"]["const"]: schema for schema in schemas}


@pytest.mark.parametrize("example", ["receive_campaigns", "receive_triggers"])
def test_the_page_has_the_table_in_which_an_example_keeps_each_event_once(example: str) -> None:
    page = (EXAMPLES.parent / "kafka.md").read_text(encoding="utf-8")
    database = sqlite3.connect(":memory:")
    for statement in re.findall(r"^```sql\n(.*?)^```", page, re.MULTILINE | re.DOTALL):
        database.execute(statement)
    (insert,) = re.findall(r'"(INSERT [^"]+)"', (EXAMPLES / f"{example}.py").read_text(encoding="utf-8"))
    for _ in range(2):
        database.execute(insert, ["x"] * insert.count("?"))
    assert database.execute(f"SELECT count(*) FROM {insert.split()[2]}").fetchone() == (1,)
    database.close()


@pytest.mark.parametrize("example", ["receive_campaigns", "receive_triggers", "publish_with_faststream"])
def test_an_example_is_short_and_the_page_shows_lines_of_it(example: str) -> None:
    page = (EXAMPLES.parent / "kafka.md").read_text(encoding="utf-8")
    lines = (EXAMPLES / f"{example}.py").read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 25
    _, link, after = page.partition(f"(examples/{example}.py)")
    assert link
    shown = after.partition("```python\n")[2].partition("```")[0].split("\n")
    code = {part.strip() for line in lines for part in (line, line.partition("  #")[0])}
    assert [line for line in shown if line.strip() not in code] == []
